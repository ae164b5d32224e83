//! Events that an effect cannot handle, and what an operator does with them.

use super::{Host, Inner};
use crate::modules::settings::OutputAllowance;
use crate::modules::{ModuleKind, ModuleName};
use crate::subscriptions::effect::operating::{self, EffectHandle};
use crate::subscriptions::{FailedEvent, ModuleFiles, ParkError, ParkOutcome, Phase, RetryOutcome};

impl Host {
    /// Puts an event that an effect fails at aside, so that its lane goes on: the one at `position`,
    /// or the first that fails. It is kept until it is handled after all or dropped, or until the
    /// effect is replayed. Where an attempt is under way that outlasts
    /// [`limits::PARK_PATIENCE`](crate::limits::PARK_PATIENCE), it is parked if that fails.
    ///
    /// # Errors
    ///
    /// See [`ParkError`].
    pub fn park(
        &self,
        effect: &ModuleName,
        position: Option<u64>,
    ) -> Result<ParkOutcome, ParkError> {
        let inner = &*self.inner;
        let changing = inner.changing();
        inner.known_effect(effect)?;
        let running = inner.effect(effect);
        let (running, phase) = running.ok_or_else(|| ParkError::NotActive(effect.clone()))?;
        // A paused effect must stay so meanwhile. Lanes that run park their events themselves, which
        // may take a moment and holds nobody up.
        let _changing = (phase == Phase::Paused).then_some(changing);
        running.park(phase, position)
    }

    /// The events of an effect that are parked, by position.
    ///
    /// # Errors
    ///
    /// See [`ParkError`].
    pub fn parked(&self, effect: &ModuleName) -> Result<Vec<FailedEvent>, ParkError> {
        self.inner.known_effect(effect)?;
        let files = self.inner.effect_files(effect);
        Ok(operating::parked(&files.database)?)
    }

    /// Delivers a parked event once more, in its lane and after what the lane has to do. Waits for
    /// [`limits::PARK_PATIENCE`](crate::limits::PARK_PATIENCE) at most. An effect that does not run,
    /// or is paused, delivers it when it does.
    ///
    /// # Errors
    ///
    /// See [`ParkError`].
    pub fn retry_parked(
        &self,
        effect: &ModuleName,
        position: u64,
    ) -> Result<RetryOutcome, ParkError> {
        let inner = &*self.inner;
        inner.known_effect(effect)?;
        let files = inner.effect_files(effect);
        let event = operating::queue(effect, &files.database, position)?;
        match inner.effect(effect) {
            Some((running, phase)) if !phase.is_paused() => running.deliver(event),
            _ => Ok(RetryOutcome::Pending(event)),
        }
    }

    /// Drops a parked event for good; what it was. A line in the effect's log file says so.
    ///
    /// # Errors
    ///
    /// See [`ParkError`].
    pub fn drop_parked(
        &self,
        effect: &ModuleName,
        position: u64,
    ) -> Result<FailedEvent, ParkError> {
        let inner = &*self.inner;
        inner.known_effect(effect)?;
        let files = inner.effect_files(effect);
        let output = match inner.effect(effect) {
            Some((running, _)) => running.output(),
            None => inner
                .services
                .outputs
                .logged(&files.log, OutputAllowance::default()),
        };
        operating::discard(effect, &files, &output, position)
    }
}

impl Inner {
    fn known_effect(&self, name: &ModuleName) -> Result<(), ParkError> {
        if self.modules.versions(ModuleKind::Effect, name)?.is_empty() {
            return Err(ParkError::Unknown(name.clone()));
        }
        Ok(())
    }

    fn effect(&self, name: &ModuleName) -> Option<(EffectHandle, Phase)> {
        let subscriptions = self.subscriptions();
        let running = subscriptions.get(&(ModuleKind::Effect, name.clone()))?;
        Some((running.effect()?, running.status().phase))
    }

    pub(super) fn effect_files(&self, name: &ModuleName) -> ModuleFiles {
        ModuleFiles {
            database: self.data_dir.effect_database(name),
            log: self.data_dir.effect_log(name),
        }
    }
}
