//! Backups, and what restores make of them.

mod damage;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use umadb_dcb::{DcbEventStoreSync, DcbSequencedEvent};
use uuid::Uuid;

use super::format::{Chain, Record, Tally};
use super::*;
use crate::data_dir::{DataDir, DataDirError};
use crate::keys::{KeyRing, MasterKey};
use crate::store::samples::by;
use crate::store::{Boundary, EmbeddedStore, EventLog, NewEvent, Pages, Provenance};
use crate::{Host, HostConfig, StartError};

/// A data directory, and what is put into its log.
struct Source {
    directory: TempDir,
}

impl Source {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        Self { directory }
    }

    /// With events in several batches: plain, encrypted, with a key and with a trigger.
    fn with_events(count: u64) -> Self {
        let source = Self::new();
        source.append(0..count);
        source
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn keys(data_dir: &DataDir) -> KeyRing {
        let master = MasterKey::in_file(data_dir.master_key());
        KeyRing::open(&data_dir.database(), &master).expect("keys")
    }

    /// Writes as if the scope's keys had been shredded up to now.
    fn shred(&self, scope: &str) {
        let connection = crate::data_dir::open_database(&self.root().join("umari.sqlite"));
        let connection = connection.expect("a database");
        let shred =
            "INSERT INTO shredded_scope SELECT scope, max(id) FROM data_key WHERE scope = ?1";
        connection.execute(shred, [scope]).expect("a record");
    }

    fn append(&self, numbers: std::ops::Range<u64>) {
        let data_dir = DataDir::open(self.root()).expect("a data directory");
        let keys = Self::keys(&data_dir);
        let store = Arc::new(EmbeddedStore::open(&data_dir.events()).expect("a store"));
        let log = EventLog::new(store, Arc::new(keys));
        for number in numbers {
            let scope = format!("person:{}", number % 3);
            let event = NewEvent {
                event_type: format!("thing.{}", number % 5),
                schema_version: 1,
                tags: vec![scope.clone(), format!("order:\u{e4} {number}")],
                encryption_scope: (number % 2 == 1).then_some(scope),
                payload: format!("{{\"text\": \"a\\u0000 \\\"b\\\"\n\", \"number\":  {number}}}"),
            };
            let provenance = Provenance {
                correlation_id: Uuid::from_u128(u128::from(number)),
                triggering_event_id: (number % 4 == 0).then(Uuid::now_v7),
                idempotency_key: (number % 7 == 0).then(Uuid::now_v7),
                ..by("do-things")
            };
            log.append(vec![event], &provenance, &Boundary::default())
                .expect("an event");
        }
    }

    fn back_up(&self, request: &Request) -> Vec<u8> {
        let mut lines = Vec::new();
        back_up_directory(&self.root(), request, &mut lines).expect("a backup");
        lines
    }

    /// A file with a backup.
    fn file(&self, name: &str, request: &Request) -> PathBuf {
        self.write(name, &self.back_up(request))
    }

    fn write(&self, name: &str, lines: &[u8]) -> PathBuf {
        let path = self.directory.path().join(name);
        fs::write(&path, lines).expect("written");
        path
    }

    /// A directory for a restore.
    fn target(&self) -> PathBuf {
        self.directory.path().join("restored")
    }
}

fn outline_of(lines: &[u8]) -> Result<Outline, Damage> {
    outline(&mut &*lines, &mut |_, _| {})
}

fn restored(target: &Path, files: &[PathBuf]) -> Result<Restored, RestoreError> {
    restore(target, files, &mut |_, _| {})
}

/// Everything that a store holds, as it holds it.
fn everything(root: &Path) -> Vec<String> {
    let data_dir = DataDir::open(root).expect("a data directory");
    let store: Arc<dyn DcbEventStoreSync + Send + Sync> =
        Arc::new(EmbeddedStore::open(&data_dir.events()).expect("a store"));
    let mut pages = Pages::everything(store, 0, u64::MAX);
    let mut events = Vec::new();
    loop {
        let page = pages.next(100).expect("a page");
        if page.is_empty() {
            return events;
        }
        events.extend(page.iter().map(
            |DcbSequencedEvent {
                 position, event, ..
             }| { format!("{position} {event:?}") },
        ));
    }
}

