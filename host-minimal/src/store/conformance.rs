//! What the log relies on in a store, as tests that every store runs.

use std::collections::BTreeSet;
use std::sync::Barrier;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use umadb_dcb::{
    DcbAppendCondition, DcbError, DcbEvent, DcbEventStoreSync, DcbQuery, DcbQueryItem,
    DcbSequencedEvent, TrackingInfo,
};
use uuid::Uuid;

use super::memory::MemoryStore;

/// Runs every check, each on a store of its own.
pub(super) fn check_all<S: DcbEventStoreSync + Send + Sync>(open: &dyn Fn() -> S) {
    an_empty_store_has_no_head(&open());
    positions_are_gapless_from_1(&open());
    items_are_alternatives_and_tags_must_all_match(&open());
    a_read_starts_at_its_position_and_ends_at_its_limit(&open());
    events_come_back_as_they_went_in(&open());
    a_condition_fails_on_what_came_after_and_on_nothing_else(&open());
    a_refused_append_leaves_no_trace(&open());
    of_concurrent_appends_with_one_condition_one_wins(&open());
    concurrent_appends_keep_their_events_together(&open());
    tracking_positions_only_rise(&open());
}

fn event(event_type: &str, tags: &[&str]) -> DcbEvent {
    DcbEvent::new()
        .event_type(event_type)
        .tags(tags.iter().copied())
        .uuid(Uuid::now_v7())
}

fn query(items: &[(&[&str], &[&str])]) -> DcbQuery {
    let item = |(types, tags): &(&[&str], &[&str])| {
        DcbQueryItem::new()
            .types(types.iter().copied())
            .tags(tags.iter().copied())
    };
    DcbQuery::with_items(items.iter().map(item))
}

fn read(store: &dyn DcbEventStoreSync, query: Option<DcbQuery>) -> Vec<DcbSequencedEvent> {
    store
        .read_with_head(query, None, false, None)
        .expect("reading works")
        .0
}

fn positions(events: &[DcbSequencedEvent]) -> Vec<u64> {
    events.iter().map(|stored| stored.position).collect()
}

fn unless(query: DcbQuery, after: u64) -> Option<DcbAppendCondition> {
    Some(DcbAppendCondition::new(query).after(Some(after)))
}

fn an_empty_store_has_no_head(store: &dyn DcbEventStoreSync) {
    assert_eq!(store.head().expect("a head"), None);
    assert!(read(store, None).is_empty());
    assert!(read(store, Some(query(&[(&["a"], &["x:1"])]))).is_empty());
}

fn positions_are_gapless_from_1(store: &dyn DcbEventStoreSync) {
    assert_eq!(
        store.append(vec![event("a", &[])], None, None).expect("1"),
        1
    );
    let three = vec![event("a", &[]), event("b", &[]), event("c", &[])];
    assert_eq!(store.append(three, None, None).expect("2 to 4"), 4);
    assert_eq!(store.head().expect("a head"), Some(4));
    assert_eq!(positions(&read(store, None)), [1, 2, 3, 4]);
}

fn items_are_alternatives_and_tags_must_all_match(store: &dyn DcbEventStoreSync) {
    let events = vec![
        event("a", &["x:1"]),
        event("b", &["x:1"]),
        event("a", &["x:1", "y:1"]),
        event("a", &["y:1"]),
        event("c", &[]),
        event("a", &["x:10"]),
    ];
    store.append(events, None, None).expect("six events");
    let cases: &[(DcbQuery, &[u64])] = &[
        (query(&[(&[], &["x:1"])]), &[1, 2, 3]),
        (query(&[(&["a"], &["x:1"])]), &[1, 3]),
        (query(&[(&["a", "b"], &["x:1"])]), &[1, 2, 3]),
        (query(&[(&["a"], &["x:1", "y:1"])]), &[3]),
        (query(&[(&["b"], &["x:1"]), (&["a"], &["y:1"])]), &[2, 3, 4]),
        (query(&[(&["c"], &[])]), &[5]),
        (query(&[(&["c"], &[]), (&["b"], &["x:1"])]), &[2, 5]),
        (query(&[(&["a"], &["x:2"])]), &[]),
        (query(&[(&["d"], &["x:1"])]), &[]),
        (query(&[(&[], &["x:1"]), (&[], &["x:1"])]), &[1, 2, 3]),
        (query(&[]), &[1, 2, 3, 4, 5, 6]),
    ];
    for (query, expected) in cases {
        assert_eq!(
            positions(&read(store, Some(query.clone()))),
            *expected,
            "{query:?}"
        );
    }
}

