//! Upload stores, activation swaps.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use semver::Version;

use super::{Host, Inner, replaying};
use crate::limits;
use crate::modules::component::{Identity, LoadError, LoadedModule};
use crate::modules::settings::{SettingsError, Start};
use crate::modules::store::{Inserted, NewModule};
use crate::modules::{ModuleKind, ModuleName, ModuleSettings, ModuleStoreError, StoredModule};
use crate::replay::{ReplayError, side_file, switch};
use crate::report::chain;
use crate::store::ReadError;
use crate::subscriptions::{ModuleFiles, Starting, Subscription};

/// One version of a module, to be checked and stored.
#[derive(Debug, Clone)]
pub struct Upload {
    /// What kind of module it is.
    pub kind: ModuleKind,
    /// Its name.
    pub name: ModuleName,
    /// Its version, which names these bytes for good.
    pub version: Version,
    /// Its environment variables.
    pub env: BTreeMap<String, String>,
    /// How it runs, within the host's own limits.
    pub settings: ModuleSettings,
    /// The component.
    pub wasm: Vec<u8>,
}

/// What activating a version led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activated {
    /// The version runs.
    Running,
    /// It is a new major version of a projector: its read model is built beside that of the
    /// version that runs, which it replaces when it knows as much.
    Replaying,
}

