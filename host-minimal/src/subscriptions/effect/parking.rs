//! Requests to park an event that fails, and waiting for what parked events come to.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::failed::{FailedEvent, NotParked};

/// What became of a request to park.
pub(crate) type Parked = Result<FailedEvent, NotParked>;

/// Between an effect's lanes and those who operate it.
#[derive(Debug, Default)]
pub(in super::super) struct Parking {
    /// By position; a lane parks an event only between two attempts.
    wanted: Mutex<BTreeMap<u64, Sender<Parked>>>,
    /// Some parked event waits to be delivered once more.
    has_queued: AtomicBool,
    /// How many parked events were delivered, one way or another.
    deliveries: Mutex<u64>,
    delivered: Condvar,
}

impl Parking {
    /// Asks for an event to be parked when its attempt, if one is under way, has failed as well.
    pub(in super::super) fn want(&self, position: u64) -> Receiver<Parked> {
        let (answer, answered) = channel();
        self.wanted().insert(position, answer);
        answered
    }

    pub(super) fn is_wanted(&self, position: u64) -> bool {
        self.wanted().contains_key(&position)
    }

    pub(in super::super) fn answer(&self, position: u64, parked: Parked) {
        if let Some(answer) = self.wanted().remove(&position) {
            // Who asked may have left, knowing that the event is going to be parked.
            let _ = answer.send(parked);
        }
    }

    /// The event is handled, so that there is nothing to park.
    pub(in super::super) fn settled(&self, position: u64) {
        self.answer(position, Err(NotParked::NotFailing));
    }

    /// The effect stops, and with it what was asked of its lanes.
    pub(super) fn forget(&self) {
        self.wanted().clear();
    }

    /// Tells the dispatcher that a parked event waits to be delivered.
    pub(in super::super) fn queued(&self) {
        self.has_queued.store(true, Ordering::Release);
    }

    pub(super) fn has_queued(&self) -> bool {
        self.has_queued.load(Ordering::Acquire)
    }

    /// Whether some wait to be delivered that the dispatcher has not looked at.
    pub(super) fn take_queued(&self) -> bool {
        self.has_queued.swap(false, Ordering::AcqRel)
    }

    /// A parked event was delivered, one way or another.
    pub(super) fn delivered(&self) {
        *self.deliveries() += 1;
        self.delivered.notify_all();
    }

    /// Asks until there is an answer, again after each delivery of a parked event; `None` when there
    /// is none by `end`.
    pub(in super::super) fn wait<T, E>(
        &self,
        end: Instant,
        mut ask: impl FnMut() -> Result<Option<T>, E>,
    ) -> Result<Option<T>, E> {
        let mut seen = *self.deliveries();
        loop {
            if let Some(answer) = ask()? {
                return Ok(Some(answer));
            }
            let remaining = end.saturating_duration_since(Instant::now());
            if remaining == Duration::ZERO {
                return Ok(None);
            }
            let (deliveries, _) = self
                .delivered
                .wait_timeout_while(self.deliveries(), remaining, |count| *count == seen)
                .unwrap_or_else(PoisonError::into_inner);
            seen = *deliveries;
        }
    }

    fn wanted(&self) -> MutexGuard<'_, BTreeMap<u64, Sender<Parked>>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn deliveries(&self) -> MutexGuard<'_, u64> {
        self.deliveries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
