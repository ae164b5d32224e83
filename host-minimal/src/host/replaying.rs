//! Replays on request and of new major versions: how they begin, and how they are ended.

use std::path::PathBuf;
use std::sync::Arc;

use semver::Version;

use super::{Host, Inner, ModuleError, lifecycle};
use crate::capabilities::output::Output;
use crate::limits;
use crate::modules::component::LoadedModule;
use crate::modules::{ModuleKind, ModuleName, StoredModule};
use crate::replay::side_file::{self, Left};
use crate::replay::{Replay, ReplayError, ReplayStatus, switch};
use crate::subscriptions::rebuild::Rebuild;

mod run;

impl Host {
    /// Begins to build a projector's read model anew. What is there is read and kept up to date
    /// until the new one knows as much.
    ///
    /// # Errors
    ///
    /// See [`ReplayError`]; everything is as before then.
    pub fn replay(&self, projector: &ModuleName) -> Result<ReplayStatus, ReplayError> {
        let inner = &self.inner;
        let (module, output) = inner.running(ModuleKind::Projector, projector)?;
        if inner.replays.running(projector).is_some() {
            return Err(ReplayError::AlreadyReplaying(projector.clone()));
        }
        let replay = begin(inner, module, None, output)?;
        Ok(replay.status(inner.services.log.head()?))
    }

    /// The replay of this projector that runs, or how the last one ended; `None` where there was
    /// none since the host was started.
    ///
    /// # Errors
    ///
    /// [`ReplayError::Read`] when the event store cannot be read.
    pub fn replay_status(
        &self,
        projector: &ModuleName,
    ) -> Result<Option<ReplayStatus>, ReplayError> {
        let head = self.inner.services.log.head()?;
        Ok(self.inner.replays.status(projector, head))
    }

    /// Gives up the replay of this projector, and returns how it ended: a replay that was already
    /// done when the request came is done.
    ///
    /// # Errors
    ///
    /// [`ReplayError::NoReplay`] where none runs, and [`ReplayError::Stuck`] when it does not end
    /// the event that it handles by its deadline.
    pub fn cancel_replay(&self, projector: &ModuleName) -> Result<ReplayStatus, ReplayError> {
        let inner = &self.inner;
        let cancelled = inner.replays.cancel(projector, "on request");
        let replay = cancelled.ok_or_else(|| ReplayError::NoReplay(projector.clone()))?;
        self.wait_ended(&replay)?;
        Ok(replay.status(inner.services.log.head()?))
    }

    /// Begins a replay that reads every event from now on: one that runs, and may have read what
    /// must not come into the read model any more, is given up and begins again.
    ///
    /// # Errors
    ///
    /// See [`ReplayError`].
    pub(super) fn replay_afresh(&self, projector: &ModuleName) -> Result<(), ReplayError> {
        let inner = &self.inner;
        let reason = "it begins again, as a scope was shredded";
        let Some(earlier) = inner.replays.cancel(projector, reason) else {
            return self.replay(projector).map(drop);
        };
        self.wait_ended(&earlier)?;
        if earlier.is_done() {
            return self.replay(projector).map(drop);
        }
        let (_, output) = inner.running(ModuleKind::Projector, projector)?;
        let module = earlier.rebuild().module().clone();
        begin(inner, module, earlier.replaces().cloned(), output)?;
        Ok(())
    }

    /// Waits for a replay that was cancelled.
    fn wait_ended(&self, replay: &Replay) -> Result<(), ReplayError> {
        let deadline = self.inner.services.settings.projector_deadline;
        if replay.wait_ended(deadline + limits::SWAP_MARGIN) {
            return Ok(());
        }
        Err(ReplayError::Stuck {
            kind: ModuleKind::Projector,
            name: replay.name().clone(),
        })
    }

    /// Has an effect handle the whole log again, with a database that is empty. Returns when it
    /// has begun.
    ///
    /// Effects find in the log what they did before, so an effect that is written as it should be
    /// does nothing twice.
    ///
    /// # Errors
    ///
    /// See [`ModuleError`]; the effect goes on as before then.
    pub fn replay_effect(&self, effect: &ModuleName) -> Result<(), ModuleError> {
        let inner = &self.inner;
        let _changing = inner.changing();
        let (module, _) = inner.running(ModuleKind::Effect, effect)?;
        lifecycle::stop_running(inner, ModuleKind::Effect, effect)?;
        let path = inner.data_dir.effect_database(effect);
        let cleared = switch::clear(&path);
        lifecycle::start_subscription(inner, module, None)?;
        cleared.map_err(|source| ReplayError::File {
            path,
            source: source.into(),
        })?;
        tracing::info!("effect {effect} is replayed");
        Ok(())
    }
}

impl Inner {
    /// The module that runs, and where it prints.
    pub(super) fn running(
        &self,
        kind: ModuleKind,
        name: &ModuleName,
    ) -> Result<(LoadedModule, Output), ReplayError> {
        let key = (kind, name.clone());
        if let Some(running) = self.subscriptions().get(&key) {
            return Ok((running.module().clone(), running.shared_output()));
        }
        let versions = self.modules.versions(kind, name)?;
        let (kind, name) = key.clone();
        if versions.is_empty() {
            return Err(ReplayError::Unknown { kind, name });
        }
        if versions.iter().all(|version| !version.active) {
            return Err(ReplayError::NotActive { kind, name });
        }
        let broken = self.broken().get(&key).map(|(_, reason)| reason.clone());
        Err(ReplayError::NotRunning {
            kind,
            name,
            reason: broken.unwrap_or_else(|| "it has not started".to_owned()),
        })
    }
}

