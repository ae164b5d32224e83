//! What is refused, at each limit and one past it.

use super::*;
use crate::limits;
use crate::store::{AppendError, EventFilter, Invalid, ReadError};

fn refused(events: Vec<NewEvent>) -> Invalid {
    let Fixture { log, .. } = fixture();
    match log.append(events, &by("test"), &Boundary::default()) {
        Err(AppendError::Invalid(reason)) => {
            assert_eq!(log.head().expect("a head"), 0, "nothing was written");
            assert_eq!(log.failure(), None, "a guest cannot fail the store");
            reason
        }
        other => panic!("not invalid: {other:?}"),
    }
}

fn refused_query(query: &Query) -> Invalid {
    let Fixture { log, .. } = fixture();
    let Err(ReadError::Invalid(reason)) = log.read(query, 0, 9).next_batch(1) else {
        panic!("the read is not refused")
    };
    let duplicate = log
        .find_duplicate(Uuid::now_v7(), "test", query, 9)
        .expect_err("a search");
    let boundary = Boundary {
        query: query.clone(),
        after: 0,
    };
    let append = log
        .append(vec![event("a", &[])], &by("test"), &boundary)
        .expect_err("an append");
    assert_eq!(duplicate.to_string(), reason.to_string());
    assert_eq!(append.to_string(), reason.to_string());
    reason
}

#[test]
fn guests_have_no_access_to_reserved_tags() {
    let id = Uuid::now_v7();
    for tag in [
        "umari.",
        "umari.x:1",
        &format!("umari.key:{id}"),
        "umari.type:a|x:1",
    ] {
        let reserved = Invalid::ReservedTag {
            tag: tag.to_owned(),
        };
        assert_eq!(refused(vec![event("a", &[tag])]), reserved);
        assert_eq!(refused_query(&query(&[(&["a"], &[tag])])), reserved);
        assert_eq!(
            refused_query(&query(&[(&["a"], &["x:1"]), (&[], &[tag])])),
            reserved
        );
        let Fixture { log, .. } = fixture();
        let filter = EventFilter {
            tags: vec![tag.to_owned()],
            ..EventFilter::default()
        };
        assert!(matches!(log.search(&filter, 0, 1), Err(ReadError::Invalid(e)) if e == reserved));
    }
    let Fixture { log, .. } = fixture();
    put(
        &log,
        vec![event("a", &["umari:1", "Umari.x:1", "umarix.y:1"])],
    );
}

#[test]
fn tags_and_types_have_a_form() {
    for tag in ["", "x", ":", ":1", "x1"] {
        let malformed = Invalid::MalformedTag {
            tag: tag.to_owned(),
        };
        assert_eq!(refused(vec![event("a", &["x:1", tag])]), malformed);
        assert_eq!(refused_query(&query(&[(&[], &[tag])])), malformed);
    }
    for text in ["x:\n", "x:\0", "x\u{7f}:1", "x:\u{85}"] {
        let control = Invalid::ControlCharacter {
            text: text.to_owned(),
        };
        assert_eq!(refused(vec![event("a", &[text])]), control);
        assert_eq!(refused(vec![event(text, &[])]), control);
        assert_eq!(refused_query(&query(&[(&[text], &[])])), control);
    }
    assert_eq!(
        refused(vec![event("a", &[]), event("", &[])]),
        Invalid::EmptyType
    );
    assert_eq!(
        refused_query(&query(&[(&[""], &["x:1"])])),
        Invalid::EmptyType
    );
    let Fixture { log, .. } = fixture();
    put(&log, vec![event("ä b", &["x:", "x:a:b", "名:値", "x: "])]);
}

#[test]
fn events_without_sense_are_refused() {
    assert_eq!(refused(Vec::new()), Invalid::NoEvents);
    let event_type = || "a".to_owned();
    let unversioned = NewEvent {
        schema_version: 0,
        ..event("a", &[])
    };
    assert_eq!(
        refused(vec![unversioned]),
        Invalid::SchemaVersionZero {
            event_type: event_type()
        }
    );
    let scope = "shop_id:8".to_owned();
    let strange = NewEvent {
        encryption_scope: Some(scope.clone()),
        ..event("a", &["shop_id:7"])
    };
    assert_eq!(
        refused(vec![strange]),
        Invalid::ScopeNotATag {
            event_type: event_type(),
            scope
        }
    );
}

#[test]
fn an_append_has_so_many_events() {
    let Fixture { log, .. } = fixture();
    let events = |count| vec![event("a", &[]); count];
    assert_eq!(
        put(&log, events(limits::APPEND_EVENTS)),
        limits::APPEND_EVENTS as u64
    );
    let count = limits::APPEND_EVENTS + 1;
    assert_eq!(refused(events(count)), Invalid::TooManyEvents { count });
}

