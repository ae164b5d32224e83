//! Replays: read models that are built anew.
//!
//! A replay runs a projector's code over the whole log into a side file, while the read model that
//! is there is read and kept up to date. When the side file knows at least as much, its content
//! takes the place of the other in one transaction (see `switch`): whoever has the read model open
//! sees the old one or the new one, never a mixture and never less than before.
//!
//! A replay that fails says why and leaves everything as it was. One that is interrupted by the
//! end of the host goes on after the next start: its file says what it is.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use semver::Version;
use uuid::Uuid;

pub(crate) mod side_file;
pub(crate) mod switch;
mod until;

pub use self::side_file::FileError;
pub use self::until::{InvalidUntil, Until};

use crate::limits;
use crate::modules::{ModuleKind, ModuleName, ModuleStoreError};
use crate::report::chain;
use crate::store::ReadError;
use crate::subscriptions::rebuild::Rebuild;

/// How a replay of a projector is doing, or how it ended.
#[derive(Debug, Clone, PartialEq)]
pub struct ReplayStatus {
    /// The projector.
    pub projector: ModuleName,
    /// The version that is replayed.
    pub version: Version,
    /// The version that runs until the replay is done, where that is another one.
    pub replaces: Option<Version>,
    /// Where the replay is in its life.
    pub state: ReplayState,
    /// Everything up to here is handled.
    pub position: u64,
    /// The last position of the log.
    pub head: u64,
    /// Positions of the log that were passed in a second, on average; `None` before there are any.
    pub events_per_second: Option<f64>,
    /// How long it takes at this rate, while it runs.
    pub remaining: Option<Duration>,
    /// When it was asked for, or taken up again after a restart.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it was cancelled, if it was.
    pub cancelled: Option<String>,
    /// Why it failed, if it did.
    pub failure: Option<ReplayFailure>,
}

/// Where a replay is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplayState {
    /// Waiting until fewer replays run.
    Queued,
    /// Handling events into the side file.
    Replaying,
    /// Putting the side file's content into the place of the read model.
    Switching,
    /// The read model is the new one.
    Done,
    /// Given up on request; the read model is the old one.
    Cancelled,
    /// Given up after a failure; the read model is the old one.
    Failed,
    /// Interrupted by the end of the host; it goes on after the next start.
    Interrupted,
}

impl ReplayState {
    /// The state as the API and the CLI write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Replaying => "replaying",
            Self::Switching => "switching",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    /// Whether nothing more will happen.
    pub fn has_ended(self) -> bool {
        !matches!(self, Self::Queued | Self::Replaying | Self::Switching)
    }
}

/// Why there is no new read model.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ReplayFailure {
    /// What happened, with its causes.
    pub message: String,
    /// Position of the event that could not be handled, where it was one.
    pub position: Option<u64>,
    /// That event's id.
    pub event_id: Option<Uuid>,
    /// That event's type.
    pub event_type: Option<String>,
}

impl ReplayFailure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            position: None,
            event_id: None,
            event_type: None,
        }
    }

    pub(crate) fn of(error: &(dyn Error + 'static)) -> Self {
        Self::new(chain(error))
    }
}

/// Why nothing is replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// No module of this kind and name is stored.
    #[error("there is no {kind} {name}")]
    Unknown {
        /// The kind that was asked for.
        kind: ModuleKind,
        /// The name that was asked for.
        name: ModuleName,
    },
    /// No version of it is active.
    #[error("the {kind} {name} is not active: activate one of its versions")]
    NotActive {
        /// Its kind.
        kind: ModuleKind,
        /// Its name.
        name: ModuleName,
    },
    /// It is active and cannot run.
    #[error("the {kind} {name} does not run: {reason}")]
    NotRunning {
        /// Its kind.
        kind: ModuleKind,
        /// Its name.
        name: ModuleName,
        /// Why it does not.
        reason: String,
    },
    /// It is being replayed.
    #[error(
        "the projector {0} is being replayed already: wait until that is done, or cancel it first"
    )]
    AlreadyReplaying(ModuleName),
    /// There is no replay of it.
    #[error("there is no replay of the projector {0}")]
    NoReplay(ModuleName),
    /// A file cannot be made or changed.
    #[error("{} could not be written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: FileError,
    },
    /// The running version did not end the event that it handles by its deadline.
    #[error(
        "{kind} {name} does not end although its deadline has passed, so it cannot be replayed: \
         restart the host"
    )]
    Stuck {
        /// Its kind.
        kind: ModuleKind,
        /// Its name.
        name: ModuleName,
    },
    /// The machine has no more threads.
    #[error("cannot start a thread for the replay")]
    Thread(#[source] io::Error),
    /// The module store cannot be read.
    #[error(transparent)]
    Modules(#[from] ModuleStoreError),
    /// The event store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Why there is no read model of the past.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AsOfError {
    /// There is nothing to build it with.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The log does not go that far.
    #[error("the log ends at position {head}, so nothing is known of {until}")]
    BeyondHead {
        /// What was asked for.
        until: Until,
        /// The last position of the log.
        head: u64,
    },
    /// As many as may be built or sent at once are.
    #[error(
        "{} read models of the past are built or sent already: try again",
        limits::CONCURRENT_AS_OF
    )]
    Busy,
    /// The module, or the disk, did not let it be built.
    #[error("the read model could not be built")]
    Failed(#[source] ReplayFailure),
}

