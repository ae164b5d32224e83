//! Encrypted payloads in the log.

use super::*;
use crate::keys::Shredding;
use crate::store::{AppendError, ReadError, Unavailable};

const SECRET: &str = r#"{"access_token":"shpat_1"}"#;

fn secret(shop: &str) -> NewEvent {
    NewEvent {
        encryption_scope: Some(shop.to_owned()),
        payload: SECRET.to_owned(),
        ..event("shop.connected", &[shop, "region:eu"])
    }
}

#[test]
fn an_encrypted_payload_is_in_no_part_of_what_is_stored() {
    let Fixture { log, store, .. } = fixture();
    put(
        &log,
        vec![
            secret("shop_id:7"),
            secret("shop_id:7"),
            secret("shop_id:8"),
        ],
    );
    let stored = store.state.lock().expect("no panic").events.clone();
    assert!(!format!("{stored:?}").contains("shpat_1"));
    assert!(
        stored
            .iter()
            .all(|s| s.event.data.len() == SECRET.len() + 12 + 16),
        "nonce and tag"
    );
    assert_ne!(stored[0].event.data, stored[1].event.data);

    let events = everything(&log, &query(&[(&["shop.connected"], &[])]));
    assert!(
        events
            .iter()
            .all(|event| event.payload.as_deref() == Some(SECRET))
    );
    assert_eq!(events[0].encryption_scope.as_deref(), Some("shop_id:7"));
    assert_eq!(
        events[0].encryption_key_id, events[1].encryption_key_id,
        "one key a scope"
    );
    assert_ne!(events[0].encryption_key_id, events[2].encryption_key_id);
}

#[test]
fn after_its_scope_is_shredded_an_event_has_no_payload() {
    let Fixture { log, keys, .. } = fixture();
    put(&log, vec![secret("shop_id:7"), secret("shop_id:8")]);
    keys.shred(&Shredding::of("shop_id:7")).expect("shredded");
    let [first, second] = &everything(&log, &query(&[(&[], &[])]))[..] else {
        panic!("two events")
    };
    assert_eq!(
        (first.payload.as_deref(), second.payload.as_deref()),
        (None, Some(SECRET))
    );
    assert_eq!(
        first.tags,
        ["shop_id:7", "region:eu"],
        "that it happened stays"
    );
    assert_eq!(
        log.event(first.id)
            .expect("a read")
            .expect("an event")
            .payload,
        None
    );

    put(&log, vec![secret("shop_id:7")]);
    let events = everything(&log, &query(&[(&[], &["shop_id:7"])]));
    assert_eq!(
        events[1].payload.as_deref(),
        Some(SECRET),
        "a new key for what comes after"
    );
    assert_ne!(events[0].encryption_key_id, events[1].encryption_key_id);
}

#[test]
fn a_tampered_event_is_an_error_that_names_it() {
    type Change = fn(&mut umadb_dcb::DcbEvent);
    let changes: &[(&str, Change)] = &[
        ("ciphertext", |event| event.data[14] ^= 1),
        ("nonce", |event| event.data[0] ^= 1),
        ("authentication", |event| {
            *event.data.last_mut().expect("a byte") ^= 1;
        }),
        ("cut", |event| event.data.truncate(11)),
        ("empty", |event| event.data.clear()),
        ("type", |event| {
            event.event_type = "shop.disconnected".to_owned();
        }),
        ("id", |event| event.uuid = Some(Uuid::now_v7())),
        ("tag changed", |event| {
            event.tags[1] = "region:us".to_owned();
        }),
        ("tag removed", |event| drop(event.tags.remove(1))),
        ("tag added", |event| event.tags.insert(0, "x:1".to_owned())),
        ("scope", |event| {
            let scope = event
                .metadata
                .iter_mut()
                .find(|(key, _)| key == "encryption-scope");
            scope.expect("a scope").1 = "shop_id:8".to_owned();
        }),
    ];
    let Fixture { log, store, .. } = fixture();
    for (what, change) in changes {
        let position = put(&log, vec![secret("shop_id:7")]);
        let id = {
            let mut state = store.state.lock().expect("no panic");
            let event = &mut state.events.last_mut().expect("an event").event;
            change(event);
            event.uuid.expect("an id")
        };
        let mut reader = log.read(&query(&[(&[], &[])]), position - 1, position);
        let error = reader.next_batch(1).expect_err(what);
        let ReadError::Tampered {
            id: named,
            position: at,
            ..
        } = &error
        else {
            panic!("{what}: {error}")
        };
        assert_eq!((*named, *at), (id, position));
        assert!(error.to_string().contains(&id.to_string()), "{error}");
    }
}

#[test]
fn the_order_of_tags_is_not_bound() {
    let Fixture { log, store, .. } = fixture();
    put(&log, vec![secret("shop_id:7")]);
    store.state.lock().expect("no panic").events[0]
        .event
        .tags
        .reverse();
    assert_eq!(
        everything(&log, &query(&[(&[], &[])]))[0]
            .payload
            .as_deref(),
        Some(SECRET)
    );
}

#[test]
fn a_payload_does_not_decrypt_as_another_events() {
    let Fixture { log, store, .. } = fixture();
    put(&log, vec![secret("shop_id:7"), secret("shop_id:7")]);
    {
        let mut state = store.state.lock().expect("no panic");
        let first = state.events[0].event.data.clone();
        state.events[1].event.data = first;
    }
    let mut reader = log.read(&query(&[(&[], &[])]), 1, 2);
    assert!(matches!(
        reader.next_batch(1),
        Err(ReadError::Tampered { position: 2, .. })
    ));
}

#[test]
fn without_its_key_an_event_is_not_written() {
    let Fixture {
        log, _directory, ..
    } = fixture();
    let database = rusqlite::Connection::open(_directory.path().join("umari.sqlite")).expect("it");
    database
        .execute_batch("DROP TABLE data_key")
        .expect("the keys are gone");
    let error = log.append(vec![secret("shop_id:7")], &by("test"), &Boundary::default());
    let error = error.expect_err("no key");
    assert!(
        matches!(error, AppendError::Unavailable(Unavailable::Keys(_))),
        "{error}"
    );
    assert_eq!((log.head().expect("a head"), log.failure()), (0, None));
}
