//! The cache by itself: what is found again, what is not, and what is left of it.

use std::collections::BTreeMap;
use std::fs;

use chrono::Utc;
use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::keys::{MasterKey, Shredding};
use crate::store::samples::{by, event, secret};
use crate::store::{Boundary, Query, QueryItem, Rehearsal};

const SECRET: &str = r#"{"said":"a-very-secret-text"}"#;

struct Fixture {
    directory: TempDir,
    keys: Arc<KeyRing>,
    log: EventLog,
}

impl Fixture {
    /// A log of five events.
    fn new() -> Self {
        Self::with_ids(0)
    }

    /// Another log, whose events have other ids.
    fn with_ids(first: u128) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let master = MasterKey::from_hex(&"ab".repeat(32)).expect("a key");
        let database = directory.path().join("umari.sqlite");
        let keys = Arc::new(KeyRing::open(&database, &master).expect("keys"));
        let log = log(&keys, first);
        let this = Self {
            directory,
            keys,
            log,
        };
        this.append(5);
        this
    }

    fn append(&self, events: usize) {
        let event = secret(event("noted", &["owner:ann"]), "owner:ann");
        self.log
            .append(vec![event; events], &by("test"), &Boundary::default())
            .expect("an append");
    }

    fn path(&self) -> PathBuf {
        self.directory.path().join("snapshots.sqlite")
    }

    fn open(&self) -> Snapshots {
        Snapshots::open(&self.path(), Arc::clone(&self.keys), self.log.clone())
    }

    fn open_small(&self, entries: u64, bytes: u64, scopes: u64) -> Snapshots {
        let sizes = Sizes {
            entries,
            bytes,
            scopes,
        };
        let keys = Arc::clone(&self.keys);
        Snapshots::with_sizes(&self.path(), keys, self.log.clone(), sizes)
    }

    /// Shreds a scope as the host does.
    fn shred(&self, snapshots: &Snapshots, scope: &str) {
        let shredding = Shredding {
            allow_unknown: true,
            ..Shredding::of(scope)
        };
        self.keys.shred(&shredding).expect("shredded");
        snapshots.forget(&[scope.to_owned()]).expect("forgotten");
    }
}

fn log(keys: &Arc<KeyRing>, first: u128) -> EventLog {
    let rehearsal = Rehearsal::new(Utc::now(), Uuid::from_u128(first));
    EventLog::rehearsed(Vec::new(), Arc::clone(keys), rehearsal).expect("a log")
}

fn key(reader: &str) -> SnapshotKey {
    SnapshotKey::new(&[1; 32], reader, &Query::default())
}

fn offer(reader: &str, position: u64, state: &str) -> Offer {
    Offer {
        key: key(reader),
        grown: false,
        position,
        latest_micros: 7,
        scopes: BTreeSet::new(),
        shreddings: 0,
        state: state.to_owned(),
    }
}

fn of_ann(offer: Offer) -> Offer {
    Offer {
        scopes: BTreeSet::from([ScopeHash::of("owner:ann")]),
        ..offer
    }
}

impl Snapshots {
    fn keep(&self, offer: Offer) -> bool {
        let before = self.figures();
        self.offer(offer);
        self.settle();
        let after = self.figures();
        let (kept, refused) = (after.kept - before.kept, after.refused - before.refused);
        assert_eq!(kept + refused, 1);
        kept == 1
    }

    fn state(&self, reader: &str) -> Option<(u64, String)> {
        let found = self.find(&key(reader))?;
        Some((found.position, found.state))
    }
}

#[test]
fn a_state_is_found_again_under_its_own_key_over_a_restart() {
    let this = Fixture::new();
    let snapshots = this.open();
    assert_eq!(snapshots.state("a"), None);
    assert!(snapshots.keep(offer("a", 3, "{}")));
    assert!(snapshots.keep(offer("b", 4, "[]")));
    snapshots.close();
    assert_eq!(snapshots.state("a"), None, "it is closed");

    let snapshots = this.open();
    assert_eq!(snapshots.state("a"), Some((3, "{}".to_owned())));
    assert_eq!(snapshots.state("b"), Some((4, "[]".to_owned())));
    assert_eq!(snapshots.state("c"), None);
    let found = snapshots.find(&key("a")).expect("a state");
    assert_eq!(found.latest_micros, 7);
    assert_eq!(snapshots.figures().entries, 2);
}