/// Why a module was not stored, or not activated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// The component cannot run here.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The component is too large.
    #[error(
        "the module has {bytes} bytes: at most {} are allowed",
        limits::MODULE_BYTES
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// The settings are not for such a module, or beyond the host's limits.
    #[error("the module's settings cannot be used")]
    Settings(#[source] SettingsError),
    /// The module store refused or failed.
    #[error(transparent)]
    Store(#[from] ModuleStoreError),
    /// The running version did not end the event that it handles by its deadline.
    #[error(
        "{kind} {name} does not end although its deadline has passed, so it cannot be swapped: \
         restart the host"
    )]
    Stuck {
        /// Its kind.
        kind: ModuleKind,
        /// Its name.
        name: ModuleName,
    },
    /// A replay could not begin.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// The log's head could not be read, behind which the module is to begin.
    #[error("the log could not be read for where the module begins")]
    Log(#[from] ReadError),
    /// The machine has no more threads.
    #[error("cannot start a thread for the module")]
    Thread(#[source] io::Error),
}

pub(super) fn upload(inner: &Inner, upload: Upload) -> Result<Inserted, ModuleError> {
    if upload.wasm.len() > limits::MODULE_BYTES {
        return Err(ModuleError::TooLarge {
            bytes: upload.wasm.len(),
        });
    }
    upload
        .settings
        .check(upload.kind, &inner.services.settings)
        .map_err(ModuleError::Settings)?;
    let loaded = LoadedModule::load(
        &inner.services.engine,
        &inner.cache,
        Identity {
            kind: upload.kind,
            name: upload.name.clone(),
            version: upload.version.clone(),
            env: upload.env.clone(),
            settings: upload.settings.clone(),
        },
        &upload.wasm,
    )?;
    Ok(inner.modules.insert(NewModule {
        kind: upload.kind,
        name: upload.name,
        version: upload.version,
        sdk: loaded.record().sdk.clone(),
        contract: loaded.record().contract.clone(),
        env: upload.env,
        settings: upload.settings,
        wasm: upload.wasm,
    })?)
}

pub(super) fn activate(
    inner: &Arc<Inner>,
    kind: ModuleKind,
    name: &ModuleName,
    version: &Version,
) -> Result<Activated, ModuleError> {
    let _changing = inner.changing();
    let stored = inner.modules.get(kind, name, version)?;
    let stored = stored.ok_or_else(|| unknown(kind, name, version))?;
    let in_replay = kind == ModuleKind::Projector && inner.replays.is_of(name, version);
    let cancel_replay = || {
        if kind == ModuleKind::Projector && !in_replay {
            let reason = format!("{version} was activated");
            inner.replays.cancel(name, &reason);
        }
    };
    if stored.active && !inner.broken().contains_key(&(kind, name.clone())) {
        cancel_replay();
        return Ok(Activated::Running);
    }
    if in_replay {
        return Ok(Activated::Replaying);
    }
    let module = load_stored(inner, &stored)?;
    cancel_replay();
    if kind == ModuleKind::Projector
        && let Ok((running, output)) = inner.running(kind, name)
        && !replaying::share_read_model(running.version(), version)
    {
        replaying::begin(inner, module, Some(running.version().clone()), output)?;
        return Ok(Activated::Replaying);
    }
    if kind == ModuleKind::Command {
        inner.modules.set_active(kind, name, Some(version))?;
        inner.commands.activate(module);
    } else {
        stop_running(inner, kind, name)?;
        inner.modules.set_active(kind, name, Some(version))?;
        start_subscription(inner, module, None)?;
    }
    inner.broken().remove(&(kind, name.clone()));
    tracing::info!("{kind} {name} {version} is active");
    Ok(Activated::Running)
}

pub(super) fn deactivate(
    inner: &Inner,
    kind: ModuleKind,
    name: &ModuleName,
) -> Result<bool, ModuleError> {
    // Before anything else: a replay that switches holds what this waits for.
    if kind == ModuleKind::Projector {
        inner.replays.cancel(name, "the projector was deactivated");
    }
    let _changing = inner.changing();
    let was = inner.modules.set_active(kind, name, None)?;
    inner.broken().remove(&(kind, name.clone()));
    if kind == ModuleKind::Command {
        inner.commands.deactivate(name);
    } else {
        stop_running(inner, kind, name)?;
    }
    Ok(was.is_some())
}

/// Stops the running version, if there is one. Every call of a guest has a deadline, so waiting a
/// little longer than that is enough.
pub(super) fn stop_running(
    inner: &Inner,
    kind: ModuleKind,
    name: &ModuleName,
) -> Result<(), ModuleError> {
    let key = (kind, name.clone());
    let Some(mut running) = inner.subscriptions().remove(&key) else {
        return Ok(());
    };
    let settings = &inner.services.settings;
    let deadline = match kind {
        ModuleKind::Effect => settings.effect_deadline,
        _ => settings.projector_deadline,
    };
    running.ask_to_stop();
    if running.wait_stopped(deadline + limits::SWAP_MARGIN) {
        return Ok(());
    }
    // Shown as what it is: still there, and not healthy once it has ended.
    inner.subscriptions().insert(key, running);
    Err(ModuleError::Stuck {
        kind,
        name: name.clone(),
    })
}

/// Loads a stored version of a projector.
pub(super) fn load_version(
    inner: &Inner,
    projector: &ModuleName,
    version: &Version,
) -> Result<LoadedModule, ModuleError> {
    let kind = ModuleKind::Projector;
    let stored = inner.modules.get(kind, projector, version)?;
    load_stored(
        inner,
        &stored.ok_or_else(|| unknown(kind, projector, version))?,
    )
}

fn load_stored(inner: &Inner, stored: &StoredModule) -> Result<LoadedModule, ModuleError> {
    let wasm = inner
        .modules
        .wasm(stored.kind, &stored.name, &stored.version)?;
    let wasm = wasm.ok_or_else(|| unknown(stored.kind, &stored.name, &stored.version))?;
    Ok(LoadedModule::load(
        &inner.services.engine,
        &inner.cache,
        Identity {
            kind: stored.kind,
            name: stored.name.clone(),
            version: stored.version.clone(),
            env: stored.env.clone(),
            settings: stored.settings.clone(),
        },
        &wasm,
    )?)
}

fn unknown(kind: ModuleKind, name: &ModuleName, version: &Version) -> ModuleStoreError {
    ModuleStoreError::UnknownVersion {
        kind,
        name: name.clone(),
        version: version.clone(),
    }
}

/// Starts a module on its database, which knows everything up to `position` where one is given.
pub(super) fn start_subscription(
    inner: &Inner,
    module: LoadedModule,
    position: Option<u64>,
) -> Result<(), ModuleError> {
    let key = (module.kind(), module.name().clone());
    let files = match module.kind() {
        ModuleKind::Effect => inner.effect_files(module.name()),
        _ => ModuleFiles {
            database: inner.data_dir.projector_database(module.name()),
            log: inner.data_dir.projector_log(module.name()),
        },
    };
    if module.kind() == ModuleKind::Projector {
        clear_foreign(&module, &files);
    }
    let starting = Starting {
        position,
        paused: inner.modules.is_paused(module.kind(), module.name())?,
        // One that has a database has begun, or is replayed.
        first_position: match module.settings().start {
            Start::Latest if !files.database.exists() => inner.services.log.head()?,
            Start::Latest | Start::Beginning => 0,
        },
    };
    let subscription = Subscription::start(module, inner.services.clone(), files, starting)
        .map_err(ModuleError::Thread)?;
    inner.subscriptions().insert(key, subscription);
    inner.started.send_replace(());
    Ok(())
}

/// Empties the read model of another major version, which nobody reads while that does not run.
fn clear_foreign(module: &LoadedModule, files: &ModuleFiles) {
    let writer = side_file::writer(&files.database);
    // A file that cannot be read says so when the module opens it.
    let Ok(Some(writer)) = writer else {
        return;
    };
    if replaying::share_read_model(&writer, module.version()) {
        return;
    }
    let (name, version) = (module.name(), module.version());
    match switch::clear(&files.database) {
        Ok(()) => tracing::info!("projector {name} {version} begins anew after {writer}"),
        Err(error) => tracing::error!(
            "projector {name} {version} begins on what {writer} left: {}",
            chain(&error)
        ),
    }
}

impl Host {
    /// Starts every active module. One that cannot run is noted as broken.
    pub(super) fn start_active(&self) -> Result<(), ModuleStoreError> {
        let inner = &self.inner;
        let _changing = inner.changing();
        let mut left = replaying::left_behind(inner);
        for stored in inner.modules.active()? {
            let stored = replaying::finish_switch(inner, stored, &mut left);
            let started = load_stored(inner, &stored).and_then(|module| match stored.kind {
                ModuleKind::Command => {
                    inner.commands.activate(module);
                    Ok(())
                }
                _ => start_subscription(inner, module, None),
            });
            if let Err(error) = started {
                let reason = chain(&error);
                tracing::error!("{} {} cannot run: {reason}", stored.kind, stored.name);
                inner
                    .broken()
                    .insert((stored.kind, stored.name), (stored.version, reason));
            }
        }
        for left in left {
            replaying::take_up(inner, left);
        }
        Ok(())
    }
}
