//! The log, mostly on the store that is a list, so that only what is the log's own is tested.

mod append;
mod embedded;
mod encryption;
mod failure;
mod limits;
mod read;
mod rehearsal;
mod shredding;

use std::sync::Arc;

use tempfile::TempDir;
use umadb_dcb::DcbEventStoreSync;
use uuid::Uuid;

use super::memory::MemoryStore;
use super::samples::{by, event};
use super::{Boundary, EventLog, NewEvent, Provenance, Query, QueryItem, RecordedEvent};
use crate::keys::{KeyRing, MasterKey};

/// A log with what it stands on.
struct Fixture {
    log: EventLog,
    store: Arc<MemoryStore>,
    keys: Arc<KeyRing>,
    _directory: TempDir,
}

fn fixture() -> Fixture {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let keys = keys(&directory);
    let store = Arc::new(MemoryStore::default());
    let log = EventLog::new(store.clone(), Arc::clone(&keys));
    Fixture {
        log,
        store,
        keys,
        _directory: directory,
    }
}

fn keys(directory: &TempDir) -> Arc<KeyRing> {
    let master = MasterKey::from_hex(&"ab".repeat(32)).expect("a key");
    Arc::new(KeyRing::open(&directory.path().join("umari.sqlite"), &master).expect("a key ring"))
}

fn log_on(store: Arc<dyn DcbEventStoreSync + Send + Sync>, directory: &TempDir) -> EventLog {
    EventLog::new(store, keys(directory))
}

fn query(items: &[(&[&str], &[&str])]) -> Query {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
    let item = |(types, tags): &(&[&str], &[&str])| QueryItem {
        types: texts(types),
        tags: texts(tags),
    };
    Query {
        items: items.iter().map(item).collect(),
    }
}

fn boundary(items: &[(&[&str], &[&str])], after: u64) -> Boundary {
    Boundary {
        query: query(items),
        after,
    }
}

fn with_key(command: &str, key: Uuid) -> Provenance {
    Provenance {
        idempotency_key: Some(key),
        ..by(command)
    }
}

/// Appends without any condition.
fn put(log: &EventLog, events: Vec<NewEvent>) -> u64 {
    log.append(events, &by("test"), &Boundary::default())
        .expect("an append")
        .position
}

fn everything(log: &EventLog, query: &Query) -> Vec<RecordedEvent> {
    let mut reader = log.read(query, 0, log.head().expect("a head"));
    let mut events = Vec::new();
    loop {
        let batch = reader.next_batch(7).expect("a batch");
        if batch.is_empty() {
            return events;
        }
        events.extend(batch);
    }
}

fn positions(events: &[RecordedEvent]) -> Vec<u64> {
    events.iter().map(|event| event.position).collect()
}