/// Whether two versions of a projector may share a read model: those with the same major version,
/// or the same minor version below 1.0.
pub(super) fn share_read_model(one: &Version, other: &Version) -> bool {
    one.major == other.major && (one.major > 0 || one.minor == other.minor)
}

/// Begins a replay of `module`, which then takes the place of the version that runs.
pub(super) fn begin(
    inner: &Arc<Inner>,
    module: LoadedModule,
    replaces: Option<Version>,
    output: Output,
) -> Result<Arc<Replay>, ReplayError> {
    let path = side_file::path(&inner.data_dir.replays(), module.name());
    if let Err(source) = side_file::create(&path, module.version()) {
        return Err(ReplayError::File { path, source });
    }
    begin_in(inner, module, replaces, output, path)
}

fn begin_in(
    inner: &Arc<Inner>,
    module: LoadedModule,
    replaces: Option<Version>,
    output: Output,
    path: PathBuf,
) -> Result<Arc<Replay>, ReplayError> {
    let rebuild = Rebuild::new(module, inner.services.clone(), path, output);
    let replay = Arc::new(Replay::new(rebuild, replaces));
    if !inner.replays.add(&replay) {
        side_file::remove(replay.rebuild().database());
        return Err(ReplayError::AlreadyReplaying(replay.name().clone()));
    }
    if let Err(error) = run::spawn(inner, &replay) {
        side_file::remove(replay.rebuild().database());
        let failure = crate::replay::ReplayFailure::of(&error);
        inner.replays.end(&replay, Err(failure), 0);
        return Err(ReplayError::Thread(error));
    }
    let (name, version) = (replay.name(), replay.version());
    tracing::info!("projector {name} {version} is replayed");
    Ok(replay)
}

/// What earlier replays left, before anything is started. Files of read models of the past, which
/// nobody waits for any more, are removed.
pub(super) fn left_behind(inner: &Inner) -> Vec<Left> {
    if let Err(error) = side_file::remove_all(&inner.data_dir.as_of()) {
        tracing::warn!("read models of the past are left on the disk: {error}");
    }
    side_file::left_in(&inner.data_dir.replays()).unwrap_or_else(|error| {
        tracing::warn!("interrupted replays are not taken up: {error}");
        Vec::new()
    })
}

/// The version of a projector that is to start: the host may have ended when the read model was
/// switched to a new version and the note of that was not yet written.
pub(super) fn finish_switch(
    inner: &Inner,
    active: StoredModule,
    left: &mut Vec<Left>,
) -> StoredModule {
    let is_this = |left: &Left| {
        active.kind == ModuleKind::Projector
            && left.projector == active.name
            && left.version != active.version
    };
    let Some(index) = left.iter().position(is_this) else {
        return active;
    };
    let database = inner.data_dir.projector_database(&active.name);
    let writer = side_file::writer(&database).ok().flatten();
    let (kind, name, version) = (active.kind, &active.name, left[index].version.clone());
    if writer.as_ref() != Some(&version) {
        return active;
    }
    let noted = inner.modules.set_active(kind, name, Some(&version));
    match noted.and_then(|_| inner.modules.get(kind, name, &version)) {
        Ok(Some(module)) => {
            side_file::remove(&left.swap_remove(index).path);
            module
        }
        _ => active,
    }
}

/// Goes on with a replay that was interrupted, or removes its file where it has no purpose left.
pub(super) fn take_up(inner: &Arc<Inner>, left: Left) {
    let begun = inner
        .running(ModuleKind::Projector, &left.projector)
        .map_err(|error| error.to_string())
        .and_then(|(running, output)| {
            if *running.version() == left.version {
                return Ok((running, None, output));
            }
            let stored = lifecycle::load_version(inner, &left.projector, &left.version);
            let module = stored.map_err(|error| error.to_string())?;
            Ok((module, Some(running.version().clone()), output))
        })
        .and_then(|(module, replaces, output)| {
            begin_in(inner, module, replaces, output, left.path.clone())
                .map_err(|error| error.to_string())
        });
    if let Err(reason) = begun {
        let Left {
            projector, version, ..
        } = &left;
        tracing::warn!("the replay of {projector} {version} is given up: {reason}");
        side_file::remove(&left.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_major_version_has_a_read_model_of_its_own() {
        let share = |one: &str, other: &str| {
            let version = |text: &str| text.parse().expect("a version");
            share_read_model(&version(one), &version(other))
        };
        for (one, other) in [
            ("1.0.0", "1.9.3"),
            ("2.1.0", "2.0.0"),
            ("0.3.0", "0.3.9"),
            ("1.0.0", "1.0.0+dev.1"),
        ] {
            assert!(share(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("1.9.0", "2.0.0"),
            ("2.0.0", "1.9.0"),
            ("0.3.0", "0.4.0"),
            ("0.9.0", "1.0.0"),
        ] {
            assert!(!share(one, other), "{one} {other}");
        }
    }
}
