//! The log against its contract (`wit/umari-command`), call by call.

use std::rc::Rc;

use umari::host::{AsOf, NewEvent, QueryItem, TransactionError};
use umari::prelude::{DateTime, Uuid};

use super::{Condition, Log, Origin, check_query, matches, matches_any};

fn event(event_type: &str, tags: &[&str]) -> NewEvent {
    NewEvent {
        event_type: event_type.to_owned(),
        schema_version: 1,
        tags: tags.iter().map(ToString::to_string).collect(),
        encryption_scope: None,
        payload: "{}".to_owned(),
    }
}

fn item(types: &[&str], tags: &[&str]) -> QueryItem {
    QueryItem {
        types: types.iter().map(ToString::to_string).collect(),
        tags: tags.iter().map(ToString::to_string).collect(),
    }
}

fn origin(command: &str, key: Option<u128>) -> Origin {
    Origin {
        command: command.into(),
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        triggering_event_id: None,
        idempotency_key: key.map(Uuid::from_u128),
        timestamp: DateTime::UNIX_EPOCH,
    }
}

fn condition(query: &[QueryItem], command: &str, key: Option<u128>, after: u64) -> Condition {
    Condition {
        query: query.into(),
        command: command.into(),
        idempotency_key: key.map(Uuid::from_u128),
        after,
    }
}

fn log(events: &[NewEvent]) -> Log {
    let mut log = Log::default();
    for event in events {
        log.append(vec![event.clone()], &origin("given", None))
            .expect("an append");
    }
    log
}

#[test]
fn an_item_matches_one_type_and_every_tag() {
    let tags = ["shop:1".to_owned(), "plan:2".to_owned()];
    assert!(matches(&item(&["a", "b"], &["plan:2"]), "b", &tags));
    assert!(matches(&item(&[], &["plan:2", "shop:1"]), "c", &tags));
    assert!(matches(&item(&["a"], &[]), "a", &tags));
    assert!(matches(&item(&[], &[]), "a", &[]));
    assert!(!matches(&item(&["a"], &["plan:2", "plan:3"]), "a", &tags));
    assert!(!matches(&item(&["a"], &[]), "b", &tags));
    assert!(!matches(&item(&["a"], &["shop:11"]), "a", &tags));
}

#[test]
fn an_empty_query_matches_nothing() {
    assert!(!matches_any(&[], "a", &[]));
    let log = log(&[event("a", &[])]);
    assert!(log.read(&[], AsOf::Position(1)).is_empty());
    assert!(log.conflict(&condition(&[], "c", None, 0)).is_none());
}

#[test]
fn positions_have_no_gaps_and_reads_keep_their_order() {
    let log = log(&[
        event("a", &["x:1"]),
        event("b", &["x:1"]),
        event("a", &["x:2"]),
    ]);
    let positions = |query: &[QueryItem], bound| -> Vec<u64> {
        log.read(query, AsOf::Position(bound))
            .iter()
            .map(|event| event.position)
            .collect()
    };
    let both = [item(&["a"], &[]), item(&[], &["x:1"])];
    assert_eq!(
        positions(&both, 3),
        [1, 2, 3],
        "an event that two items match comes once"
    );
    assert_eq!(positions(&both, 2), [1, 2]);
    assert_eq!(positions(&both, 0), [0_u64; 0]);
}

#[test]
fn positions_that_are_skipped_are_never_read() {
    let mut log = log(&[event("a", &["x:1"])]);
    log.skip(3);
    assert_eq!(log.head(), 4);
    log.append(vec![event("a", &["x:2"])], &origin("given", None))
        .expect("an append");
    let positions = |after| -> Vec<u64> { log.after(after).map(|event| event.position).collect() };
    assert_eq!(log.head(), 5);
    assert_eq!(positions(0), [1, 5]);
    for after in 1..5 {
        assert_eq!(positions(after), [5]);
        let conflict = log.conflict(&condition(&[item(&["a"], &[])], "c", None, after));
        assert_eq!(conflict.map(|event| event.position), Some(5));
    }
    assert_eq!(positions(5), [0_u64; 0]);
    let query = [item(&["a"], &[])];
    assert_eq!(log.read(&query, AsOf::Position(4)).len(), 1);
    assert_eq!(log.read(&query, AsOf::Position(5)).len(), 2);
}

