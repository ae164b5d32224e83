//! The log while scopes are shredded, and after keys were lost.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;
use crate::keys::{KeyError, Shredding};
use crate::report::chain;
use crate::store::ReadError;

fn secret(scope: &str, text: &str) -> NewEvent {
    NewEvent {
        encryption_scope: Some(scope.to_owned()),
        payload: text.to_owned(),
        ..event("secret", &[scope])
    }
}

#[test]
fn a_lost_key_stops_the_reader_and_is_not_taken_for_a_shredded_one() {
    let Fixture {
        log,
        store,
        _directory,
        ..
    } = fixture();
    put(
        &log,
        vec![event("a", &[]), secret("shop_id:7", "{}"), event("a", &[])],
    );
    let database = rusqlite::Connection::open(_directory.path().join("umari.sqlite")).expect("it");
    database
        .execute("DELETE FROM data_key", [])
        .expect("a loss");
    let log = log_on(store, &_directory);

    let mut reader = log.read(&query(&[(&[], &[])]), 0, 3);
    let before = reader.next_batch(9).expect("what is before");
    assert_eq!(positions(&before), [1]);
    for _ in 0..2 {
        let error = reader.next_batch(9).expect_err("it does not move on");
        let text = chain(&error);
        let ReadError::Keys {
            position: 2,
            source: KeyError::Lost { scope, .. },
            ..
        } = error
        else {
            panic!("{text}")
        };
        assert_eq!(scope, "shop_id:7");
        for part in [
            "at position 2",
            "restore umari.sqlite from a backup",
            "umari keys shred shop_id:7 --allow-unknown",
        ] {
            assert!(text.contains(part), "{text}");
        }
    }
}

#[test]
fn an_event_that_was_read_ahead_loses_its_payload() {
    let Fixture { log, keys, .. } = fixture();
    put(
        &log,
        vec![
            secret("shop_id:7", "{}"),
            secret("shop_id:8", "{}"),
            event("a", &[]),
        ],
    );
    let mut events = everything(&log, &query(&[(&[], &[])]));
    keys.shred(&Shredding::of("shop_id:7")).expect("shredded");
    for event in &mut events {
        log.redact(event).expect("an answer");
    }
    let payloads: Vec<_> = events.iter().map(|event| event.payload.is_some()).collect();
    assert_eq!(payloads, [false, true, true]);
}

/// Writers and shredders of one scope at once: what is acknowledged is in the log, what was there
/// before a shredding is unreadable after it, and no shredded key is used again.
#[test]
fn appends_and_shreddings_at_once_lose_nothing() {
    const WRITERS: usize = 4;
    const APPENDS: usize = 60;
    const SHREDDINGS: usize = 20;
    let Fixture { log, keys, .. } = fixture();
    let done = AtomicBool::new(false);
    let (acknowledged, shredded_up_to) = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let log = &log;
                scope.spawn(move || {
                    let texts = (0..APPENDS).map(move |n| format!("\"{writer}-{n}\""));
                    let append = |text: String| {
                        put(log, vec![secret("shop_id:7", &text)]);
                        text
                    };
                    texts.map(append).collect::<Vec<_>>()
                })
            })
            .collect();
        let shredder = scope.spawn(|| {
            let mut up_to = 0;
            let mut left = SHREDDINGS;
            // The first ones may come before the first key, which is an error and nothing more.
            while left > 0 && !done.load(Ordering::Relaxed) {
                let head = log.head().expect("a head");
                match keys.shred(&Shredding::of("shop_id:7")) {
                    Ok(_) => (up_to, left) = (head, left - 1),
                    Err(KeyError::UnknownScope { .. }) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            up_to
        });
        let acknowledged: Vec<String> = writers
            .into_iter()
            .flat_map(|writer| writer.join().expect("no panic"))
            .collect();
        done.store(true, Ordering::Relaxed);
        (acknowledged, shredder.join().expect("no panic"))
    });
    let last = put(&log, vec![secret("shop_id:7", "\"last\"")]);

    let events = everything(&log, &query(&[(&["secret"], &[])]));
    assert_eq!(events.len(), acknowledged.len() + 1, "no append is lost");
    let acknowledged: HashSet<&str> = acknowledged.iter().map(String::as_str).collect();
    let mut highest = Uuid::nil();
    for event in &events {
        let key_id = event.encryption_key_id.expect("an encrypted event");
        match event.payload.as_deref() {
            None => assert_ne!(event.position, last),
            Some(text) => {
                assert!(event.position > shredded_up_to, "it was shredded");
                assert!(text == "\"last\"" || acknowledged.contains(text));
                assert!(key_id >= highest, "a key came back");
            }
        }
        highest = highest.max(key_id);
    }
    let key_of_last = events.last().and_then(|event| event.encryption_key_id);
    let readable: HashSet<_> = events
        .iter()
        .filter(|event| event.payload.is_some())
        .map(|event| event.encryption_key_id)
        .collect();
    assert_eq!(readable, HashSet::from([key_of_last]), "one key is alive");
}
