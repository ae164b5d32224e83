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

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ModuleKind;
use crate::host::Settings;
use crate::limits;

mod http_target;
mod module_limits;

#[cfg(test)]
mod tests;

pub use self::http_target::{HttpTarget, InvalidHttpTarget};
pub use self::module_limits::ModuleLimits;
pub(crate) use self::module_limits::{Allowance, OutputAllowance, SqliteAllowance};

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
        /// The key, with the table that it stands in.
        key: String,
        /// The module's kind.
        kind: ModuleKind,
        /// Whose key it is.
        reason: &'static str,
    },
    /// A limit that is none, or above the host's.
    #[error(
        "`limits.{key}` is {given}: it must be between {least} and {most}, which is the host's own \
         limit"
    )]
    Limit {
        /// The limit.
        key: &'static str,
        /// What was given.
        given: u64,
        /// The least with which a module can run.
        least: u64,
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
        let other = |key: &str, reason| {
            let key = key.to_owned();
            Err(SettingsError::OtherKind { key, kind, reason })
        };
        if kind == ModuleKind::Command && self.start != Start::default() {
            return other("start", "only projectors and effects follow the log");
        }
        if kind != ModuleKind::Effect && self.http.is_some() {
            return other("http", "only effects send requests");
        }
        let given = self.http.as_ref().map_or(0, Vec::len);
        if given > limits::MODULE_HTTP_TARGETS {
            return Err(SettingsError::HttpTargets { given });
        }
        self.limits.check(kind, host)
    }

    /// What a module of this kind may use on a host with these settings.
    pub(crate) fn allowance(&self, kind: ModuleKind, host: &Settings) -> Allowance {
        self.limits.allowance(kind, host)
    }
}

/// `start=latest memory_mb=32 http=a.example,b.example`; empty where everything is as it would be
/// anyway.
impl fmt::Display for ModuleSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let http = self.http.as_ref().map(|targets| match targets.as_slice() {
            [] => "http=nowhere".to_owned(),
            targets => {
                let targets: Vec<String> = targets.iter().map(HttpTarget::to_string).collect();
                format!("http={}", targets.join(","))
            }
        });
        let start = (self.start == Start::Latest).then(|| "start=latest".to_owned());
        let limits = self
            .limits
            .given()
            .map(|(key, value)| format!("{key}={value}"));
        let parts: Vec<String> = start.into_iter().chain(limits).chain(http).collect();
        f.write_str(&parts.join(" "))
    }
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
