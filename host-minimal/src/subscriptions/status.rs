//! How a subscription is doing, for `/health`, `/modules` and people.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use uuid::Uuid;

use super::last_failure::LastFailure;
use super::rate::Rate;
use super::trouble::Trouble;
use crate::capabilities::output::Quoting;
use crate::limits;
use crate::shredding::Following;
use crate::store::{Query, RecordedEvent};

/// Where a subscription is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Phase {
    /// Opening its database and running `init`.
    #[default]
    Starting,
    /// Handling events that were there before it came.
    CatchingUp,
    /// Waiting for new events.
    Live,
    /// Waiting after a failure, to try again.
    Retrying,
    /// Asked to pause, and still at the event that it handles.
    Pausing,
    /// At rest until it is resumed.
    Paused,
    /// Standing still while its read model is replaced by one that was built anew.
    Switching,
    /// Ended.
    Stopped,
}

impl Phase {
    /// Whether an operator paused the subscription, even where it is not at rest yet.
    pub fn is_paused(self) -> bool {
        matches!(self, Self::Pausing | Self::Paused)
    }

    /// The phase as the API and the CLI write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::CatchingUp => "catching-up",
            Self::Live => "live",
            Self::Retrying => "retrying",
            Self::Pausing => "pausing",
            Self::Paused => "paused",
            Self::Switching => "switching",
            Self::Stopped => "stopped",
        }
    }
}

/// A failure, to start or to handle an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What happened, with its causes.
    pub message: String,
    /// Position of the event that could not be handled; `None` when the module could not start.
    pub position: Option<u64>,
    /// That event's id.
    pub event_id: Option<Uuid>,
    /// That event's type.
    pub event_type: Option<String>,
    /// Failures at this position so far.
    pub attempts: u32,
    /// When it failed.
    pub failed_at: DateTime<Utc>,
    /// When it is tried again.
    pub retry_at: DateTime<Utc>,
    /// The functions that the module was in where it crashed, the innermost first, at most
    /// [`limits::BACKTRACE_FRAMES`].
    pub backtrace: Vec<String>,
}

/// How a subscription is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct SubscriptionStatus {
    /// Where it is in its life.
    pub phase: Phase,
    /// Everything up to here is handled.
    pub position: u64,
    /// Events that it handles in a second, over the last [`limits::RATE_WINDOW`].
    pub events_per_second: f64,
    /// The first failure that is being retried.
    pub failure: Option<Failure>,
    /// The failure that came last, also where it is over by now, or came before a restart or to
    /// another version.
    pub last_failure: Option<Failure>,
    /// Behind, without progress for longer than it should take, and without a failure that says
    /// why.
    pub stalled: bool,
    /// Failures since it was started.
    pub failures: u64,
}

impl SubscriptionStatus {
    /// Whether events flow, or an operator does not want them to.
    pub fn is_healthy(&self) -> bool {
        let flows = matches!(
            self.phase,
            Phase::CatchingUp | Phase::Live | Phase::Switching
        );
        self.is_paused() || (flows && self.failure.is_none() && !self.stalled)
    }

    /// Whether an operator paused it, even where it is not at rest yet.
    pub fn is_paused(&self) -> bool {
        self.phase.is_paused()
    }
}

/// Written by a subscription's threads, read by everyone.
#[derive(Debug)]
pub(super) struct StatusBoard {
    state: Mutex<State>,
    /// The position, for those who wait for it.
    moved: watch::Sender<Option<u64>>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    position: u64,
    target: u64,
    /// The highest position that was handed to the module.
    begun: u64,
    /// What the module reads.
    query: Option<Arc<Query>>,
    /// By position, so that the first one shows; start failures are at 0.
    failures: BTreeMap<u64, Failure>,
    failed: u64,
    last_failure: Option<Failure>,
    /// Where that is kept, if it is.
    kept_failure: Option<LastFailure>,
    rate: Rate,
    last_progress: Instant,
}

impl Default for StatusBoard {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            state: Mutex::new(State {
                phase: Phase::Starting,
                position: 0,
                target: 0,
                begun: 0,
                query: None,
                failures: BTreeMap::new(),
                failed: 0,
                last_failure: None,
                kept_failure: None,
                rate: Rate::starting_at(now),
                last_progress: now,
            }),
            moved: watch::Sender::new(None),
        }
    }
}

impl StatusBoard {
    /// A board that begins with the failure in `kept` as the last one, and keeps later ones there.
    pub(super) fn keeping(kept: LastFailure) -> Self {
        let board = Self::default();
        let mut state = board.lock();
        state.last_failure = kept.read();
        state.kept_failure = Some(kept);
        drop(state);
        board
    }

    pub(super) fn snapshot(&self) -> SubscriptionStatus {
        let mut state = self.lock();
        let failure = state
            .failures
            .first_key_value()
            .map(|(_, failure)| failure.clone());
        let waiting = state.phase == Phase::Live && state.position >= state.target;
        let idle_for = state.last_progress.elapsed();
        SubscriptionStatus {
            phase: state.phase,
            position: state.position,
            events_per_second: state.rate.per_second(Instant::now()),
            last_failure: state.last_failure.clone(),
            stalled: failure.is_none() && !waiting && is_stalled(state.phase, idle_for),
            failure,
            failures: state.failed,
        }
    }

    /// Says what the subscription does now and how far the log goes.
    pub(super) fn enter(&self, phase: Phase, target: u64) {
        let mut state = self.lock();
        if state.phase != phase || state.target != target {
            state.last_progress = Instant::now();
        }
        state.phase = phase;
        state.target = target;
    }