fn keys(root: &Path) -> Vec<String> {
    let (connection, _) = crate::data_dir::read_database(&root.join("umari.sqlite")).expect("one");
    let mut select = connection
        .prepare(
            "SELECT hex(id) || scope || hex(wrapped) || created_at || messages || retired
             FROM data_key UNION ALL SELECT hex(proof) FROM master_key ORDER BY 1",
        )
        .expect("a query");
    let rows = select.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

#[test]
fn a_restore_equals_the_original() {
    let source = Source::with_events(120);
    let file = source.file("full.jsonl", &Request::default());
    let done = restored(&source.target(), &[file]).expect("a restore");
    assert_eq!((done.head, done.events, done.events_before), (120, 120, 0));
    assert_eq!(done.keys, Some(3));
    assert_eq!(everything(&source.target()), everything(&source.root()));
    assert_eq!(keys(&source.target()), keys(&source.root()));

    // Encrypted payloads can be read as soon as the master key is there.
    let missing = Host::start(HostConfig::new(source.target())).unwrap_err();
    assert!(matches!(missing, StartError::Keys(_)), "{missing}");
    let key = source.root().join("master.key");
    fs::copy(key, source.target().join("master.key")).expect("copied");
    let payloads = |root: PathBuf| {
        let host = Host::start(HostConfig::new(root)).expect("a host");
        let events = host.events(&Default::default(), 0, 1_000).expect("events");
        host.shutdown(std::time::Duration::from_secs(10));
        events
    };
    let events = payloads(source.target());
    assert!(events.iter().all(|event| event.payload.is_some()));
    assert_eq!(events, payloads(source.root()));
}

#[test]
fn pieces_make_the_whole() {
    let source = Source::with_events(10);
    let first = source.back_up(&Request::default());
    let outline = outline_of(&first).expect("a backup");
    let mut files = vec![source.write("1.jsonl", &first)];
    source.append(10..25);
    let next = Request {
        after: outline.head,
        after_id: outline.head_id,
        ..Request::default()
    };
    files.push(source.file("2.jsonl", &next));
    // One without anything new is one all the same.
    let last = outline_of(&source.back_up(&Request::default())).expect("a backup");
    let nothing = Request {
        after: last.head,
        after_id: last.head_id,
        ..Request::default()
    };
    files.push(source.file("3.jsonl", &nothing));
    let done = restored(&source.target(), &files).expect("a restore");
    assert_eq!((done.head, done.events), (25, 25));
    assert_eq!(everything(&source.target()), everything(&source.root()));

    // The same in two steps, the second onto a log that is there.
    let other = source.directory.path().join("in-steps");
    restored(&other, &files[..1]).expect("a restore");
    let done = restored(&other, &files[1..]).expect("another");
    assert_eq!((done.head, done.events), (25, 15));
    assert_eq!(everything(&other), everything(&source.root()));
    assert_eq!(keys(&other), keys(&source.root()));
}

#[test]
fn an_empty_log_is_backed_up_too() {
    let source = Source::with_events(0);
    let file = source.file("empty.jsonl", &Request::default());
    let done = restored(&source.target(), &[file]).expect("a restore");
    assert_eq!((done.head, done.events), (0, 0));
    Host::start(HostConfig::new(source.target())).unwrap_err();
}

#[test]
fn keys_are_left_out_on_request() {
    let source = Source::with_events(4);
    let without = Request {
        keys: Keys::None,
        ..Request::default()
    };
    let lines = source.back_up(&without);
    assert_eq!(outline_of(&lines).expect("a backup").keys, None);
    let text = String::from_utf8(lines.clone()).expect("text");
    assert!(
        !text.contains("wrapped") && !text.contains("proof"),
        "{text}"
    );
    let file = source.write("without.jsonl", &lines);
    let done = restored(&source.target(), &[file]).expect("a restore");
    assert_eq!((done.events, done.keys), (4, None));
    assert_eq!(everything(&source.target()), everything(&source.root()));
}

#[test]
fn what_was_shredded_stays_so() {
    let source = Source::with_events(6);
    // As it is when a scope is shredded between the reading of its key and of the record.
    source.shred("person:1");
    let lines = source.back_up(&Request::default());
    let outline = outline_of(&lines).expect("a backup");
    assert_eq!((outline.keys, outline.shredded), (Some(3), 1));
    let file = source.write("full.jsonl", &lines);
    let done = restored(&source.target(), &[file]).expect("a restore");
    assert_eq!(
        done.keys,
        Some(2),
        "a key that was shredded is not brought back"
    );
    let key = source.root().join("master.key");
    fs::copy(key, source.target().join("master.key")).expect("copied");
    let host = Host::start(HostConfig::new(source.target())).expect("a host");
    let events = host
        .events(&Default::default(), 0, 100)
        .expect("events, one without data");
    let shredded = events.iter().filter(|event| event.payload.is_none());
    assert_eq!(shredded.count(), 1);
}

#[test]
fn a_backup_of_another_log_is_not_gone_on_with() {
    let (source, other) = (Source::with_events(3), Source::with_events(3));
    let outline = outline_of(&other.back_up(&Request::default())).expect("a backup");
    let mut request = Request {
        after: outline.head,
        after_id: outline.head_id,
        ..Request::default()
    };
    let refused = back_up_directory(&source.root(), &request, &mut Vec::new()).unwrap_err();
    assert!(
        matches!(refused, BackupError::OtherLog { after: 3 }),
        "{refused}"
    );
    request.after = 4;
    let refused = back_up_directory(&source.root(), &request, &mut Vec::new()).unwrap_err();
    let beyond = matches!(refused, BackupError::BeyondHead { after: 4, head: 3 });
    assert!(beyond, "{refused}");
    let nowhere = source.directory.path().join("nowhere");
    let refused = back_up_directory(&nowhere, &Request::default(), &mut Vec::new()).unwrap_err();
    assert!(
        matches!(refused, BackupError::NothingThere { .. }),
        "{refused}"
    );
    assert!(!nowhere.exists());

    let first = other.file("first.jsonl", &Request::default());
    let piece = |source: &Source, after| {
        source.append(3..5);
        source.file(
            "piece.jsonl",
            &Request {
                after,
                ..Request::default()
            },
        )
    };
    let theirs = piece(&source, 3);
    let refused = restored(&source.target(), &[first.clone(), theirs.clone()]).unwrap_err();
    assert!(
        matches!(refused, RestoreError::NotConsecutive { .. }),
        "{refused}"
    );
    assert!(refused.to_string().contains("of another log"), "{refused}");
    assert!(
        !source.target().exists(),
        "nothing is made before the files are right"
    );
    restored(&source.target(), std::slice::from_ref(&first)).expect("a restore");
    let refused = restored(&source.target(), &[theirs]).unwrap_err();
    assert!(
        matches!(
            refused,
            RestoreError::OtherLog {
                head: 3,
                after: 3,
                ..
            }
        ),
        "{refused}"
    );
    let gap = piece(&other, 4);
    let refused = restored(&source.target(), std::slice::from_ref(&gap)).unwrap_err();
    assert!(
        matches!(
            refused,
            RestoreError::OtherLog {
                head: 3,
                after: 4,
                ..
            }
        ),
        "{refused}"
    );
    let refused = restored(&source.directory.path().join("new"), &[gap]).unwrap_err();
    assert!(
        matches!(
            refused,
            RestoreError::OtherLog {
                head: 0,
                after: 4,
                ..
            }
        ),
        "{refused}"
    );
}

#[test]
fn only_an_empty_directory_takes_a_whole_log() {
    let source = Source::with_events(2);
    let file = source.file("full.jsonl", &Request::default());
    let files = [file];
    restored(&source.target(), &files).expect("a restore");
    let refused = restored(&source.target(), &files).unwrap_err();
    assert!(
        matches!(refused, RestoreError::NotEmpty { .. }),
        "{refused}"
    );
    let foreign = source.directory.path().join("letters");
    fs::create_dir(&foreign).expect("created");
    fs::write(foreign.join("letter.txt"), "dear").expect("written");
    let refused = restored(&foreign, &files).unwrap_err();
    assert!(
        matches!(refused, RestoreError::NotEmpty { .. }),
        "{refused}"
    );
    assert_eq!(fs::read_dir(&foreign).expect("entries").count(), 1);
    let none = restored(&source.target(), &[]).unwrap_err();
    assert!(matches!(none, RestoreError::NoFile), "{none}");
    let missing = restored(&source.target(), &[foreign.join("no.jsonl")]).unwrap_err();
    assert!(matches!(missing, RestoreError::Open { .. }), "{missing}");
}

#[test]
fn no_host_starts_on_half_a_log_and_a_restore_goes_on() {
    let source = Source::with_events(40);
    let file = source.file("full.jsonl", &Request::default());
    // Where a crash in the middle leaves it: some events, no keys, and the note.
    let half = source.directory.path().join("half.jsonl");
    let short = Source::new();
    fs::create_dir_all(short.root()).expect("created");
    let lines = fs::read_to_string(&file).expect("read");
    let cut: Vec<&str> = lines.lines().take(18).collect();
    fs::write(&half, relinked(&cut, 17)).expect("written");
    restored(&source.target(), std::slice::from_ref(&half)).expect("a restore");
    DataDir::open(source.target())
        .and_then(|data_dir| data_dir.begin_restore())
        .expect("the note");

    let refused = Host::start(HostConfig::new(source.target())).unwrap_err();
    let unfinished = StartError::DataDir(DataDirError::Unfinished {
        path: source.target(),
    });
    assert_eq!(refused.to_string(), unfinished.to_string());
    assert!(
        refused
            .to_string()
            .contains("run `umari restore` with the same files again")
    );
    let refused = crate::survey::survey(&source.target(), None).unwrap_err();
    assert_eq!(refused.to_string(), unfinished.to_string());

    let other = Source::with_events(40);
    let theirs = other.file("theirs.jsonl", &Request::default());
    let refused = restored(&source.target(), &[theirs]).unwrap_err();
    assert!(
        matches!(refused, RestoreError::OtherRestore { position: 1, .. }),
        "{refused}"
    );

    let done = restored(&source.target(), &[file]).expect("the rest");
    assert_eq!((done.head, done.events, done.events_before), (40, 23, 17));
    assert_eq!(everything(&source.target()), everything(&source.root()));
    assert_eq!(keys(&source.target()), keys(&source.root()));
    fs::copy(
        source.root().join("master.key"),
        source.target().join("master.key"),
    )
    .expect("copied");
    Host::start(HostConfig::new(source.target())).expect("a host");
}

/// The first lines of a backup as a whole one without keys.
fn relinked(lines: &[&str], head: u64) -> String {
    let mut chain = Chain::default();
    let mut text = String::new();
    for line in lines {
        let mut record = record(line);
        if let Record::Backup(header) = &mut record {
            (header.head, header.keys) = (head, false);
        }
        text.push_str(&chain.line(&record).expect("a line"));
    }
    let end = Record::End(Tally {
        events: head,
        ..Tally::default()
    });
    text + &chain.line(&end).expect("a line")
}

fn record(line: &str) -> Record {
    let (content, _) = line.rsplit_once(",\"chain\":").expect("a chain");
    serde_json::from_str(&format!("{content}}}")).expect("a record")
}