/// One replay, from the request to its end.
pub(crate) struct Replay {
    rebuild: Rebuild,
    replaces: Option<Version>,
    started_at: DateTime<Utc>,
    progress: Mutex<Progress>,
    ended: Condvar,
}

#[derive(Debug, Clone)]
struct Progress {
    state: ReplayState,
    /// When the first event was handled, and where that was.
    begun: Option<(Instant, u64)>,
    ended: Option<(Instant, DateTime<Utc>)>,
    cancelled: Option<String>,
    failure: Option<ReplayFailure>,
}

impl Replay {
    pub(crate) fn new(rebuild: Rebuild, replaces: Option<Version>) -> Self {
        Self {
            rebuild,
            replaces,
            started_at: Utc::now(),
            progress: Mutex::new(Progress {
                state: ReplayState::Queued,
                begun: None,
                ended: None,
                cancelled: None,
                failure: None,
            }),
            ended: Condvar::new(),
        }
    }

    pub(crate) fn rebuild(&self) -> &Rebuild {
        &self.rebuild
    }

    pub(crate) fn name(&self) -> &ModuleName {
        self.rebuild.module().name()
    }

    pub(crate) fn version(&self) -> &Version {
        self.rebuild.module().version()
    }

    /// The version that runs meanwhile, where it is another one.
    pub(crate) fn replaces(&self) -> Option<&Version> {
        self.replaces.as_ref()
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.rebuild.is_stopping()
    }

    pub(crate) fn status(&self, head: u64) -> ReplayStatus {
        let progress = self.progress().clone();
        let position = self.rebuild.position();
        let until = progress.ended.map_or_else(Instant::now, |(at, _)| at);
        let rate = progress.begun.and_then(|(begun, from)| {
            let seconds = until.saturating_duration_since(begun).as_secs_f64();
            let passed = position.saturating_sub(from);
            #[expect(clippy::cast_precision_loss, reason = "a rate needs no sixteen digits")]
            let rate = passed as f64 / seconds;
            (passed > 0 && seconds > 0.0).then_some(rate)
        });
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no sixteen digits")]
        let remaining = rate
            .filter(|_| !progress.state.has_ended())
            .and_then(|rate| {
                let ahead = head.saturating_sub(position) as f64;
                Duration::try_from_secs_f64(ahead / rate).ok()
            });
        ReplayStatus {
            projector: self.name().clone(),
            version: self.version().clone(),
            replaces: self.replaces.clone(),
            state: progress.state,
            position,
            head,
            events_per_second: rate,
            remaining,
            started_at: self.started_at,
            ended_at: progress.ended.map(|(_, at)| at),
            cancelled: progress.cancelled,
            failure: progress.failure,
        }
    }

    /// The first event is about to be handled, behind `position`.
    pub(crate) fn begin(&self, position: u64) {
        let mut progress = self.progress();
        progress.state = ReplayState::Replaying;
        progress.begun = Some((Instant::now(), position));
    }

    pub(crate) fn enter(&self, state: ReplayState) {
        self.progress().state = state;
    }

    /// Waits until it has ended, for `patience` at most; whether it has.
    pub(crate) fn wait_ended(&self, patience: Duration) -> bool {
        let (progress, _) = self
            .ended
            .wait_timeout_while(self.progress(), patience, |progress| {
                !progress.state.has_ended()
            })
            .unwrap_or_else(PoisonError::into_inner);
        progress.state.has_ended()
    }

    /// Whether there is a new read model.
    pub(crate) fn is_done(&self) -> bool {
        self.progress().state == ReplayState::Done
    }

    fn cancelled(&self) -> bool {
        self.progress().cancelled.is_some()
    }