#[test]
fn types_and_tags_are_so_long() {
    let Fixture { log, .. } = fixture();
    let longest = "a".repeat(limits::EVENT_TYPE_BYTES);
    let tag = format!("x:{}", "a".repeat(limits::TAG_BYTES - 2));
    put(&log, vec![event(&longest, &[]), event("a", &[&tag])]);
    assert_eq!(
        positions(&everything(
            &log,
            &query(&[(&[&longest], &[]), (&["a"], &[&tag])])
        )),
        [1, 2]
    );

    let error = refused(vec![event(&format!("{longest}a"), &[])]);
    assert!(
        matches!(error, Invalid::TypeTooLong { bytes: 256, .. }),
        "{error}"
    );
    let error = refused(vec![event("a", &[&format!("{tag}a")])]);
    assert!(
        matches!(error, Invalid::TagTooLong { bytes: 1_025, .. }),
        "{error}"
    );
    assert!(
        error.to_string().len() < 300,
        "an error does not repeat what is too long: {error}"
    );
}

/// An event whose type and tags take this many bytes in the store, for a command without key.
pub(super) fn event_with_head(bytes: usize) -> NewEvent {
    const ID: usize = "umari.id:".len() + 36 + 2;
    const CORRELATION: usize = "umari.correlation:".len() + 36 + 2;
    const TYPE: usize = "a".len() + "umari.type:a".len() + 2;
    /// What a tag takes beside twice its length, for itself and its pair with the type.
    const PAIR: usize = "umari.type:a|".len() + 2 * 2;
    let left = bytes - ID - CORRELATION - TYPE;
    // Each tag adds an odd number, so one amount of tags or the other comes out even.
    let amount = if (left - 3 * PAIR).is_multiple_of(2) {
        3
    } else {
        4
    };
    let mut letters = (left - amount * PAIR) / 2;
    let tags: Vec<String> = (0..amount)
        .map(|index| {
            let length = letters / (amount - index);
            letters -= length;
            format!("{index}:{}", "x".repeat(length - 2))
        })
        .collect();
    event("a", &tags.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn all_tags_of_an_event_fit_in_a_page_of_the_store() {
    let Fixture { log, .. } = fixture();
    put(&log, vec![event_with_head(limits::EVENT_HEAD_BYTES)]);
    let error = refused(vec![event_with_head(limits::EVENT_HEAD_BYTES + 1)]);
    assert!(error.to_string().contains("take 4033 bytes"), "{error}");
    assert!(
        error.to_string().contains("at most 4032 are allowed"),
        "{error}"
    );
}

#[test]
fn payloads_are_so_large() {
    let Fixture { log, .. } = fixture();
    let sized = |bytes| NewEvent {
        payload: "x".repeat(bytes),
        ..event("a", &[])
    };
    let largest = || sized(limits::EVENT_PAYLOAD_BYTES);
    put(
        &log,
        vec![largest(); limits::APPEND_PAYLOAD_BYTES / limits::EVENT_PAYLOAD_BYTES],
    );
    let bytes = limits::EVENT_PAYLOAD_BYTES + 1;
    let event_type = "a".to_owned();
    assert_eq!(
        refused(vec![sized(bytes)]),
        Invalid::PayloadTooLarge { event_type, bytes }
    );
    let mut many = vec![largest(); limits::APPEND_PAYLOAD_BYTES / limits::EVENT_PAYLOAD_BYTES];
    many.push(sized(1));
    let bytes = limits::APPEND_PAYLOAD_BYTES + 1;
    assert_eq!(refused(many), Invalid::AppendTooLarge { bytes });
    // What is large comes in smaller pages, all of it.
    assert_eq!(everything(&log, &query(&[(&[], &[])])).len(), 8);
}

#[test]
fn queries_have_so_many_items_and_terms() {
    let Fixture { log, .. } = fixture();
    put(&log, vec![event("a", &["x:1"])]);
    let item = query(&[(&["a"], &["x:1"])]).items.remove(0);
    let items = |count| Query {
        items: vec![item.clone(); count],
    };
    assert_eq!(everything(&log, &items(limits::QUERY_ITEMS)).len(), 1);
    let count = limits::QUERY_ITEMS + 1;
    assert_eq!(
        refused_query(&items(count)),
        Invalid::TooManyQueryItems { count }
    );

    let terms = |types: usize, tags: usize| Query {
        items: vec![QueryItem {
            types: (0..types).map(|n| format!("t{n}")).collect(),
            tags: (0..tags).map(|n| format!("x:{n}")).collect(),
        }],
    };
    assert_eq!(everything(&log, &terms(limits::QUERY_TERMS / 64, 64)), []);
    assert_eq!(everything(&log, &terms(0, limits::QUERY_TERMS)), []);
    let count = limits::QUERY_TERMS + 1;
    assert_eq!(
        refused_query(&terms(count, 0)),
        Invalid::TooManyQueryTerms { count }
    );
    assert_eq!(
        refused_query(&terms(1, count)),
        Invalid::TooManyQueryTerms { count }
    );
}

#[test]
fn a_search_returns_so_many_events() {
    let Fixture { log, .. } = fixture();
    put(&log, vec![event("a", &[]); limits::SEARCH_EVENTS]);
    put(&log, vec![event("a", &[])]);
    let found = log
        .search(&EventFilter::default(), 0, usize::MAX)
        .expect("a search");
    assert_eq!(found.len(), limits::SEARCH_EVENTS);
}