#[test]
fn keys_differ_in_component_reader_and_query() {
    let item = |types: &[&str], tags: &[&str]| QueryItem {
        types: types.iter().map(ToString::to_string).collect(),
        tags: tags.iter().map(ToString::to_string).collect(),
    };
    let query = |items: Vec<QueryItem>| Query { items };
    let keys = [
        SnapshotKey::new(&[1; 32], "a", &query(vec![])),
        SnapshotKey::new(&[2; 32], "a", &query(vec![])),
        SnapshotKey::new(&[1; 32], "b", &query(vec![])),
        SnapshotKey::new(&[1; 32], "a", &query(vec![item(&[], &[])])),
        SnapshotKey::new(&[1; 32], "a", &query(vec![item(&["x"], &[])])),
        SnapshotKey::new(&[1; 32], "a", &query(vec![item(&[], &["x"])])),
        SnapshotKey::new(&[1; 32], "a", &query(vec![item(&["x", "y"], &[])])),
        SnapshotKey::new(&[1; 32], "a", &query(vec![item(&["xy"], &[])])),
        SnapshotKey::new(
            &[1; 32],
            "a",
            &query(vec![item(&["x"], &[]), item(&["y"], &[])]),
        ),
    ];
    for (place, key) in keys.iter().enumerate() {
        assert!(!keys[..place].contains(key), "key {place}");
    }
    let env = |value: &str| BTreeMap::from([("LIMIT".to_owned(), value.to_owned())]);
    assert_ne!(component(b"wasm", &env("1")), component(b"wasm", &env("2")));
    assert_ne!(component(b"wasm", &env("1")), component(b"wasn", &env("1")));
}

#[test]
fn an_older_state_does_not_take_the_place_of_a_newer_one() {
    let this = Fixture::new();
    let snapshots = this.open();
    assert!(snapshots.keep(offer("a", 4, "4")));
    assert!(!snapshots.keep(offer("a", 3, "3")));
    assert_eq!(snapshots.state("a"), Some((4, "4".to_owned())));
    assert!(snapshots.keep(offer("a", 4, "four")));
    assert_eq!(snapshots.state("a"), Some((4, "four".to_owned())));
}

#[test]
fn a_state_of_a_position_that_the_log_has_not_is_not_kept() {
    let this = Fixture::new();
    let snapshots = this.open();
    assert!(!snapshots.keep(offer("a", 6, "6")));
    assert!(!snapshots.keep(offer("a", 0, "0")));
    assert!(snapshots.keep(offer("a", 5, "5")));
}

#[test]
fn a_shredding_deletes_the_states_of_its_scope_and_every_byte_of_them() {
    let this = Fixture::new();
    let snapshots = this.open();
    assert!(snapshots.keep(of_ann(offer("a", 3, SECRET))));
    let sealed = || -> Vec<u8> {
        let connection = Connection::open(this.path()).expect("a database");
        connection
            .query_row(
                "SELECT state FROM snapshot WHERE key = ?1",
                [key("a").0],
                |row| row.get(0),
            )
            .expect("a state")
    };
    let earlier = sealed();
    // In place of the first, of which the write-ahead log still has the bytes.
    assert!(snapshots.keep(Offer {
        grown: true,
        ..offer("a", 4, SECRET)
    }));
    assert!(snapshots.keep(offer("b", 4, "others")));
    let states = [earlier, sealed()];
    let files_with = |bytes: &[u8]| {
        let files = fs::read_dir(this.directory.path()).expect("a directory");
        let files = files.map(|file| file.expect("a file").path());
        let found = files.filter(|path| {
            let content = fs::read(path).expect("a file");
            content.windows(bytes.len()).any(|window| window == bytes)
        });
        found.count()
    };
    assert!(
        states.iter().all(|state| files_with(state) > 0),
        "they can be found"
    );
    assert_eq!(files_with(b"a-very-secret-text"), 0, "they are sealed");

    this.shred(&snapshots, "owner:bob-who-has-none");
    assert!(snapshots.state("a").is_some());
    this.shred(&snapshots, "owner:ann");
    assert_eq!(snapshots.state("a"), None);
    assert_eq!(snapshots.state("b"), Some((4, "others".to_owned())));
    for state in &states {
        assert_eq!(files_with(state), 0);
        assert_eq!(files_with(&state[12..44]), 0, "nor a part");
    }
    assert_eq!(snapshots.figures().entries, 1);
}

