//! What a module's manifest says about how it runs: `[package.metadata.umari]` without its
//! variables.
//!
//! Settings belong to a version as its bytes do, and travel with it as one JSON document:
//!
//! ```json
//! {"start": "latest", "limits": {"memory_mb": 32}, "http": ["api.example.com"]}
//! ```
//!
//! Everything may be left out; what is not known is refused, so that a misspelt limit is not one
//! that is missing. Settings only ever lower what the host allows.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ModuleKind;
use crate::host::Settings;
use crate::limits;

mod http_target;

#[cfg(test)]
mod tests;

pub use self::http_target::{HttpTarget, InvalidHttpTarget};

/// How one version of a module runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ModuleSettings {
    /// Where a projector or an effect begins that has no position yet.
    #[serde(skip_serializing_if = "is_default")]
    pub start: Start,
    /// What the module may use, where that is less than the host's own limits.
    #[serde(skip_serializing_if = "is_default")]
    pub limits: ModuleLimits,
    /// Where an effect may send requests, within what the host allows; `None` for everywhere
    /// there, an empty list for nowhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub http: Option<Vec<HttpTarget>>,
}

/// Where a projector or an effect begins that has no position yet.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Start {
    /// At the log's first event.
    #[default]
    Beginning,
    /// Behind the log's head at its first activation: what happened before is not for it.
    Latest,
}

/// What a module may use; `None` is the host's own limit, and nothing may be above it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[non_exhaustive]
pub struct ModuleLimits {
    /// Linear memory of one instance, in units of 2^20 bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mb: Option<u64>,
    /// How long a command may take, and a projector or an effect to start or for one event, in
    /// milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline_ms: Option<u64>,
    /// Size of a projector's or an effect's database, in units of 2^20 bytes. A database that is
    /// larger already does not grow further.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sqlite_mb: Option<u64>,
}

/// Why settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// They are not JSON of the right form, or have a key that there is not.
    #[error("{0}")]
    Malformed(String),
    /// A key that means nothing for modules of this kind.
    #[error("`{key}` is not for a {kind}: {reason}")]
    OtherKind {
        /// The key.
        key: &'static str,
        /// The module's kind.
        kind: ModuleKind,
        /// Whose key it is.
        reason: &'static str,
    },
    /// A limit that is none, or above the host's.
    #[error(
        "`limits.{key}` is {given}: it must be between 1 and {most}, which is the host's own limit"
    )]
    Limit {
        /// The limit.
        key: &'static str,
        /// What was given.
        given: u64,
        /// The most that the host allows.
        most: u64,
    },
    /// A long list of destinations.
    #[error(
        "`http` has {given} entries: at most {} are allowed",
        limits::MODULE_HTTP_TARGETS
    )]
    HttpTargets {
        /// How many it has.
        given: usize,
    },
}

impl ModuleSettings {
    /// Reads the JSON document.
    ///
    /// # Errors
    ///
    /// [`SettingsError::Malformed`], which names a key that there is not and those that there are.
    pub fn from_json(text: &str) -> Result<Self, SettingsError> {
        let malformed = |error: String| SettingsError::Malformed(error);
        // By way of a value: what is wrong is told by its key then, not by its column.
        let document: Value = serde_json::from_str(text)
            .map_err(|error| malformed(format!("they are not JSON: {error}")))?;
        serde_path_to_error::deserialize(document).map_err(|error| {
            let path = error.path().to_string();
            malformed(match path.as_str() {
                "." => error.into_inner().to_string(),
                path => format!("`{path}`: {}", error.inner()),
            })
        })
    }

    /// The JSON document, without what is as it would be anyway.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// Checks that a module of this kind can be run by these settings on a host with those.
    ///
    /// # Errors
    ///
    /// A key is not for this kind, or a limit is not within the host's.
    pub fn check(&self, kind: ModuleKind, host: &Settings) -> Result<(), SettingsError> {
        let other = |key, reason| Err(SettingsError::OtherKind { key, kind, reason });
        if kind == ModuleKind::Command && self.start != Start::default() {
            return other("start", "only projectors and effects follow the log");
        }
        if kind != ModuleKind::Effect && self.http.is_some() {
            return other("http", "only effects send requests");
        }
        if kind == ModuleKind::Command && self.limits.sqlite_mb.is_some() {
            return other(
                "limits.sqlite_mb",
                "only projectors and effects have a database",
            );
        }
        let given = self.http.as_ref().map_or(0, Vec::len);
        if given > limits::MODULE_HTTP_TARGETS {
            return Err(SettingsError::HttpTargets { given });
        }
        self.limits.check(kind, host)
    }

