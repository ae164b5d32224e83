//! Conditional appends and idempotency keys.

use std::sync::{Arc, Barrier};

use uuid::Uuid;

use super::*;
use crate::store::{AppendError, Invalid};

#[test]
fn an_append_loses_to_what_came_after_its_boundary_was_read() {
    let Fixture { log, .. } = fixture();
    let on_plan = |after| boundary(&[(&["plan.created"], &["plan_id:1"])], after);
    let create = || vec![event("plan.created", &["plan_id:1"])];
    log.append(create(), &by("create"), &on_plan(0))
        .expect("the first");
    let error = log
        .append(create(), &by("create"), &on_plan(0))
        .expect_err("the second");
    let AppendError::Conflict(conflict) = &error else {
        panic!("not a conflict: {error}")
    };
    assert_eq!(conflict.by, Some((1, "plan.created".to_owned())));
    assert_eq!(
        error.to_string(),
        "event 1 (plan.created) changed the boundary, which had been read at position 0: read \
         again and decide again"
    );
    assert_eq!(log.head().expect("a head"), 1);
    assert_eq!(log.failure(), None, "a conflict is no failure");
    log.append(create(), &by("create"), &on_plan(1))
        .expect("after reading again");
}

#[test]
fn disjoint_boundaries_do_not_conflict() {
    let Fixture { log, .. } = fixture();
    put(
        &log,
        vec![
            event("a", &["x:1"]),
            event("b", &["x:1"]),
            event("a", &["x:2"]),
        ],
    );
    for (event_type, tag) in [("c", "x:1"), ("a", "x:3"), ("a", "y:1"), ("a|x", "x:1")] {
        let boundary = boundary(&[(&[event_type], &[tag])], 0);
        log.append(vec![event("z", &[])], &by("test"), &boundary)
            .expect(event_type);
    }
}

#[test]
fn a_type_that_looks_like_a_type_with_a_tag_is_only_itself() {
    let Fixture { log, .. } = fixture();
    put(
        &log,
        vec![
            event("a", &["x:1|y:1"]),
            event("a|x:1", &["y:1"]),
            event("a|x:1", &[]),
        ],
    );
    assert_eq!(
        positions(&everything(&log, &query(&[(&["a"], &["x:1|y:1"])]))),
        [1]
    );
    assert_eq!(
        positions(&everything(&log, &query(&[(&["a|x:1"], &["y:1"])]))),
        [2]
    );
    assert_eq!(
        positions(&everything(&log, &query(&[(&["a|x:1"], &[])]))),
        [2, 3]
    );
    assert_eq!(
        positions(&everything(&log, &query(&[(&["a"], &["x:1"])]))),
        [0; 0]
    );
}

#[test]
fn a_boundary_without_items_conflicts_with_nothing_and_one_without_terms_with_everything() {
    let Fixture { log, .. } = fixture();
    put(&log, vec![event("a", &[])]);
    log.append(vec![event("b", &[])], &by("test"), &boundary(&[], 0))
        .expect("no boundary");
    let all = boundary(&[(&[], &[])], 1);
    let error = log
        .append(vec![event("c", &[])], &by("test"), &all)
        .expect_err("2 came after 1");
    assert!(matches!(error, AppendError::Conflict(_)), "{error}");
    let all = boundary(&[(&[], &[])], 2);
    log.append(vec![event("c", &[])], &by("test"), &all)
        .expect("2 is the head");
}

#[test]
fn a_boundary_from_the_future_is_refused() {
    let Fixture { log, .. } = fixture();
    let error = log
        .append(vec![event("a", &[])], &by("test"), &boundary(&[], 1))
        .expect_err("1 of 0");
    let AppendError::Invalid(reason) = error else {
        panic!("not invalid: {error}")
    };
    assert_eq!(reason, Invalid::AfterBeyondHead { after: 1, head: 0 });
}

#[test]
fn a_receipt_names_what_was_written() {
    let Fixture { log, .. } = fixture();
    put(&log, vec![event("a", &[])]);
    let receipt = log
        .append(
            vec![event("a", &["x:1"]), event("b", &[])],
            &by("test"),
            &boundary(&[], 0),
        )
        .expect("an append");
    assert_eq!((receipt.position, receipt.ids.len()), (3, 2));
    assert_eq!(
        receipt.timestamp.timestamp_subsec_nanos() % 1_000,
        0,
        "whole microseconds"
    );
    for (id, position) in receipt.ids.iter().zip([2, 3]) {
        assert_eq!(id.get_version_num(), 7);
        let event = log.event(*id).expect("a read").expect("an event");
        assert_eq!(
            (event.position, event.timestamp),
            (position, receipt.timestamp)
        );
    }
}

