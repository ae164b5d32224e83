//! What the server answers, as far as the command line reads it.
//!
//! Fields that are only printed stay JSON, so that a newer server's additions reach the user.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::kind::ModuleKind;

/// Whether every active module is up.
#[derive(Debug, Clone)]
pub(crate) struct Health {
    /// Every active module is subscribed and none stands still.
    pub(crate) healthy: bool,
    /// The server's own words.
    pub(crate) details: Value,
}

/// What a command committed.
#[derive(Debug, Clone)]
pub(crate) struct Receipt {
    /// The position of the last event, or `None` when nothing was emitted.
    pub(crate) position: Option<u64>,
    /// The events in order.
    pub(crate) events: Vec<ReceiptEvent>,
    /// How often the command ran; more than once after conflicts.
    pub(crate) attempts: Option<u64>,
    /// How far the projectors are that were waited for.
    pub(crate) projectors: Vec<ReachedProjector>,
    /// The answer as it came.
    pub(crate) raw: Value,
}

/// One event that a command committed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ReceiptEvent {
    /// The event's id.
    pub(crate) id: String,
    /// Its type.
    pub(crate) event_type: String,
    /// Its domain ids by name.
    #[serde(default)]
    pub(crate) domain_ids: BTreeMap<String, Value>,
}

/// How far a projector is that a command waited for.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ReachedProjector {
    /// Its name.
    pub(crate) name: String,
    /// Everything up to here is handled.
    #[serde(default)]
    pub(crate) position: u64,
    /// Whether it has what the command wrote.
    #[serde(default)]
    pub(crate) reached: bool,
    /// Why it stands still, if it does.
    #[serde(default)]
    pub(crate) failure: Option<String>,
}

impl Receipt {
    /// Reads a receipt and keeps the whole answer beside it.
    pub(crate) fn read(raw: Value) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Known {
            position: Option<u64>,
            events: Vec<ReceiptEvent>,
            attempts: Option<u64>,
            #[serde(default)]
            projectors: Vec<ReachedProjector>,
        }
        let Known {
            position,
            events,
            attempts,
            projectors,
        } = Known::deserialize(&raw)?;
        Ok(Self {
            position,
            events,
            attempts,
            projectors,
            raw,
        })
    }
}

/// A stored version.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Stored {
    /// The digest of the stored bytes, in hex.
    pub(crate) sha256: String,
}

/// A module and its versions.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct ModuleDetail {
    /// The version that runs.
    #[serde(default, alias = "active_version")]
    pub(crate) active: Option<String>,
    /// Every stored version.
    pub(crate) versions: Vec<StoredVersion>,
}

/// One stored version in a module's detail.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct StoredVersion {
    /// The version.
    pub(crate) version: String,
    /// The digest of its bytes, in hex.
    pub(crate) sha256: String,
    /// The names of its environment variables. Their values may be secrets and are not shown.
    #[serde(default)]
    pub(crate) env: Vec<String>,
    /// Its settings, whole.
    #[serde(default = "no_settings")]
    pub(crate) settings: Value,
}

/// What a server says that knows no settings.
fn no_settings() -> Value {
    Value::Object(serde_json::Map::new())
}

/// The active modules.
#[derive(Debug, Clone)]
pub(crate) struct Modules {
    /// In the server's order.
    pub(crate) modules: Vec<ModuleStatus>,
    /// The answer as it came.
    pub(crate) raw: Value,
}

impl Modules {
    /// Reads the list and keeps the whole answer beside it.
    pub(crate) fn read(raw: Value) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Known {
            modules: Vec<ModuleStatus>,
        }
        let Known { modules } = Known::deserialize(&raw)?;
        Ok(Self { modules, raw })
    }
}

/// One active module.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ModuleStatus {
    /// What it is.
    pub(crate) kind: ModuleKind,
    /// Its name.
    pub(crate) name: String,
    /// The version that runs.
    #[serde(default)]
    pub(crate) version: Option<String>,
    /// What it is doing.
    #[serde(default)]
    pub(crate) status: Option<String>,
    /// The last event that it has dealt with.
    #[serde(default)]
    pub(crate) position: Option<u64>,
    /// The last event that there is.
    #[serde(default)]
    pub(crate) head: Option<u64>,
    /// The events between the two.
    #[serde(default)]
    pub(crate) lag: Option<u64>,
    /// Events that it handles in a second, of late.
    #[serde(default)]
    pub(crate) events_per_second: Option<f64>,
    /// The replay of its read model that runs or has failed.
    #[serde(default)]
    pub(crate) replay: Option<Value>,
    /// Why it stands still: text, or a document with a `message`.
    #[serde(default)]
    pub(crate) last_error: Option<Value>,
}

impl ModuleStatus {
    /// How often it has failed at the same place; `None` where that is not counted.
    pub(crate) fn failures(&self) -> Option<u64> {
        self.last_error.as_ref()?.get("attempts")?.as_u64()
    }

    /// The position of the event that it fails at; `None` where it does not even start.
    pub(crate) fn failed_at(&self) -> Option<u64> {
        self.last_error.as_ref()?.get("position")?.as_u64()
    }

    /// The last error as one line.
    pub(crate) fn last_error_line(&self) -> Option<String> {
        let error = self.last_error.as_ref().filter(|error| !error.is_null())?;
        let text = error
            .as_str()
            .or_else(|| error.get("message").and_then(Value::as_str));
        let text = text.map_or_else(|| error.to_string(), str::to_owned);
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
