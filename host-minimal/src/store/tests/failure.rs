//! What happens when the store fails, with failures that the store beneath makes up.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};

use umadb_dcb::{
    DcbAppendCondition, DcbError, DcbEvent, DcbQuery, DcbReadResponseSync, DcbResult, TrackingInfo,
};

use super::*;
use crate::store::{AppendError, ReadError, Unavailable};

fn fail_next(store: &MemoryStore, failure: DcbError) {
    store.state.lock().expect("no panic").next_failure = Some(failure);
}

fn append(log: &EventLog) -> Result<u64, AppendError> {
    let receipt = log.append(
        vec![event("a", &["x:1"])],
        &by("test"),
        &Boundary::default(),
    )?;
    Ok(receipt.position)
}

#[test]
fn a_failing_store_is_never_written_again() {
    let Fixture { log, store, .. } = fixture();
    append(&log).expect("before the failure");
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hear = |heard: &Arc<Mutex<Vec<String>>>| {
        let heard = Arc::clone(heard);
        Box::new(move |reason: &str| heard.lock().expect("no panic").push(reason.to_owned()))
    };
    log.on_failure(hear(&heard));

    fail_next(&store, DcbError::Io(std::io::Error::other("disk full")));
    let error = append(&log).expect_err("the disk is full");
    assert!(matches!(error, AppendError::OutcomeUnknown(_)), "{error}");
    assert!(
        error
            .source()
            .expect("a cause")
            .to_string()
            .contains("disk full")
    );
    assert_eq!(log.failure().as_deref(), Some("io error: disk full"));

    // The store works again, which is exactly what must not be relied on.
    for _ in 0..3 {
        let error = append(&log.clone()).expect_err("refused");
        let AppendError::Unavailable(Unavailable::Failed { reason }) = error else {
            panic!("not refused: {error}")
        };
        assert_eq!(reason, "io error: disk full");
    }
    assert_eq!(
        *heard.lock().expect("no panic"),
        ["io error: disk full"],
        "once"
    );
    log.on_failure(hear(&heard));
    assert_eq!(
        heard.lock().expect("no panic").len(),
        2,
        "who comes late hears it at once"
    );

    assert_eq!(log.head().expect("reads go on"), 1);
    assert_eq!(everything(&log, &query(&[(&[], &["x:1"])])).len(), 1);
}

/// A store whose appends all fail, each in its own words, when so many of them have come.
struct Broken {
    together: Barrier,
    count: AtomicUsize,
}

impl DcbEventStoreSync for Broken {
    fn read(
        &self,
        _: Option<DcbQuery>,
        _: Option<u64>,
        _: bool,
        _: Option<u32>,
    ) -> DcbResult<Box<dyn DcbReadResponseSync + Send + 'static>> {
        Err(DcbError::Corruption("page 7".to_owned()))
    }

    fn head(&self) -> DcbResult<Option<u64>> {
        Ok(None)
    }

    fn get_tracking_info(&self, _: &str) -> DcbResult<Option<u64>> {
        Ok(None)
    }

    fn append(
        &self,
        _: Vec<DcbEvent>,
        _: Option<DcbAppendCondition>,
        _: Option<TrackingInfo>,
    ) -> DcbResult<u64> {
        self.together.wait();
        let number = self.count.fetch_add(1, Ordering::SeqCst);
        Err(DcbError::Corruption(format!("page {number}")))
    }
}

#[test]
fn of_concurrent_failures_the_first_is_the_reason_and_is_announced_once() {
    const THREADS: usize = 4;
    let directory = tempfile::tempdir().expect("a temporary directory");
    let (together, count) = (Barrier::new(THREADS), AtomicUsize::new(0));
    let log = log_on(Arc::new(Broken { together, count }), &directory);
    let heard: Arc<Mutex<Vec<String>>> = Arc::default();
    let hear = Arc::clone(&heard);
    log.on_failure(Box::new(move |reason| {
        hear.lock().expect("no panic").push(reason.to_owned());
    }));
    let unknown = || matches!(append(&log), Err(AppendError::OutcomeUnknown(_)));
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(unknown)).collect();
        for thread in threads {
            assert!(
                thread.join().expect("no panic"),
                "each was in the store when it failed"
            );
        }
    });
    assert_eq!(
        *heard.lock().expect("no panic"),
        [log.failure().expect("a failure")]
    );
    let error = log.read(&query(&[(&[], &["x:1"])]), 0, 9).next_batch(1);
    assert!(matches!(error, Err(ReadError::Store(_))), "{error:?}");
}

#[test]
fn what_the_store_refuses_is_not_a_failure() {
    let Fixture { log, store, .. } = fixture();
    fail_next(&store, DcbError::InvalidArgument("too large".to_owned()));
    let error = append(&log).expect_err("refused");
    assert!(matches!(error, AppendError::Invalid(_)), "{error}");
    fail_next(
        &store,
        DcbError::InitializationError("the store is closed".to_owned()),
    );
    let error = append(&log).expect_err("refused");
    assert!(
        matches!(error, AppendError::Unavailable(Unavailable::Refused { .. })),
        "{error}"
    );
    assert_eq!(log.failure(), None);
    append(&log).expect("the store had not failed");
}

#[test]
fn a_failure_wakes_those_who_wait() {
    let Fixture { log, store, .. } = fixture();
    let (asked, was_asked) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        let waiting = log.clone();
        let stop = move || {
            asked.send(()).expect("the test listens");
            waiting.failure().is_some()
        };
        let waiting = log.clone();
        let waiter = scope.spawn(move || waiting.wait_beyond(9, &stop));
        was_asked.recv().expect("the waiter has looked once");
        fail_next(&store, DcbError::Io(std::io::Error::other("disk full")));
        append(&log).expect_err("the disk is full");
        assert!(!waiter.join().expect("no panic"));
    });
}