    /// What a module of this kind may use on a host with these settings.
    pub(crate) fn allowance(&self, kind: ModuleKind, host: &Settings) -> Allowance {
        let most = Most::of(kind, host);
        let ModuleLimits {
            memory_mb,
            deadline_ms,
            sqlite_mb,
        } = self.limits;
        let memory = memory_mb.map(|mb| mb.saturating_mul(BYTES_PER_MB));
        let deadline = deadline_ms.map(Duration::from_millis);
        let pages = sqlite_mb.map(|mb| mb.saturating_mul(PAGES_PER_MB));
        let within = |own: Option<u64>, most: u64| own.map_or(most, |own| own.min(most));
        Allowance {
            memory_bytes: usize::try_from(within(memory, host.memory_bytes as u64))
                .unwrap_or(host.memory_bytes),
            deadline: deadline.map_or(most.deadline, |own| own.min(most.deadline)),
            sqlite_pages: u32::try_from(within(pages, limits::SQLITE_PAGES.into()))
                .unwrap_or(limits::SQLITE_PAGES),
        }
    }
}

/// `start=latest memory_mb=32 http=a.example,b.example`; empty where everything is as it would be
/// anyway.
impl fmt::Display for ModuleSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ModuleLimits {
            memory_mb,
            deadline_ms,
            sqlite_mb,
        } = self.limits;
        let limit = |key: &str, value: Option<u64>| value.map(|value| format!("{key}={value}"));
        let http = self.http.as_ref().map(|targets| match targets.as_slice() {
            [] => "http=nowhere".to_owned(),
            targets => {
                let targets: Vec<String> = targets.iter().map(HttpTarget::to_string).collect();
                format!("http={}", targets.join(","))
            }
        });
        let parts = [
            (self.start == Start::Latest).then(|| "start=latest".to_owned()),
            limit("memory_mb", memory_mb),
            limit("deadline_ms", deadline_ms),
            limit("sqlite_mb", sqlite_mb),
            http,
        ];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        f.write_str(&parts.join(" "))
    }
}

const BYTES_PER_MB: u64 = 1 << 20;
/// Pages of 4 KiB.
const PAGES_PER_MB: u64 = 256;

/// What one module may use: the host's own limits, lowered by the module's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Allowance {
    pub(crate) memory_bytes: usize,
    pub(crate) deadline: Duration,
    pub(crate) sqlite_pages: u32,
}

/// The host's own limits for modules of one kind, in the units of settings.
struct Most {
    memory_mb: u64,
    deadline: Duration,
    sqlite_mb: u64,
}

impl Most {
    fn of(kind: ModuleKind, host: &Settings) -> Self {
        Self {
            memory_mb: host.memory_bytes as u64 / BYTES_PER_MB,
            deadline: match kind {
                ModuleKind::Command => host.command_deadline,
                ModuleKind::Projector => host.projector_deadline,
                ModuleKind::Effect => host.effect_deadline,
            },
            sqlite_mb: u64::from(limits::SQLITE_PAGES) / PAGES_PER_MB,
        }
    }
}

impl ModuleLimits {
    fn check(&self, kind: ModuleKind, host: &Settings) -> Result<(), SettingsError> {
        let most = Most::of(kind, host);
        let deadline_ms = u64::try_from(most.deadline.as_millis()).unwrap_or(u64::MAX);
        for (key, given, most) in [
            ("memory_mb", self.memory_mb, most.memory_mb),
            ("deadline_ms", self.deadline_ms, deadline_ms),
            ("sqlite_mb", self.sqlite_mb, most.sqlite_mb),
        ] {
            if let Some(given) = given
                && !(1..=most).contains(&given)
            {
                return Err(SettingsError::Limit { key, given, most });
            }
        }
        Ok(())
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
