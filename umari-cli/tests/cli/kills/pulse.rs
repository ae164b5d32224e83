//! What has happened so far, for who waits for more of it.

use std::sync::{Condvar, Mutex};

use crate::support::PATIENCE;

/// Counts that only grow.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    /// Calls of commands that were acknowledged.
    pub(super) acknowledged: u64,
    /// Calls of the effect that arrived at the target.
    pub(super) called: u64,
    /// Calls of the effect that the target answered.
    pub(super) answered: u64,
    /// Changes of modules that were acknowledged.
    pub(super) changed: u64,
}

/// Counts, and a signal when they grow.
#[derive(Default)]
pub(super) struct Pulse {
    counts: Mutex<Counts>,
    grown: Condvar,
}

impl Pulse {
    pub(super) fn beat(&self, count: impl FnOnce(&mut Counts)) {
        count(&mut self.counts.lock().expect("a lock"));
        self.grown.notify_all();
    }

    /// Waits until a count has grown by so many.
    pub(super) fn wait_for(&self, more: u64, count: impl Fn(&Counts) -> u64) {
        let counts = self.counts.lock().expect("a lock");
        let enough = count(&counts) + more;
        let (_counts, waited) = self
            .grown
            .wait_timeout_while(counts, PATIENCE, |counts| count(counts) < enough)
            .expect("a lock");
        assert!(!waited.timed_out(), "nothing happens any more");
    }
}
