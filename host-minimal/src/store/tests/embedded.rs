//! The log on the embedded store, and what only a store with a file has.

use std::fs;

use umadb_dcb::{DcbAppendCondition, DcbError, DcbEvent, DcbQuery};

use super::limits::event_with_head;
use super::*;
use crate::limits;
use crate::store::{AppendError, EmbeddedStore, OpenError, Unavailable, conformance};

fn opened(directory: &TempDir) -> EmbeddedStore {
    EmbeddedStore::open(&directory.path().join("events.db")).expect("a store")
}

/// A store with the directory that it lies in.
struct InDirectory {
    store: EmbeddedStore,
    _directory: TempDir,
}

impl DcbEventStoreSync for InDirectory {
    fn read(
        &self,
        query: Option<DcbQuery>,
        start: Option<u64>,
        backwards: bool,
        limit: Option<u32>,
    ) -> umadb_dcb::DcbResult<Box<dyn umadb_dcb::DcbReadResponseSync + Send + 'static>> {
        self.store.read(query, start, backwards, limit)
    }
    fn head(&self) -> umadb_dcb::DcbResult<Option<u64>> {
        self.store.head()
    }
    fn get_tracking_info(&self, source: &str) -> umadb_dcb::DcbResult<Option<u64>> {
        self.store.get_tracking_info(source)
    }
    fn append(
        &self,
        events: Vec<DcbEvent>,
        condition: Option<DcbAppendCondition>,
        tracking_info: Option<umadb_dcb::TrackingInfo>,
    ) -> umadb_dcb::DcbResult<u64> {
        self.store.append(events, condition, tracking_info)
    }
}

fn fresh() -> InDirectory {
    let directory = tempfile::tempdir().expect("a temporary directory");
    InDirectory {
        store: opened(&directory),
        _directory: directory,
    }
}

#[test]
fn it_conforms() {
    conformance::check_all(&fresh);
}

#[test]
fn the_list_conforms_too() {
    conformance::check_all(&MemoryStore::default);
}

#[test]
fn it_agrees_with_a_list() {
    conformance::check_against_oracle(&fresh(), 0x75_6d_61_72_69, 600);
}

#[test]
fn what_was_acknowledged_is_there_after_a_reopening() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let on_x = query(&[(&["a"], &["x:1"])]);
    let before = {
        let log = log_on(Arc::new(opened(&directory)), &directory);
        put(&log, vec![event("a", &["x:1"]), event("b", &["x:1"])]);
        let encrypted = NewEvent {
            encryption_scope: Some("x:1".to_owned()),
            payload: format!("\"{}\"", "long ".repeat(2_000)),
            ..event("a", &["x:1"])
        };
        put(&log, vec![encrypted]);
        everything(&log, &query(&[(&[], &[])]))
    };
    let log = log_on(Arc::new(opened(&directory)), &directory);
    assert_eq!(log.head().expect("a head"), 3);
    assert_eq!(everything(&log, &query(&[(&[], &[])])), before);
    assert_eq!(positions(&everything(&log, &on_x)), [1, 3]);
    assert_eq!(
        log.event(before[2].id).expect("a read").as_ref(),
        Some(&before[2])
    );
    let stale = Boundary {
        query: on_x,
        after: 1,
    };
    let error = log
        .append(vec![event("a", &["x:1"])], &by("test"), &stale)
        .expect_err("3 came after 1");
    assert!(matches!(error, AppendError::Conflict(_)), "{error}");
    assert_eq!(put(&log, vec![event("a", &[])]), 4);
}

#[test]
fn what_a_crash_left_of_a_new_file_is_cleared_away() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let unfinished = directory.path().join("events.db.new");
    fs::write(&unfinished, b"half a database").expect("a file");
    let store = opened(&directory);
    assert!(!unfinished.exists());
    store
        .append(vec![DcbEvent::new().event_type("a")], None, None)
        .expect("an append");
    drop(store);
    // A crash between the rename and the next start, seen from a store that exists.
    fs::write(&unfinished, b"half a database").expect("a file");
    assert_eq!(opened(&directory).head().expect("a head"), Some(1));
    assert!(!unfinished.exists());
}

#[test]
fn a_second_opener_is_told_why_not() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("events.db");
    let first = opened(&directory);
    let error = EmbeddedStore::open(&path).expect_err("the first has it");
    assert!(matches!(error, OpenError::InUse { .. }), "{error}");
    let expected = format!(
        "another process has the event store {} open: stop it, or use another data directory",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
    first
        .append(vec![DcbEvent::new().event_type("a")], None, None)
        .expect("the first goes on");
    drop(first);
    opened(&directory);
}

#[test]
fn what_is_no_database_is_an_error() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("events.db");
    for content in [
        vec![],
        b"text".to_vec(),
        vec![0; 4 * 4_096],
        vec![0xff; 4 * 4_096],
    ] {
        fs::write(&path, &content).expect("a file");
        let error = EmbeddedStore::open(&path).expect_err("not a database");
        assert!(matches!(error, OpenError::Database { .. }), "{error}");
    }
    let missing = directory.path().join("missing").join("events.db");
    EmbeddedStore::open(&missing).expect_err("no such directory");
}