    /// Everything up to `position` is handled.
    pub(super) fn advanced(&self, position: u64) {
        let mut state = self.lock();
        state.position = position;
        state.last_progress = Instant::now();
        drop(state);
        self.moved.send_replace(Some(position));
    }

    /// The position as it moves; `None` until the first one is known.
    pub(super) fn moved(&self) -> watch::Receiver<Option<u64>> {
        self.moved.subscribe()
    }

    /// The event at `position` is being handled: there is life, if not yet progress.
    pub(super) fn begun(&self, position: u64) {
        let mut state = self.lock();
        state.last_progress = Instant::now();
        state.begun = state.begun.max(position);
    }

    /// The module has said what it reads.
    pub(super) fn reads(&self, query: &Query) {
        self.lock().query = Some(Arc::new(query.clone()));
    }

    /// The positions that fail, and why the subscription cannot start where it cannot.
    pub(super) fn failing(&self) -> (Vec<u64>, Option<String>) {
        let state = self.lock();
        let at_start = state.failures.get(&0);
        let at_events = state.failures.keys().copied().filter(|at| *at > 0);
        (
            at_events.collect(),
            at_start.map(|failure| failure.message.clone()),
        )
    }

    pub(super) fn failed(&self, phase: Phase, failure: Failure) {
        let mut state = self.lock();
        state.phase = phase;
        state.failed += 1;
        if let Some(kept) = &state.kept_failure {
            kept.keep(&failure);
        }
        state.last_failure = Some(failure.clone());
        state
            .failures
            .insert(failure.position.unwrap_or(0), failure);
    }

    /// One event is handled, whether or not it failed before.
    pub(super) fn handled(&self, position: u64) {
        let mut state = self.lock();
        state.failures.remove(&position);
        state.rate.count(Instant::now());
    }

    /// What failed at `position` (0: at the start) works again.
    pub(super) fn recovered(&self, position: u64) {
        self.lock().failures.remove(&position);
    }

    /// At rest: nothing is retried.
    pub(super) fn paused(&self) {
        let mut state = self.lock();
        state.phase = Phase::Paused;
        state.failures.clear();
    }

    pub(super) fn stopped(&self) {
        self.lock().phase = Phase::Stopped;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Following for StatusBoard {
    fn handled(&self) -> u64 {
        let state = self.lock();
        state.position.max(state.begun)
    }

    fn query(&self) -> Option<Arc<Query>> {
        self.lock().query.clone()
    }
}

impl Quoting for StatusBoard {
    /// What a module failed with may quote the event.
    fn forget(&self, note: &str) {
        let mut state = self.lock();
        let State {
            failures,
            last_failure,
            kept_failure,
            ..
        } = &mut *state;
        for failure in failures.values_mut().chain(last_failure.as_mut()) {
            note.clone_into(&mut failure.message);
        }
        if let (Some(kept), Some(failure)) = (kept_failure, last_failure) {
            kept.keep(failure);
        }
    }
}

fn is_stalled(phase: Phase, idle_for: Duration) -> bool {
    matches!(phase, Phase::Starting | Phase::CatchingUp | Phase::Live)
        && idle_for > limits::STALL_AFTER
}

impl Failure {
    /// A failure to handle `event`, or to start where there is none.
    pub(super) fn new(
        trouble: Trouble,
        event: Option<&RecordedEvent>,
        attempts: u32,
        pause: Duration,
    ) -> Self {
        let pause = chrono::Duration::from_std(pause).unwrap_or(chrono::Duration::MAX);
        let failed_at = Utc::now();
        Self {
            message: trouble.message,
            position: event.map(|event| event.position),
            event_id: event.map(|event| event.id),
            event_type: event.map(|event| event.event_type.clone()),
            attempts,
            failed_at,
            retry_at: failed_at
                .checked_add_signed(pause)
                .unwrap_or(DateTime::<Utc>::MAX_UTC),
            backtrace: trouble.backtrace,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(position: Option<u64>) -> Failure {
        Failure {
            position,
            ..Failure::new(Trouble::new("no"), None, 1, Duration::ZERO)
        }
    }

    #[test]
    fn a_subscription_is_healthy_only_while_events_flow() {
        let board = StatusBoard::default();
        assert!(!board.snapshot().is_healthy(), "starting");
        board.enter(Phase::CatchingUp, 10);
        assert!(board.snapshot().is_healthy());
        board.failed(Phase::Retrying, failure(Some(3)));
        assert!(!board.snapshot().is_healthy());
        board.enter(Phase::CatchingUp, 10);
        assert!(!board.snapshot().is_healthy(), "one lane still fails");
        board.handled(3);
        assert!(board.snapshot().is_healthy());
        let last = board.snapshot().last_failure;
        assert_eq!(last.unwrap().position, Some(3), "what was is kept");
        board.failed(Phase::Retrying, failure(Some(3)));
        board.paused();
        assert!(board.snapshot().is_healthy(), "as an operator wants it");
        assert_eq!(board.snapshot().failure, None, "nothing is retried");
        board.stopped();
        assert!(!board.snapshot().is_healthy());
    }

    #[test]
    fn the_first_failure_shows() {
        let board = StatusBoard::default();
        board.failed(Phase::CatchingUp, failure(Some(9)));
        board.failed(Phase::CatchingUp, failure(Some(4)));
        assert_eq!(board.snapshot().failure.unwrap().position, Some(4));
    }

    #[test]
    fn standing_still_while_behind_is_a_stall() {
        assert!(is_stalled(Phase::CatchingUp, limits::STALL_AFTER * 2));
        assert!(!is_stalled(Phase::CatchingUp, limits::STALL_AFTER / 2));
        assert!(
            !is_stalled(Phase::Retrying, limits::STALL_AFTER * 2),
            "the failure says why"
        );
    }
}