#[test]
fn a_conflict_is_a_match_after_the_head() {
    let log = log(&[event("a", &["x:1"]), event("a", &["x:2"])]);
    let query = [item(&["a"], &["x:2"])];
    assert!(log.conflict(&condition(&query, "c", None, 1)).is_some());
    assert!(log.conflict(&condition(&query, "c", None, 2)).is_none());
    assert!(
        log.conflict(&condition(&[item(&["a"], &["x:1"])], "c", None, 1))
            .is_none()
    );
}

#[test]
fn a_key_is_found_in_scope_or_by_command() {
    let mut log = Log::default();
    log.append(vec![event("a", &["x:1"])], &origin("sell", Some(7)))
        .expect("an append");
    let in_scope = [item(&["a"], &[])];
    let elsewhere = [item(&["b"], &[])];
    assert_eq!(
        log.duplicate(&condition(&in_scope, "other", Some(7), 1)),
        Some(1)
    );
    assert_eq!(
        log.duplicate(&condition(&elsewhere, "sell", Some(7), 1)),
        Some(1)
    );
    assert_eq!(
        log.duplicate(&condition(&elsewhere, "other", Some(7), 1)),
        None
    );
    assert_eq!(
        log.duplicate(&condition(&in_scope, "sell", Some(8), 1)),
        None
    );
    assert_eq!(log.duplicate(&condition(&in_scope, "sell", None, 1)), None);
    // Two calls with one key that ran at the same moment: the second must not commit.
    assert!(
        log.conflict(&condition(&elsewhere, "sell", Some(7), 0))
            .is_some()
    );
}

#[test]
fn an_append_is_refused_as_a_whole() {
    let mut encrypted = event("a", &["x:1"]);
    encrypted.encryption_scope = Some("x:2".to_owned());
    let mut unversioned = event("a", &[]);
    unversioned.schema_version = 0;
    let mut broken = event("a", &[]);
    broken.payload = "{".to_owned();
    for wrong in [
        event("", &[]),
        event("a", &["umari.key:1"]),
        event("a", &["no-value"]),
        encrypted,
        unversioned,
        broken,
    ] {
        let mut log = Log::default();
        let refused = log.append(vec![event("good", &[]), wrong], &origin("c", None));
        assert!(
            matches!(refused, Err(TransactionError::Invalid(_))),
            "{refused:?}"
        );
        assert_eq!(log.head(), 0);
    }
    assert!(
        Log::default()
            .append(Vec::new(), &origin("c", None))
            .is_err()
    );
    assert!(check_query(&[item(&[], &["umari.key:1"])]).is_err());
}

#[test]
fn a_shredded_scope_gets_another_key() {
    let mut log = Log::default();
    let mut secret = event("a", &["x:1"]);
    secret.encryption_scope = Some("x:1".to_owned());
    log.append(vec![secret.clone()], &origin("c", None))
        .expect("an append");
    assert_eq!(log.shred("x:1"), 1);
    assert_eq!(log.shred("x:2"), 0);
    log.append(vec![secret], &origin("c", None))
        .expect("an append");
    let events: Vec<_> = log.events().collect();
    assert_eq!(events[0].payload, None);
    assert!(events[1].payload.is_some());
    assert_ne!(events[0].encryption_key_id, events[1].encryption_key_id);
}

#[test]
fn a_clone_is_a_snapshot() {
    let mut log = log(&[event("a", &[])]);
    let snapshot = log.clone();
    log.append(vec![event("b", &[])], &origin("c", None))
        .expect("an append");
    assert_eq!((snapshot.head(), log.head()), (1, 2));
    assert!(Rc::ptr_eq(&snapshot.entries[0], &log.entries[0]));
}
