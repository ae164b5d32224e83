//! Reading, searching, and events that are not as they were written.

use umadb_dcb::DcbEvent;

use super::*;
use crate::store::{EventFilter, ReadError};

#[test]
fn a_reader_ends_where_it_was_told_to_whatever_is_appended_meanwhile() {
    let Fixture { log, .. } = fixture();
    put(&log, vec![event("a", &["x:1"]); 10]);
    let mut reader = log.read(&query(&[(&["a"], &["x:1"])]), 3, 8);
    assert_eq!(positions(&reader.next_batch(2).expect("a batch")), [4, 5]);
    put(&log, vec![event("a", &["x:1"]); 10]);
    assert_eq!(
        positions(&reader.next_batch(100).expect("a batch")),
        [6, 7, 8]
    );
    assert_eq!(reader.next_batch(100).expect("the end"), []);
    assert_eq!(reader.next_batch(100).expect("still the end"), []);
}

#[test]
fn a_query_without_items_reads_nothing_and_one_without_terms_everything() {
    let Fixture { log, .. } = fixture();
    put(&log, vec![event("a", &[]), event("b", &["x:1"])]);
    assert_eq!(everything(&log, &Query::default()), []);
    assert_eq!(
        positions(&everything(&log, &query(&[(&["b"], &[]), (&[], &[])]))),
        [1, 2]
    );
}

#[test]
fn queries_find_what_matches_them() {
    let Fixture { log, .. } = fixture();
    let tags: &[&[&str]] = &[&[], &["x:1"], &["x:2"], &["x:1", "y:1"], &["y:1"]];
    for event_type in ["a", "b", "c"] {
        put(
            &log,
            tags.iter().map(|tags| event(event_type, tags)).collect(),
        );
    }
    let all = everything(&log, &query(&[(&[], &[])]));
    let queries = [
        query(&[(&["a"], &["x:1"])]),
        query(&[(&["a", "b"], &["x:1", "y:1"])]),
        query(&[(&["a", "a"], &["x:1", "x:1"])]),
        query(&[(&["a", "c"], &[])]),
        query(&[(&[], &["y:1"]), (&["b"], &["x:2"])]),
        query(&[(&["d"], &["x:1"]), (&["a"], &["x:3"])]),
        query(&[(&["b"], &[]), (&[], &["x:1"]), (&["c"], &["y:1"])]),
    ];
    for query in queries {
        let expected: Vec<u64> = (all.iter())
            .filter(|event| query.matches(&event.event_type, &event.tags))
            .map(|event| event.position)
            .collect();
        assert_eq!(positions(&everything(&log, &query)), expected, "{query:?}");
    }
}

#[test]
fn searches_meet_every_condition() {
    let Fixture { log, .. } = fixture();
    let chain = by("first");
    let append = |provenance: &Provenance| {
        let events = vec![
            event("a", &["x:1"]),
            event("b", &["x:1"]),
            event("a", &["x:2"]),
        ];
        log.append(events, provenance, &Boundary::default())
            .expect("an append");
    };
    append(&chain);
    append(&by("unrelated"));
    append(&Provenance {
        correlation_id: chain.correlation_id,
        ..by("second")
    });
    let search = |types: &[&str], tags: &[&str], correlation_id, after, limit| {
        let QueryItem { types, tags } = query(&[(types, tags)]).items.remove(0);
        let filter = EventFilter {
            types,
            tags,
            correlation_id,
        };
        positions(&log.search(&filter, after, limit).expect("a search"))
    };
    let chain = Some(chain.correlation_id);
    assert_eq!(search(&[], &[], None, 0, 100), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(search(&[], &[], None, 4, 2), [5, 6]);
    assert_eq!(search(&["a"], &[], None, 0, 100), [1, 3, 4, 6, 7, 9]);
    assert_eq!(search(&["a", "b"], &["x:1"], None, 2, 3), [4, 5, 7]);
    assert_eq!(search(&[], &[], chain, 0, 100), [1, 2, 3, 7, 8, 9]);
    assert_eq!(search(&["a"], &["x:1"], chain, 0, 100), [1, 7]);
    assert_eq!(search(&["a"], &["x:1"], chain, 1, 1), [7]);
    assert_eq!(search(&["a"], &[], None, 0, 0), [0; 0]);
    assert_eq!(search(&[], &[], Some(Uuid::now_v7()), 0, 100), [0; 0]);
}

#[test]
fn an_unknown_id_is_no_event() {
    let Fixture { log, .. } = fixture();
    put(&log, vec![event("a", &[])]);
    assert_eq!(log.event(Uuid::now_v7()).expect("a read"), None);
}

#[test]
fn what_umari_did_not_write_is_named_and_not_passed_over() {
    let Fixture { log, store, .. } = fixture();
    put(&log, vec![event("a", &[])]);
    let foreign = DcbEvent::new().event_type("a").uuid(Uuid::now_v7());
    store
        .append(vec![foreign], None, None)
        .expect("an append past the log");
    put(&log, vec![event("a", &[])]);

    let mut reader = log.read(&query(&[(&[], &[])]), 0, 3);
    assert_eq!(
        positions(&reader.next_batch(10).expect("what comes before it")),
        [1]
    );
    for _ in 0..2 {
        let error = reader.next_batch(10).expect_err("a foreign event");
        assert_eq!(
            error.to_string(),
            "the event at position 2 is not one that umari wrote: it has no timestamp"
        );
    }
}

#[test]
fn an_envelope_that_has_been_changed_is_malformed() {
    let Fixture { log, store, .. } = fixture();
    for name in [
        "timestamp",
        "correlation-id",
        "causation-id",
        "schema-version",
    ] {
        let position = put(&log, vec![event("a", &[])]);
        let change = |value: &str| {
            let mut state = store.state.lock().expect("no panic");
            let entries = &mut state.events.last_mut().expect("an event").event.metadata;
            entries
                .iter_mut()
                .find(|(key, _)| key == name)
                .expect(name)
                .1 = value.to_owned();
        };
        for value in ["", "x", "-", "99999999999999999999", "9223372036854775807 "] {
            change(value);
            let error = log
                .read(&query(&[(&[], &[])]), position - 1, position)
                .next_batch(1);
            let error = error.expect_err(value);
            assert!(
                matches!(error, ReadError::Malformed { position: p, .. } if p == position),
                "{error}"
            );
        }
        if name == "timestamp" {
            change(&i64::MAX.to_string());
            let error = log
                .read(&query(&[(&[], &[])]), position - 1, position)
                .next_batch(1);
            assert!(
                error
                    .expect_err("year 294247")
                    .to_string()
                    .contains("out of range")
            );
        }
    }
}