fn a_read_starts_at_its_position_and_ends_at_its_limit(store: &dyn DcbEventStoreSync) {
    let events = (0..10).map(|_| event("a", &["x:1"])).collect();
    store.append(events, None, None).expect("ten events");
    for query in [
        None,
        Some(query(&[(&["a"], &["x:1"])])),
        Some(query(&[(&["a"], &[])])),
    ] {
        let read = |start, limit| {
            let found = store
                .read_with_head(query.clone(), start, false, limit)
                .expect("a read");
            positions(&found.0)
        };
        assert_eq!(read(Some(4), Some(3)), [4, 5, 6]);
        assert_eq!(read(Some(9), Some(3)), [9, 10]);
        assert_eq!(read(Some(11), Some(3)), [0; 0]);
        assert_eq!(read(None, Some(2)), [1, 2]);
        assert_eq!(read(Some(8), None), [8, 9, 10]);
        assert_eq!(read(None, Some(0)), [0; 0]);
    }
}

fn events_come_back_as_they_went_in(store: &dyn DcbEventStoreSync) {
    let all_bytes: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    for data in [
        Vec::new(),
        b"{\"a\": 1.0}".to_vec(),
        vec![0; 5_000],
        all_bytes,
    ] {
        let given = event("ä", &["x:ü", "y:"])
            .data(data)
            .metadata([("k", "v"), ("", "ö")]);
        let position = store
            .append(vec![given.clone()], None, None)
            .expect("an append");
        let found = store
            .read_with_head(None, Some(position), false, Some(1))
            .expect("a read")
            .0;
        let found = &found[0].event;
        assert_eq!(found.data, given.data);
        assert_eq!(
            (&found.event_type, &found.tags, found.uuid, &found.metadata),
            (&given.event_type, &given.tags, given.uuid, &given.metadata)
        );
    }
}

fn a_condition_fails_on_what_came_after_and_on_nothing_else(store: &dyn DcbEventStoreSync) {
    let on_x = || query(&[(&["a"], &["x:1"])]);
    let append =
        |event_type, tag, condition| store.append(vec![event(event_type, &[tag])], condition, None);
    append("a", "x:1", unless(on_x(), 0)).expect("the first on an empty store");
    append("a", "x:1", unless(on_x(), 0)).expect_err("position 1 came after 0");
    append("a", "x:1", unless(on_x(), 1)).expect("position 1 had been read");
    append("a", "x:2", unless(query(&[(&["a"], &["x:2"])]), 0)).expect("another tag");
    append("b", "x:1", unless(query(&[(&["b"], &["x:1"])]), 0)).expect("another type");
    append("a", "x:1", unless(on_x(), 2)).expect("only others came after 2");
    append("a", "x:9", unless(query(&[]), 4)).expect_err("an empty query is everything");
    append("a", "x:9", unless(query(&[]), 5)).expect("and 5 is the head");
    let either = || query(&[(&["c"], &["x:1"]), (&["a"], &["x:9"])]);
    let error = append("c", "x:1", unless(either(), 5)).expect_err("the second alternative");
    assert!(matches!(error, DcbError::IntegrityError(_)), "{error}");
}

fn a_refused_append_leaves_no_trace(store: &dyn DcbEventStoreSync) {
    store
        .append(vec![event("a", &["x:1"])], None, None)
        .expect("the first");
    let losers = vec![event("a", &["x:2"]), event("a", &["x:3"])];
    let condition = unless(query(&[(&["a"], &["x:1"])]), 0);
    store
        .append(losers, condition, None)
        .expect_err("a conflict");
    assert_eq!(store.head().expect("a head"), Some(1));
    assert!(read(store, Some(query(&[(&[], &["x:2"]), (&[], &["x:3"])]))).is_empty());
    assert_eq!(
        store
            .append(vec![event("a", &[])], None, None)
            .expect("the next"),
        2
    );
}

fn of_concurrent_appends_with_one_condition_one_wins<S: DcbEventStoreSync + Sync>(store: &S) {
    const THREADS: usize = 8;
    let start = Barrier::new(THREADS);
    let attempt = || {
        start.wait();
        let condition = unless(query(&[(&["a"], &["x:1"])]), 0);
        match store.append(vec![event("a", &["x:1"])], condition, None) {
            Ok(_) => 1,
            Err(DcbError::IntegrityError(_)) => 0,
            Err(other) => panic!("neither written nor in conflict: {other}"),
        }
    };
    let wins: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(attempt)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .sum()
    });
    assert_eq!((wins, store.head().expect("a head")), (1, Some(1)));
}

