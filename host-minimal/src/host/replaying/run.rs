//! The thread of one replay, from the first event to the switch.

use std::io;
use std::sync::{Arc, Weak};

use super::super::{Inner, lifecycle};
use super::side_file;
use crate::limits;
use crate::modules::{ModuleKind, ModuleName};
use crate::replay::{Replay, ReplayFailure, ReplayState, Replays, switch};
use crate::store::EventLog;
use crate::subscriptions::rebuild::Rebuilding;

/// Starts the thread. It keeps no host alive.
pub(super) fn spawn(inner: &Arc<Inner>, replay: &Arc<Replay>) -> io::Result<()> {
    let ending = Ending {
        replays: Arc::clone(&inner.replays),
        log: inner.services.log.clone(),
        replay: Arc::clone(replay),
        outcome: None,
    };
    let host = Arc::downgrade(inner);
    std::thread::Builder::new()
        .name(format!("replay-{}", replay.name()))
        .spawn(move || {
            let mut ending = ending;
            let outcome = run(&ending.replays, &host, &ending.log, &ending.replay);
            ending.outcome = Some(outcome);
        })
        .map(drop)
}

/// Says how a replay ended, and keeps its file only where it is to go on.
struct Ending {
    replays: Arc<Replays>,
    log: EventLog,
    replay: Arc<Replay>,
    /// `None` where the thread panicked.
    outcome: Option<Result<bool, ReplayFailure>>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let bug = || Err(ReplayFailure::new("the host has a bug; its log says more"));
        let outcome = self.outcome.take().unwrap_or_else(bug);
        let (name, version) = (self.replay.name(), self.replay.version());
        if let Err(failure) = &outcome {
            tracing::warn!("the replay of projector {name} {version} failed: {failure}");
        }
        let head = self.log.head().unwrap_or_default();
        let state = self.replays.end(&self.replay, outcome, head);
        if state != ReplayState::Interrupted {
            side_file::remove(self.replay.rebuild().database());
        }
        tracing::info!(
            "the replay of projector {name} {version}: {}",
            state.as_str()
        );
    }
}

/// Whether there is a new read model; if not, the replay was asked to end.
fn run(
    replays: &Replays,
    host: &Weak<Inner>,
    log: &EventLog,
    replay: &Replay,
) -> Result<bool, ReplayFailure> {
    let Some(_turn) = replays.wait_turn(replay) else {
        return Ok(false);
    };
    let mut rebuilding = replay.rebuild().start()?;
    replay.begin(rebuilding.position());
    loop {
        let head = head(log)?;
        rebuilding.catch_up(head)?;
        if replay.is_stopping() {
            return Ok(false);
        }
        // The rest is handled while the projector that runs stands still.
        let ahead = self::head(log)? - rebuilding.position();
        if ahead <= limits::PROJECTOR_BATCH_EVENTS as u64 {
            break;
        }
    }
    match host.upgrade() {
        Some(inner) => switch_to(&inner, replay, rebuilding),
        None => Ok(false),
    }
}

fn head(log: &EventLog) -> Result<u64, ReplayFailure> {
    log.head().map_err(|error| ReplayFailure::of(&error))
}

/// Stops the projector that runs, handles what is missing, replaces the read model and starts the
/// module that was replayed. Whatever fails, a module runs on a whole read model afterwards.
fn switch_to(
    inner: &Inner,
    replay: &Replay,
    rebuilding: Rebuilding<'_>,
) -> Result<bool, ReplayFailure> {
    let _changing = inner.changing();
    if replay.is_stopping() {
        return Ok(false);
    }
    replay.enter(ReplayState::Switching);
    let (before, _) = inner
        .running(ModuleKind::Projector, replay.name())
        .map_err(|error| ReplayFailure::of(&error))?;
    if before.version() != replay.replaces().unwrap_or(replay.version()) {
        let now = before.version();
        return Err(ReplayFailure::new(format!("{now} was activated meanwhile")));
    }
    let reached = stand_still(inner, replay.name())?;
    let replaced = replace(inner, replay, rebuilding, reached);
    let (module, position) = match &replaced {
        Ok(Some(position)) => (replay.rebuild().module().clone(), *position),
        _ => (before, reached),
    };
    // The file is the new version's whatever becomes of the note: should it fail, the next start
    // makes up for it.
    let noted = match (&replaced, replay.replaces()) {
        (Ok(Some(_)), Some(_)) => inner
            .modules
            .set_active(ModuleKind::Projector, replay.name(), Some(replay.version()))
            .map(drop),
        _ => Ok(()),
    };
    lifecycle::start_subscription(inner, module, Some(position))
        .map_err(|error| ReplayFailure::of(&error))?;
    noted.map_err(|error| ReplayFailure::of(&error))?;
    Ok(replaced?.is_some())
}

/// Stops the projector that runs, which stays visible; the position that it has reached.
fn stand_still(inner: &Inner, name: &ModuleName) -> Result<u64, ReplayFailure> {
    let key = (ModuleKind::Projector, name.clone());
    let gone = || ReplayFailure::new("the projector is no longer active");
    let end = {
        let subscriptions = inner.subscriptions();
        let running = subscriptions.get(&key).ok_or_else(gone)?;
        running.ask_to_stop();
        running.end()
    };
    let deadline = inner.services.settings.projector_deadline;
    if !end.wait(deadline + limits::SWAP_MARGIN) {
        return Err(ReplayFailure::new(
            "the version that runs does not end although its deadline has passed: restart the host",
        ));
    }
    let subscriptions = inner.subscriptions();
    let stopped = subscriptions.get(&key).ok_or_else(gone)?;
    stopped.show_switching();
    Ok(stopped.status().position)
}

/// Brings the side file beyond `reached` and copies it; the position of the read model then, or
/// `None` when the replay was asked to end.
fn replace(
    inner: &Inner,
    replay: &Replay,
    mut rebuilding: Rebuilding<'_>,
    reached: u64,
) -> Result<Option<u64>, ReplayFailure> {
    // The log is never shorter than what was handled of it.
    rebuilding.catch_up(head(&inner.services.log)?.max(reached))?;
    let position = rebuilding.position();
    rebuilding.finish()?;
    let database = inner.data_dir.projector_database(replay.name());
    let go_on = || !replay.is_stopping();
    let replaced = go_on() && {
        let source = replay.rebuild().database();
        match switch::replace(source, &database, &go_on) {
            // Whoever cancels a replay removes its file.
            Err(_) if replay.is_stopping() => false,
            replaced => replaced.map_err(|error| ReplayFailure::of(&error))?,
        }
    };
    Ok(replaced.then_some(position))
}