#[test]
fn of_concurrent_calls_with_one_key_one_commits() {
    const THREADS: usize = 8;
    let Fixture { log, .. } = fixture();
    let (key, start) = (Uuid::now_v7(), Barrier::new(THREADS));
    let call = || {
        let head = log.head().expect("a head");
        assert_eq!(
            log.find_duplicate(key, "sell", &query(&[]), head)
                .expect("a search"),
            None
        );
        start.wait();
        log.append(
            vec![event("sold", &["line:1"])],
            &with_key("sell", key),
            &boundary(&[], head),
        )
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(call)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(
        results
            .iter()
            .flat_map(|r| r.as_ref().err())
            .all(|e| matches!(e, AppendError::Conflict(_)))
    );
    assert_eq!(log.head().expect("a head"), 1);
    assert_eq!(
        log.find_duplicate(key, "sell", &query(&[]), 1)
            .expect("a search"),
        Some(1)
    );
}

#[test]
fn a_key_matches_in_the_query_or_under_the_same_command() {
    let Fixture { log, .. } = fixture();
    let (key, other) = (Uuid::now_v7(), Uuid::now_v7());
    put(&log, vec![event("sold", &["line:1"])]);
    log.append(
        vec![event("sold", &["line:1"]), event("noted", &["line:1"])],
        &with_key("sell", key),
        &boundary(&[], 1),
    )
    .expect("an append");
    let find = |key, command, query: &Query, up_to| {
        log.find_duplicate(key, command, query, up_to)
            .expect("a search")
    };
    let on_line = query(&[(&["sold"], &["line:1"])]);
    let elsewhere = query(&[(&["sold"], &["line:2"])]);
    assert_eq!(
        find(key, "sell", &elsewhere, 3),
        Some(3),
        "the same command"
    );
    assert_eq!(find(key, "refund", &on_line, 3), Some(2), "in the query");
    assert_eq!(find(key, "refund", &elsewhere, 3), None);
    assert_eq!(find(key, "refund", &query(&[]), 3), None);
    assert_eq!(find(key, "sell", &elsewhere, 2), Some(2), "up to 2");
    assert_eq!(find(key, "sell", &elsewhere, 1), None, "up to 1");
    assert_eq!(find(other, "sell", &on_line, 3), None, "another key");
}

#[test]
fn everything_about_an_event_but_its_payload_is_in_its_envelope() {
    let Fixture { log, store, .. } = fixture();
    let provenance = Provenance {
        triggering_event_id: Some(Uuid::now_v7()),
        ..with_key("sell", Uuid::now_v7())
    };
    let given = NewEvent {
        schema_version: 3,
        // Not what a JSON library would write, and so a sign that none touched it.
        payload: "{ \"b\":1.50,\"a\" : 1e2,\"b\":2 }".to_owned(),
        ..event("sold", &["shop_id:7", "line:1", "shop_id:7"])
    };
    let receipt = log
        .append(vec![given.clone()], &provenance, &boundary(&[], 0))
        .expect("an append");
    let found = log
        .event(receipt.ids[0])
        .expect("a read")
        .expect("an event");
    assert_eq!(
        found.tags,
        ["shop_id:7", "line:1"],
        "in their order, once each"
    );
    assert_eq!(found.payload.as_deref(), Some(given.payload.as_str()));
    assert_eq!(
        (found.schema_version, found.author),
        (3, provenance.author.clone())
    );
    assert_eq!(found.correlation_id, provenance.correlation_id);
    assert_eq!(found.causation_id, provenance.causation_id);
    assert_eq!(found.triggering_event_id, provenance.triggering_event_id);
    assert_eq!(found.idempotency_key, provenance.idempotency_key);
    assert_eq!(
        (found.encryption_scope, found.encryption_key_id),
        (None, None)
    );
    let stored = store.state.lock().expect("no panic").events[0]
        .event
        .clone();
    assert_eq!(stored.data, given.payload.as_bytes());
}

#[test]
fn waiters_see_appends_stops_and_what_was_there_before() {
    let Fixture {
        log,
        store,
        _directory,
        ..
    } = fixture();
    put(&log, vec![event("a", &[])]);
    let later = log_on(store, &_directory);
    assert!(
        later.wait_beyond(0, &|| false),
        "written before this handle existed"
    );
    assert!(!later.wait_beyond(0, &|| true), "a stop comes first");
    let stopped = Arc::new(std::sync::atomic::AtomicBool::new(false));
    std::thread::scope(|scope| {
        let stop = Arc::clone(&stopped);
        let stop = move || stop.load(std::sync::atomic::Ordering::SeqCst);
        let (first, second) = (log.clone(), log.clone());
        let appended = scope.spawn(move || first.wait_beyond(1, &|| false));
        let waited = scope.spawn(move || second.wait_beyond(99, &stop));
        put(&log, vec![event("b", &[])]);
        assert!(appended.join().expect("no panic"));
        stopped.store(true, std::sync::atomic::Ordering::SeqCst);
        log.wake();
        assert!(!waited.join().expect("no panic"));
    });
}
