//! Upload stores, activation swaps.

use std::collections::BTreeMap;
use std::io;

use semver::Version;

use super::{Host, Inner};
use crate::limits;
use crate::modules::component::{Identity, LoadError, LoadedModule};
use crate::modules::settings::SettingsError;
use crate::modules::store::{Inserted, NewModule};
use crate::modules::{ModuleKind, ModuleName, ModuleSettings, ModuleStoreError, StoredModule};
use crate::report::chain;
use crate::subscriptions::{ModuleFiles, Subscription};

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
    inner: &Inner,
    kind: ModuleKind,
    name: &ModuleName,
    version: &Version,
) -> Result<(), ModuleError> {
    let _changing = inner.changing();
    let stored = inner.modules.get(kind, name, version)?;
    let stored = stored.ok_or_else(|| unknown(kind, name, version))?;
    if stored.active && !inner.broken().contains_key(&(kind, name.clone())) {
        return Ok(());
    }
    let module = load_stored(inner, &stored)?;
    if kind == ModuleKind::Command {
        inner.modules.set_active(kind, name, Some(version))?;
        inner.commands.activate(module);
    } else {
        stop_running(inner, kind, name)?;
        inner.modules.set_active(kind, name, Some(version))?;
        start_subscription(inner, module)?;
    }
    inner.broken().remove(&(kind, name.clone()));
    tracing::info!("{kind} {name} {version} is active");
    Ok(())
}

pub(super) fn deactivate(
    inner: &Inner,
    kind: ModuleKind,
    name: &ModuleName,
) -> Result<bool, ModuleError> {
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
fn stop_running(inner: &Inner, kind: ModuleKind, name: &ModuleName) -> Result<(), ModuleError> {
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

fn start_subscription(inner: &Inner, module: LoadedModule) -> Result<(), ModuleError> {
    let key = (module.kind(), module.name().clone());
    let files = match module.kind() {
        ModuleKind::Effect => ModuleFiles {
            database: inner.data_dir.effect_database(module.name()),
            log: inner.data_dir.effect_log(module.name()),
        },
        _ => ModuleFiles {
            database: inner.data_dir.projector_database(module.name()),
            log: inner.data_dir.projector_log(module.name()),
        },
    };
    let paused = inner.modules.is_paused(module.kind(), module.name())?;
    let subscription = Subscription::start(module, inner.services.clone(), files, paused)
        .map_err(ModuleError::Thread)?;
    inner.subscriptions().insert(key, subscription);
    inner.started.send_replace(());
    Ok(())
}

impl Host {
    /// Starts every active module. One that cannot run is noted as broken.
    pub(super) fn start_active(&self) -> Result<(), ModuleStoreError> {
        let inner = &*self.inner;
        let _changing = inner.changing();
        for stored in inner.modules.active()? {
            let started = load_stored(inner, &stored).and_then(|module| match stored.kind {
                ModuleKind::Command => {
                    inner.commands.activate(module);
                    Ok(())
                }
                _ => start_subscription(inner, module),
            });
            if let Err(error) = started {
                let reason = chain(&error);
                tracing::error!("{} {} cannot run: {reason}", stored.kind, stored.name);
                inner
                    .broken()
                    .insert((stored.kind, stored.name), (stored.version, reason));
            }
        }
        Ok(())
    }
}