/// What was read before the keys went, and is offered after it.
#[test]
fn a_state_that_was_read_before_a_shredding_is_not_kept_after_it() {
    let this = Fixture::new();
    let snapshots = this.open();
    let shreddings = snapshots.shreddings();
    let read_before = of_ann(Offer {
        shreddings,
        ..offer("a", 3, SECRET)
    });
    this.shred(&snapshots, "owner:ann");
    assert!(!snapshots.keep(read_before.clone()));
    assert_eq!(snapshots.state("a"), None);
    let shreddings = snapshots.shreddings();
    assert!(snapshots.keep(Offer {
        shreddings,
        ..read_before
    }));
}

/// A reader goes on from a state while its scope is shredded, and ends after it: it has read
/// nothing of the scope itself.
#[test]
fn a_state_that_grew_from_a_shredded_one_is_not_kept() {
    let this = Fixture::new();
    let snapshots = this.open();
    assert!(snapshots.keep(of_ann(offer("a", 3, SECRET))));
    let grown = |snapshots: &Snapshots| Offer {
        grown: true,
        shreddings: snapshots.shreddings(),
        ..offer("a", 4, SECRET)
    };
    // The keys are gone, the states not yet.
    this.keys
        .shred(&Shredding::of("owner:ann"))
        .expect("shredded");
    assert!(snapshots.keep(grown(&snapshots)), "it is still there");
    snapshots
        .forget(&["owner:ann".to_owned()])
        .expect("forgotten");
    assert_eq!(snapshots.state("a"), None, "its scopes came with it");
    assert!(
        !snapshots.keep(grown(&snapshots)),
        "nobody knows its scopes"
    );
    assert_eq!(snapshots.state("a"), None);
}

#[test]
fn what_was_not_used_for_the_longest_time_goes_first() {
    let this = Fixture::new();
    let snapshots = this.open_small(3, 1 << 20, 9);
    for reader in ["a", "b", "c"] {
        assert!(snapshots.keep(offer(reader, 1, reader)));
    }
    assert!(snapshots.state("a").is_some());
    assert!(snapshots.keep(offer("d", 1, "d")));
    assert_eq!(snapshots.state("b"), None);
    for reader in ["a", "c", "d"] {
        assert!(snapshots.state(reader).is_some(), "{reader}");
    }
    assert_eq!(snapshots.figures().entries, 3);
}

#[test]
fn all_states_together_have_so_many_bytes_and_no_more() {
    let this = Fixture::new();
    let state = "x".repeat(1_000);
    // With the nonce and the tag, which sealing adds.
    let snapshots = this.open_small(99, 2 * 1_028, 9);
    assert!(snapshots.keep(offer("a", 1, &state)));
    assert!(snapshots.keep(offer("b", 1, &state)));
    assert_eq!(snapshots.figures().bytes, 2 * 1_028);
    assert!(snapshots.state("a").is_some());
    assert!(snapshots.keep(offer("a", 2, &"x".repeat(1_001))));
    assert_eq!(snapshots.state("b"), None, "one byte too many");
    assert_eq!(snapshots.figures().bytes, 1_029);
}

#[test]
fn a_state_may_have_so_many_scopes_and_no_more() {
    let this = Fixture::new();
    let snapshots = this.open_small(99, 1 << 20, 2);
    let scopes = |count: usize| {
        (0..count)
            .map(|n| ScopeHash::of(&format!("n:{n}")))
            .collect()
    };
    let with = |count| Offer {
        scopes: scopes(count),
        ..offer("a", 1, "a")
    };
    assert!(snapshots.keep(with(2)));
    assert!(!snapshots.keep(with(3)));
    assert_eq!(
        snapshots.state("a"),
        None,
        "nor is the one that it grew from"
    );
}

#[test]
fn a_state_may_be_so_large_and_no_larger() {
    let this = Fixture::new();
    let snapshots = this.open();
    let state = "x".repeat(limits::SNAPSHOT_STATE_BYTES);
    assert!(snapshots.keep(offer("a", 1, &state)));
    assert!(!snapshots.keep(offer("a", 2, &format!("{state}x"))));
    assert_eq!(snapshots.state("a"), Some((1, state)));
}

#[test]
fn what_finds_no_room_in_the_queue_is_not_kept() {
    let this = Fixture::new();
    let snapshots = this.open();
    let cache = Arc::clone(&snapshots.inner.as_ref().expect("a file").cache);
    let offers = limits::SNAPSHOT_QUEUE_STATES + 2;
    {
        // The writer holds one, and the queue is full.
        let _busy = lock(&cache.writing);
        for number in 0..offers {
            snapshots.offer(offer(&number.to_string(), 1, "{}"));
        }
        assert!(snapshots.figures().refused >= 1);
        assert_eq!(snapshots.figures().kept, 0);
    }
    snapshots.settle();
    let figures = snapshots.figures();
    assert_eq!(figures.kept + figures.refused, offers as u64);
    assert!(figures.kept >= limits::SNAPSHOT_QUEUE_STATES as u64);
}

