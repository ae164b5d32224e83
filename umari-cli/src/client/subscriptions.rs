//! Operating projectors and effects.

use serde_json::Value;

use super::problem::ApiError;
use super::{Client, module_path};
use crate::kind::ModuleKind;

impl Client {
    /// Pauses a projector or an effect, or lets it go on.
    pub(crate) fn set_paused(
        &self,
        kind: ModuleKind,
        name: &str,
        paused: bool,
    ) -> Result<Value, ApiError> {
        let action = if paused { "pause" } else { "resume" };
        let path = format!("{}/{action}", module_path(kind, name));
        self.document("POST", &path, b"", "paused")
    }

    /// Parks an event that an effect fails at; the first one where no position is given.
    pub(crate) fn park(&self, effect: &str, position: Option<u64>) -> Result<Value, ApiError> {
        let body = position.map(|position| serde_json::json!({ "position": position }).to_string());
        let path = format!("{}/park", module_path(ModuleKind::Effect, effect));
        let body = body.unwrap_or_default();
        self.document("POST", &path, body.as_bytes(), "outcome")
    }

    /// The events that an effect has parked.
    pub(crate) fn parked(&self, effect: &str) -> Result<Value, ApiError> {
        let path = format!("{}/parked", module_path(ModuleKind::Effect, effect));
        self.document("GET", &path, b"", "parked")
    }

    /// Delivers a parked event once more.
    pub(crate) fn unpark(&self, effect: &str, position: u64) -> Result<Value, ApiError> {
        let path = module_path(ModuleKind::Effect, effect);
        self.document(
            "POST",
            &format!("{path}/parked/{position}/retry"),
            b"",
            "outcome",
        )
    }

    /// Drops a parked event for good.
    pub(crate) fn drop_parked(&self, effect: &str, position: u64) -> Result<Value, ApiError> {
        let path = module_path(ModuleKind::Effect, effect);
        self.document(
            "DELETE",
            &format!("{path}/parked/{position}"),
            b"",
            "outcome",
        )
    }
}
