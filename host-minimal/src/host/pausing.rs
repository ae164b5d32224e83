//! Pausing projectors and effects, and letting them go on.

use super::{Host, Inner};
use crate::modules::{ModuleKind, ModuleName, ModuleStoreError};
use crate::subscriptions::Subscription;

/// Why a module was not paused or resumed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PauseError {
    /// No version of the module is stored.
    #[error("there is no {kind} {name}")]
    Unknown {
        /// Its kind.
        kind: ModuleKind,
        /// Its name.
        name: ModuleName,
    },
    /// Commands run when they are called.
    #[error("the command {0} follows no events, so there is nothing to pause: deactivate it")]
    Command(ModuleName),
    /// The change could not be saved.
    #[error(transparent)]
    Store(#[from] ModuleStoreError),
}

impl Host {
    /// Pauses a projector or an effect: it comes to rest after the event that it handles, and stays
    /// there until it is resumed, over restarts and other versions of it. Returns when that is
    /// noted, which is before a handler that takes long has ended; whether it is a change.
    ///
    /// # Errors
    ///
    /// See [`PauseError`].
    pub fn pause(&self, kind: ModuleKind, name: &ModuleName) -> Result<bool, PauseError> {
        self.inner.set_paused(kind, name, true, Subscription::pause)
    }

    /// Lets a paused module go on where it stood, an event that failed at once; whether it was
    /// paused.
    ///
    /// # Errors
    ///
    /// See [`PauseError`].
    pub fn resume(&self, kind: ModuleKind, name: &ModuleName) -> Result<bool, PauseError> {
        self.inner
            .set_paused(kind, name, false, Subscription::resume)
    }
}

impl Inner {
    fn set_paused(
        &self,
        kind: ModuleKind,
        name: &ModuleName,
        paused: bool,
        tell: fn(&Subscription),
    ) -> Result<bool, PauseError> {
        if kind == ModuleKind::Command {
            return Err(PauseError::Command(name.clone()));
        }
        let _changing = self.changing();
        if self.modules.versions(kind, name)?.is_empty() {
            let name = name.clone();
            return Err(PauseError::Unknown { kind, name });
        }
        let changed = self.modules.set_paused(kind, name, paused)?;
        if let Some(running) = self.subscriptions().get(&(kind, name.clone())) {
            tell(running);
        }
        if changed {
            let done = if paused { "paused" } else { "resumed" };
            tracing::info!("{kind} {name} is {done}");
        }
        Ok(changed)
    }
}