/// Keeps a state in a file, does something to the file, and opens it again.
fn after(harm: impl FnOnce(&Fixture)) -> Option<(u64, String)> {
    let this = Fixture::new();
    let snapshots = this.open();
    assert!(snapshots.keep(offer("a", 3, "3")));
    snapshots.close();
    harm(&this);
    let snapshots = this.open();
    let found = snapshots.state("a");
    let kept = snapshots.keep(offer("z", 4, "4"));
    assert!(kept, "whatever it was, the file is of use again");
    assert_eq!(snapshots.state("z"), Some((4, "4".to_owned())));
    found
}

#[test]
fn a_file_that_is_deleted_or_damaged_or_of_another_version_begins_anew() {
    assert!(after(|_| ()).is_some());
    assert_eq!(
        after(|this| fs::remove_file(this.path()).expect("removed")),
        None
    );
    assert_eq!(
        after(|this| fs::write(this.path(), "no database").expect("written")),
        None
    );
    let in_it = |sql: &'static str| {
        move |this: &Fixture| {
            let connection = Connection::open(this.path()).expect("a database");
            connection.execute_batch(sql).expect("a change");
        }
    };
    assert_eq!(after(in_it("PRAGMA user_version = 2")), None);
    assert_eq!(after(in_it("DELETE FROM cache")), None);
    assert_eq!(after(in_it("UPDATE cache SET wrapped_key = x'00'")), None);
    assert_eq!(after(in_it("UPDATE snapshot SET state = x'00'")), None);
    assert_eq!(
        after(in_it("UPDATE snapshot SET position = 4")),
        None,
        "it is sealed to its row"
    );
    assert_eq!(
        after(in_it("DROP TABLE snapshot_scope; DROP TABLE snapshot")),
        None
    );
}

#[test]
fn a_file_of_another_log_begins_anew() {
    let this = Fixture::new();
    let snapshots = this.open();
    assert!(snapshots.keep(offer("a", 2, "2")));
    snapshots.close();
    let reopened = |log: EventLog| {
        let copy = this.directory.path().join("copy.sqlite");
        fs::copy(this.path(), &copy).expect("a copy");
        let snapshots = Snapshots::open(&copy, Arc::clone(&this.keys), log);
        let found = snapshots.state("a");
        snapshots.close();
        data_dir::remove_database(&copy).expect("removed");
        found
    };
    assert!(reopened(this.log.clone()).is_some());
    let other = Fixture::with_ids(100);
    assert_eq!(reopened(other.log.clone()), None, "other events");
    assert_eq!(reopened(log(&this.keys, 0)), None, "fewer events");
}

#[test]
fn another_master_key_opens_nothing() {
    let this = Fixture::new();
    let snapshots = this.open();
    assert!(snapshots.keep(offer("a", 2, "2")));
    snapshots.close();
    let master = MasterKey::from_hex(&"cd".repeat(32)).expect("a key");
    let other = KeyRing::open(Path::new(":memory:"), &master).expect("keys");
    let snapshots = Snapshots::open(&this.path(), Arc::new(other), this.log.clone());
    assert_eq!(snapshots.state("a"), None);
    assert!(snapshots.keep(offer("a", 2, "2")));
}

#[test]
fn after_everything_was_forgotten_states_are_kept_again() {
    let this = Fixture::new();
    let snapshots = this.open();
    assert!(snapshots.keep(offer("a", 2, "2")));
    snapshots.forget_all().expect("forgotten");
    assert_eq!(snapshots.state("a"), None);
    assert_eq!(snapshots.figures().entries, 0);
    assert!(snapshots.keep(offer("a", 2, "2")));
    assert!(snapshots.state("a").is_some());
}

#[test]
fn a_place_that_cannot_be_written_keeps_nothing_and_harms_nobody() {
    let this = Fixture::new();
    fs::create_dir(this.path()).expect("a directory in its place");
    let snapshots = this.open();
    assert!(!snapshots.keep(offer("a", 2, "2")));
    assert_eq!(snapshots.state("a"), None);
    assert!(
        snapshots.forget(&["owner:ann".to_owned()]).is_err(),
        "it may lie there"
    );
}
