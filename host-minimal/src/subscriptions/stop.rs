//! Asking a thread to end, and waiting until it has.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A request to stop, and the answer.
#[derive(Debug, Default)]
pub(super) struct Stop {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    requested: bool,
    ended: bool,
}

impl Stop {
    pub(super) fn set(&self) {
        self.lock().requested = true;
        self.changed.notify_all();
    }

    pub(super) fn is_set(&self) -> bool {
        self.lock().requested
    }

    /// Waits for `duration`, or less when asked to stop; whether to go on.
    pub(super) fn pause(&self, duration: Duration) -> bool {
        let (state, _) = self
            .changed
            .wait_timeout_while(self.lock(), duration, |state| !state.requested)
            .unwrap_or_else(PoisonError::into_inner);
        !state.requested
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
