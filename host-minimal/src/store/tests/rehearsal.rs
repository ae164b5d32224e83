//! A log for a component on trial: it begins with a history and repeats itself.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::*;
use crate::store::{AppendError, Author, Rehearsal};

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).expect("a date")
}

/// An event of another log, under `scope`.
fn told(position: u64, scope: Option<&str>, payload: Option<&str>) -> RecordedEvent {
    RecordedEvent {
        id: Uuid::from_u128(100 + u128::from(position)),
        position,
        event_type: "shop.connected".to_owned(),
        tags: vec!["shop_id:7".to_owned()],
        timestamp: at(1_000),
        correlation_id: Uuid::from_u128(1),
        causation_id: Uuid::from_u128(2),
        triggering_event_id: Some(Uuid::from_u128(3)),
        idempotency_key: Some(Uuid::from_u128(4)),
        encryption_scope: scope.map(str::to_owned),
        encryption_key_id: scope.map(|_| Uuid::from_u128(5)),
        schema_version: 2,
        author: Author {
            module: "shops".to_owned(),
            version: "1.0.0".to_owned(),
            command: "connect-shop".to_owned(),
        },
        payload: payload.map(str::to_owned),
    }
}

fn rehearsed(history: Vec<RecordedEvent>) -> (EventLog, TempDir) {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let rehearsal = Rehearsal::new(at(2_000), Uuid::from_u128(0xe000));
    let log = EventLog::rehearsed(history, keys(&directory), rehearsal).expect("a log");
    (log, directory)
}

#[test]
fn a_history_is_read_as_it_was_told() {
    let plain = told(1, None, Some(r#"{"name":"Tea"}"#));
    let secret = told(2, Some("shop_id:7"), Some(r#"{"name":"Kettles"}"#));
    let shredded = told(5, Some("shop_id:7"), None);
    let (log, _directory) = rehearsed(vec![plain.clone(), secret.clone(), shredded.clone()]);
    assert_eq!(log.head().expect("a head"), 5);
    let read = log.everything_after(0).expect("events");
    // The data key is this log's own; that of the shredded event is gone.
    let own = read[1].encryption_key_id;
    assert!(own.is_some() && own != secret.encryption_key_id);
    let secret = RecordedEvent {
        encryption_key_id: own,
        ..secret
    };
    assert_eq!(read, [plain, secret, shredded]);
    let duplicate = log.find_duplicate(Uuid::from_u128(4), "connect-shop", &Query::default(), 5);
    assert_eq!(duplicate.expect("an answer"), Some(5));
}

#[test]
fn ids_and_times_of_new_events_are_known_before() {
    let (log, _directory) = rehearsed(vec![told(3, None, Some("{}"))]);
    let shops: &[(&[&str], &[&str])] = &[(&["shop.connected"], &[])];
    let mut reader = log.read(&query(shops), 0, 3);
    assert_eq!(reader.next_batch(10).expect("events").len(), 1);
    let closed = || event("shop.closed", &["shop_id:7"]);
    let receipt = log
        .append(vec![closed(), closed()], &by("close"), &boundary(shops, 3))
        .expect("appended");
    assert_eq!(receipt.position, 5);
    assert_eq!(receipt.ids, [0xe004, 0xe005].map(Uuid::from_u128));
    assert_eq!(receipt.timestamp, at(2_000));
    let late = log.append(vec![closed()], &by("close"), &boundary(shops, 2));
    assert!(matches!(late, Err(AppendError::Conflict(_))));
    assert_eq!(log.rehearsed_queries(), [query(shops)]);
}