#[test]
fn a_closed_store_accepts_nothing_and_has_lost_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = Arc::new(opened(&directory));
    let log = log_on(store.clone(), &directory);
    let acknowledged: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut acknowledged = 0;
                    loop {
                        match log.append(vec![event("a", &[])], &by("test"), &Boundary::default()) {
                            Ok(_) => acknowledged += 1,
                            Err(AppendError::Unavailable(Unavailable::Refused { .. })) => {
                                return acknowledged;
                            }
                            Err(other) => panic!("neither written nor refused: {other}"),
                        }
                    }
                })
            })
            .collect();
        assert!(log.wait_beyond(20, &|| false));
        store.close();
        store.close();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .sum()
    });
    assert_eq!(log.failure(), None, "closing is no failure");
    assert_eq!(log.head().expect("reads go on"), acknowledged);
    drop((log, store));
    assert_eq!(
        opened(&directory).head().expect("a head"),
        Some(acknowledged)
    );
}

#[test]
fn the_largest_event_fits_and_the_store_agrees_on_what_is_larger() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = Arc::new(opened(&directory));
    let log = log_on(store.clone(), &directory);
    let largest = || NewEvent {
        payload: "x".repeat(limits::EVENT_PAYLOAD_BYTES),
        ..event_with_head(limits::EVENT_HEAD_BYTES)
    };
    put(&log, vec![largest(), event("a", &["x:1"]), largest()]);
    put(&log, vec![largest()]);
    assert_eq!(
        positions(&everything(&log, &query(&[(&["a"], &[])]))),
        [1, 2, 3, 4]
    );

    // Past the log, with what it would have written and one byte more.
    let (events, _) = store
        .read_with_head(None, Some(4), false, Some(1))
        .expect("a read");
    let mut larger = events[0].event.clone();
    larger.tags[0].push('x');
    let error = store
        .append(vec![larger], None, None)
        .expect_err("a page is full");
    assert!(matches!(error, DcbError::InvalidArgument(_)), "{error}");
    assert_eq!(
        put(&log, vec![event("a", &[])]),
        5,
        "the store is as good as before"
    );
}

#[test]
fn concurrent_commands_on_one_boundary_add_up() {
    const THREADS: u64 = 8;
    const CALLS: u64 = 25;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let log = log_on(Arc::new(opened(&directory)), &directory);
    let on_shop = query(&[(&["sold"], &["shop_id:7"])]);
    let call = || {
        let boundary = Boundary {
            query: on_shop.clone(),
            after: log.head().expect("a head"),
        };
        match log.append(vec![event("sold", &["shop_id:7"])], &by("sell"), &boundary) {
            Ok(receipt) => Some((receipt.position, boundary.after)),
            Err(AppendError::Conflict(_)) => None,
            Err(other) => panic!("neither written nor in conflict: {other}"),
        }
    };
    let mut written: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let calls = || (0..CALLS).filter_map(|_| call()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(calls)).collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    written.sort_unstable();
    assert_eq!(log.head().expect("a head"), written.len() as u64);
    for (expected, (position, after)) in (1..).zip(&written) {
        assert_eq!(
            (*position, *after),
            (expected, expected - 1),
            "each had seen all before it"
        );
    }
}

#[test]
fn a_store_that_fails_stops_for_good() {
    const THREADS: usize = 4;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("events.db");
    let whole = {
        let log = log_on(Arc::new(opened(&directory)), &directory);
        put(&log, vec![event("a", &["x:1"]); 100]);
        drop(log);
        fs::read(&path).expect("a file")
    };
    let store = Arc::new(opened(&directory));
    let log = log_on(store.clone(), &directory);
    // Everything but the two headers, which the store has read, becomes unreadable.
    let overwrite = |bytes: &[u8]| {
        use std::os::unix::fs::FileExt;
        let file = fs::File::options().write(true).open(&path).expect("a file");
        file.write_all_at(bytes, 2 * 4_096).expect("a write");
    };
    overwrite(&vec![0xff; 1 << 20]);

    let on_x = Boundary {
        query: query(&[(&["a"], &["x:1"])]),
        after: 100,
    };
    let append = || log.append(vec![event("a", &["x:1"])], &by("test"), &on_x);
    let errors: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(append)).collect();
        let join = |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().expect("no panic");
        threads
            .into_iter()
            .map(join)
            .map(|result: Result<_, _>| result.expect_err("damage"))
            .collect()
    });
    assert!(
        errors
            .iter()
            .any(|error| matches!(error, AppendError::OutcomeUnknown(_))),
        "{errors:?}"
    );
    assert!(log.failure().is_some());

    // The pages are back, but nobody knows that of pages which a kernel has lost.
    overwrite(&whole[2 * 4_096..1 << 20]);
    let error = append().expect_err("the log refuses");
    assert!(
        matches!(error, AppendError::Unavailable(Unavailable::Failed { .. })),
        "{error}"
    );
    let error = store.append(vec![DcbEvent::new().event_type("a")], None, None);
    assert!(
        matches!(error, Err(DcbError::InitializationError(_))),
        "so does the store: {error:?}"
    );
    store.close();
    drop((log, store));
    let log = log_on(Arc::new(opened(&directory)), &directory);
    assert_eq!(log.head().expect("a head"), 100);
    assert_eq!(
        put(&log, vec![event("a", &[])]),
        101,
        "a restart finds what is durable"
    );
}
