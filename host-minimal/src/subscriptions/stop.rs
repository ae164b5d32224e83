//! Asking a thread to end or to hold, and waiting until it has.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Requests to stop and to hold, and the answers.
#[derive(Debug, Default)]
pub(super) struct Stop {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requested: bool,
    held: bool,
    /// The run that is under way must end: one of its threads has left, or may have seen a hold that
    /// is over by now.
    leave: bool,
    ended: bool,
}

impl Stop {
    pub(super) fn set(&self) {
        self.lock().requested = true;
        self.changed.notify_all();
    }

    /// Whether the run that is under way must end, for good or until [`release`](Self::release).
    pub(super) fn is_set(&self) -> bool {
        self.lock().must_leave()
    }

    /// Ends the run that is under way, and lets no other begin before
    /// [`release`](Self::release).
    pub(super) fn hold(&self) {
        let mut state = self.lock();
        state.held = true;
        state.leave = true;
        self.changed.notify_all();
    }

    pub(super) fn release(&self) {
        self.lock().held = false;
        self.changed.notify_all();
    }

    pub(super) fn is_held(&self) -> bool {
        self.lock().held
    }

    /// Ends the run that is under way in all its threads, so that another can begin.
    pub(super) fn end_run(&self) {
        self.lock().leave = true;
        self.changed.notify_all();
    }

    /// No thread of the run is left.
    pub(super) fn run_ended(&self) {
        self.lock().leave = false;
    }

    /// Waits while held, after a call of `on_hold`; whether a run may begin then.
    pub(super) fn may_run(&self, on_hold: impl FnOnce()) -> bool {
        if self.is_held() {
            on_hold();
        }
        let mut state = self
            .changed
            .wait_while(self.lock(), |state| state.held && !state.requested)
            .unwrap_or_else(PoisonError::into_inner);
        state.leave = false;
        !state.requested
    }

    /// Waits for `duration`, or less when the run must end; whether to go on.
    pub(super) fn pause(&self, duration: Duration) -> bool {
        self.pause_unless(duration, || false)
    }

    /// The same, or less when `wanted` says so, which is asked after each [`nudge`](Self::nudge).
    pub(super) fn pause_unless(&self, duration: Duration, wanted: impl Fn() -> bool) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), duration, |state| {
                !state.must_leave() && !wanted()
            })
            .unwrap_or_else(PoisonError::into_inner);
        !state.must_leave()
    }

    /// Lets those who pause look at what they wait for.
    pub(super) fn nudge(&self) {
        // With the lock: whoever has looked and does not wait yet would miss it.
        let _state = self.lock();
        self.changed.notify_all();
    }

    pub(super) fn ended(&self) {
        self.lock().ended = true;
        self.changed.notify_all();
    }

    pub(super) fn wait_ended(&self, patience: Duration) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), patience, |state| !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        state.ended
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn must_leave(&self) -> bool {
        self.requested || self.held || self.leave
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hold_ends_the_run_that_it_met_even_where_it_is_over_at_once() {
        let stop = Stop::default();
        assert!(stop.may_run(|| unreachable!("nothing holds it")));
        stop.hold();
        stop.release();
        assert!(stop.is_set(), "a part of the run may have left");
        assert!(!stop.pause(Duration::MAX));
        assert!(stop.may_run(|| unreachable!("it is released")));
        assert!(!stop.is_set());
    }

    #[test]
    fn a_run_that_failed_ends_in_all_its_threads_and_then_pauses() {
        let stop = Stop::default();
        stop.end_run();
        assert!(!stop.pause(Duration::MAX), "a lane that waits leaves");
        stop.run_ended();
        assert!(stop.pause(Duration::from_millis(1)));
        stop.hold();
        stop.run_ended();
        assert!(!stop.pause(Duration::MAX), "a hold is not lost by that");
    }

    #[test]
    fn what_is_held_may_still_be_stopped() {
        let stop = Stop::default();
        stop.hold();
        stop.set();
        let mut held = false;
        assert!(!stop.may_run(|| held = true));
        assert!(held);
    }
}
