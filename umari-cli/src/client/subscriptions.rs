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
        self.call("POST", &path, &[], &[])
    }
}
