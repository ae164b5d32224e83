//! How the host and its modules are doing.

use semver::Version;

use super::Inner;
use crate::modules::{ModuleKind, ModuleName, ModuleStoreError};
use crate::replay::ReplayStatus;
use crate::subscriptions::{Subscription, SubscriptionStatus};

/// How one active module is doing.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleStatus {
    /// What kind of module it is.
    pub kind: ModuleKind,
    /// Its name.
    pub name: ModuleName,
    /// The version that is active.
    pub version: Version,
    /// How it follows the log; `None` for a command, and for a module that cannot run.
    pub subscription: Option<SubscriptionStatus>,
    /// Why the module cannot run at all.
    pub broken: Option<String>,
    /// The replay of a projector that runs or has failed.
    pub replay: Option<ReplayStatus>,
}

impl ModuleStatus {
    /// Whether the module does what it is there for.
    pub fn is_healthy(&self) -> bool {
        self.broken.is_none()
            && match &self.subscription {
                Some(subscription) => subscription.is_healthy(),
                None => self.kind == ModuleKind::Command,
            }
    }

    /// One word for how it is doing, as the API and the CLI write it.
    pub fn word(&self) -> &'static str {
        match &self.subscription {
            _ if self.broken.is_some() => "broken",
            Some(subscription) if subscription.is_paused() => subscription.phase.as_str(),
            Some(subscription) if subscription.stalled => "stalled",
            Some(subscription) if subscription.failure.is_some() => "retrying",
            Some(subscription) => subscription.phase.as_str(),
            None if self.kind == ModuleKind::Command => "ready",
            None => "stopped",
        }
    }
}

/// Whether a host does what it is there for.
#[derive(Debug, Clone, PartialEq)]
pub struct Health {
    /// Active modules that do not.
    pub unhealthy: Vec<ModuleStatus>,
    /// Active modules that an operator paused. They are not unhealthy for that.
    pub paused: Vec<ModuleStatus>,
    /// Why the event store failed, if it did.
    pub store_failure: Option<String>,
}

impl Health {
    /// Whether everything runs.
    pub fn is_healthy(&self) -> bool {
        self.unhealthy.is_empty() && self.store_failure.is_none()
    }
}

pub(super) fn modules(inner: &Inner) -> Result<Vec<ModuleStatus>, ModuleStoreError> {
    let active = inner.modules.active()?;
    let subscriptions = inner.subscriptions();
    let broken = inner.broken();
    Ok(active
        .into_iter()
        .map(|module| {
            let key = (module.kind, module.name);
            ModuleStatus {
                version: module.version,
                subscription: subscriptions.get(&key).map(Subscription::status),
                broken: broken.get(&key).map(|(_, reason)| reason.clone()),
                replay: replay(inner, &key),
                kind: key.0,
                name: key.1,
            }
        })
        .collect())
}

/// A replay that is of interest while its projector is looked at.
fn replay(inner: &Inner, (kind, name): &(ModuleKind, ModuleName)) -> Option<ReplayStatus> {
    if *kind != ModuleKind::Projector {
        return None;
    }
    // Where the log cannot be read, that is said elsewhere.
    let head = inner.services.log.head().unwrap_or_default();
    let status = inner.replays.status(name, head)?;
    (!status.state.has_ended() || status.failure.is_some()).then_some(status)
}

pub(super) fn health(inner: &Inner) -> Result<Health, ModuleStoreError> {
    let (healthy, unhealthy): (Vec<_>, Vec<_>) = modules(inner)?
        .into_iter()
        .partition(ModuleStatus::is_healthy);
    let is_paused = |module: &ModuleStatus| {
        let subscription = module.subscription.as_ref();
        subscription.is_some_and(SubscriptionStatus::is_paused)
    };
    Ok(Health {
        unhealthy,
        paused: healthy.into_iter().filter(is_paused).collect(),
        store_failure: inner.failure.borrow().clone(),
    })
}