fn concurrent_appends_keep_their_events_together<S: DcbEventStoreSync + Sync>(store: &S) {
    const THREADS: u64 = 8;
    const APPENDS: u64 = 10;
    let append = |thread: u64| {
        let tag = format!("thread:{thread}");
        let pair = || vec![event("a", &[&tag]), event("b", &[&tag])];
        (0..APPENDS)
            .map(|_| store.append(pair(), None, None).expect("an append"))
            .collect()
    };
    let last: Vec<Vec<u64>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|t| scope.spawn(move || append(t)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    let events = read(store, None);
    assert_eq!(
        positions(&events),
        (1..=2 * THREADS * APPENDS).collect::<Vec<_>>()
    );
    for pair in events.chunks(2) {
        assert_eq!(
            pair[0].event.tags, pair[1].event.tags,
            "at {}",
            pair[0].position
        );
    }
    let distinct: BTreeSet<u64> = last.iter().flatten().copied().collect();
    assert_eq!(
        distinct.len() as u64,
        THREADS * APPENDS,
        "each append has its own position"
    );
    assert!(last.iter().all(|of_thread| of_thread.is_sorted()));
}

fn tracking_positions_only_rise(store: &dyn DcbEventStoreSync) {
    let append = |position| {
        let info = TrackingInfo {
            source: "upstream".to_owned(),
            position,
        };
        store.append(vec![event("a", &[])], None, Some(info))
    };
    append(5).expect("the first");
    assert!(matches!(append(5), Err(DcbError::IntegrityError(_))));
    append(6).expect("a higher one");
    assert_eq!(
        store.get_tracking_info("upstream").expect("a position"),
        Some(6)
    );
    assert_eq!(store.get_tracking_info("other").expect("no position"), None);
    assert_eq!(store.head().expect("a head"), Some(2));
}

/// Does the same random things to a store and to the oracle, and compares every answer.
pub(super) fn check_against_oracle(store: &dyn DcbEventStoreSync, seed: u64, steps: usize) {
    println!("seed {seed}");
    let oracle = MemoryStore::default();
    let mut rng = StdRng::seed_from_u64(seed);
    for step in 0..steps {
        let head = oracle.head().expect("the oracle has a head").unwrap_or(0);
        let position = rng.random_range(0..=head + 1);
        let query = random_query(&mut rng);
        if rng.random_bool(0.5) {
            let events: Vec<_> = (0..rng.random_range(1..4))
                .map(|_| random_event(&mut rng))
                .collect();
            let condition = rng.random_bool(0.7).then_some(DcbAppendCondition {
                fail_if_events_match: query,
                after: Some(position.min(head)),
            });
            let expected = oracle.append(events.clone(), condition.clone(), None);
            let found = store.append(events, condition.clone(), None);
            match (&expected, &found) {
                (Ok(expected), Ok(found)) => assert_eq!(expected, found, "step {step}"),
                (Err(DcbError::IntegrityError(_)), Err(DcbError::IntegrityError(_))) => {}
                _ => panic!("step {step}, {condition:?}: {expected:?} became {found:?}"),
            }
        } else {
            let start = rng.random_bool(0.7).then_some(position);
            let limit = rng.random_bool(0.5).then(|| rng.random_range(0..20));
            let read = |store: &dyn DcbEventStoreSync| {
                let query = Some(query.clone());
                let (events, _) = store
                    .read_with_head(query, start, false, limit)
                    .expect("a read");
                let key = |stored: DcbSequencedEvent| {
                    (stored.position, stored.event.uuid, stored.event.data)
                };
                events.into_iter().map(key).collect::<Vec<_>>()
            };
            assert_eq!(
                read(&oracle),
                read(store),
                "step {step}: {query:?} {start:?} {limit:?}"
            );
        }
    }
    assert_eq!(
        oracle.head().expect("a head"),
        store.head().expect("a head")
    );
}

const TYPES: &[&str] = &["a", "b", "c"];
const TAGS: &[&str] = &["x:1", "x:2", "y:1", "y:2", "z:1"];

fn some<'a>(rng: &mut StdRng, from: &[&'a str], at_most: usize) -> Vec<&'a str> {
    let amount = rng.random_range(0..=at_most);
    from.choose_multiple(rng, amount).copied().collect()
}

fn random_event(rng: &mut StdRng) -> DcbEvent {
    let size = if rng.random_bool(0.1) {
        rng.random_range(3_000..20_000)
    } else {
        20
    };
    let data: Vec<u8> = (0..size).map(|_| rng.random()).collect();
    let event_type = TYPES.choose(rng).copied().unwrap_or_default();
    event(event_type, &some(rng, TAGS, 3)).data(data)
}

fn random_query(rng: &mut StdRng) -> DcbQuery {
    let items = rng.random_range(0..=3);
    DcbQuery::with_items((0..items).map(|_| {
        DcbQueryItem::new()
            .types(some(rng, TYPES, 2))
            .tags(some(rng, TAGS, 2))
    }))
}