    fn end(&self, outcome: Result<bool, ReplayFailure>) {
        let mut progress = self.progress();
        progress.state = match outcome {
            Ok(true) => ReplayState::Done,
            // Nobody waits any more for what failed meanwhile.
            Ok(false) | Err(_) if progress.cancelled.is_some() => ReplayState::Cancelled,
            Ok(false) => ReplayState::Interrupted,
            Err(failure) => {
                progress.failure = Some(failure);
                ReplayState::Failed
            }
        };
        if progress.state != ReplayState::Cancelled {
            // A cancellation that came too late changed nothing.
            progress.cancelled = None;
        }
        progress.ended = Some((Instant::now(), Utc::now()));
        self.ended.notify_all();
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The replays of a host: those that run, and how the last one of each projector ended.
#[derive(Default)]
pub(crate) struct Replays {
    known: Mutex<Known>,
    /// How many handle events now.
    busy: Mutex<usize>,
    freed: Condvar,
}

#[derive(Default)]
struct Known {
    running: BTreeMap<ModuleName, Arc<Replay>>,
    ended: BTreeMap<ModuleName, ReplayStatus>,
}

impl Replays {
    /// The replay of this projector that has not ended and is not about to.
    pub(crate) fn running(&self, name: &ModuleName) -> Option<Arc<Replay>> {
        let running = self.known().running.get(name).cloned();
        running.filter(|replay| !replay.cancelled())
    }

    /// Whether this version of the projector is what is replayed.
    pub(crate) fn is_of(&self, name: &ModuleName, version: &Version) -> bool {
        let replay = self.running(name);
        replay.is_some_and(|replay| replay.version() == version)
    }

    /// The replay that runs, or the last that did.
    pub(crate) fn status(&self, name: &ModuleName, head: u64) -> Option<ReplayStatus> {
        let known = self.known();
        let running = known.running.get(name).map(|replay| replay.status(head));
        running.or_else(|| known.ended.get(name).cloned())
    }

    /// Adds a replay, unless one of the same projector runs; whether it did.
    pub(crate) fn add(&self, replay: &Arc<Replay>) -> bool {
        let mut known = self.known();
        let other = known.running.get(replay.name());
        if other.is_some_and(|other| !other.cancelled()) {
            return false;
        }
        let (name, replay) = (replay.name().clone(), Arc::clone(replay));
        known.running.insert(name, replay);
        true
    }

    /// Gives up a replay and its file, for this reason; the replay, where there was one.
    pub(crate) fn cancel(&self, name: &ModuleName, reason: &str) -> Option<Arc<Replay>> {
        let replay = self.running(name)?;
        {
            let mut progress = replay.progress();
            if progress.state.has_ended() {
                return None;
            }
            progress.cancelled = Some(reason.to_owned());
        }
        self.stop(&replay);
        // At once, so that no start goes on with it.
        side_file::remove(replay.rebuild.database());
        Some(replay)
    }

    /// Asks all replays to end; they go on after the next start.
    pub(crate) fn stop_all(&self) -> Vec<Arc<Replay>> {
        let running: Vec<_> = self.known().running.values().cloned().collect();
        for replay in &running {
            self.stop(replay);
        }
        running
    }

    fn stop(&self, replay: &Replay) {
        replay.rebuild.ask_to_stop();
        drop(self.busy());
        self.freed.notify_all();
    }

    /// Waits until fewer than [`limits::CONCURRENT_REPLAYS`] run; `None` when the replay is to
    /// end before.
    pub(crate) fn wait_turn(&self, replay: &Replay) -> Option<Turn<'_>> {
        let mut busy = self
            .freed
            .wait_while(self.busy(), |busy| {
                *busy >= limits::CONCURRENT_REPLAYS && !replay.is_stopping()
            })
            .unwrap_or_else(PoisonError::into_inner);
        if replay.is_stopping() {
            return None;
        }
        *busy += 1;
        Some(Turn(self))
    }

    /// Notes how a replay ended: whether there is a new read model, or why there is none.
    pub(crate) fn end(
        &self,
        replay: &Arc<Replay>,
        outcome: Result<bool, ReplayFailure>,
        head: u64,
    ) -> ReplayState {
        let name = replay.name();
        // Held throughout: whoever sees the end of it also finds it among those that ended.
        let mut known = self.known();
        replay.end(outcome);
        let status = replay.status(head);
        let state = status.state;
        known.ended.insert(name.clone(), status);
        // Another may have begun after this one was cancelled.
        let is_this = |running: &Arc<Replay>| Arc::ptr_eq(running, replay);
        if known.running.get(name).is_some_and(is_this) {
            known.running.remove(name);
        }
        state
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self) -> MutexGuard<'_, usize> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A replay's turn, until it is dropped.
pub(crate) struct Turn<'a>(&'a Replays);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.busy() -= 1;
        self.0.freed.notify_all();
    }
}
