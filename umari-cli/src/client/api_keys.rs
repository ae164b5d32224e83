//! API keys.

use serde_json::{Value, json};

use super::problem::ApiError;
use super::{Client, segment};

impl Client {
    /// Makes a key; the answer alone has it.
    pub(crate) fn create_api_key(&self, name: &str, scopes: &[&str]) -> Result<Value, ApiError> {
        let body = json!({ "name": name, "scopes": scopes }).to_string();
        self.document("POST", "/api-keys", body.as_bytes(), "key")
    }

    /// All keys, as the server lists them.
    pub(crate) fn api_keys(&self) -> Result<Value, ApiError> {
        self.document("GET", "/api-keys", b"", "api_keys")
    }

    /// Makes the key with this id invalid.
    pub(crate) fn revoke_api_key(&self, id: &str) -> Result<(), ApiError> {
        let path = format!("/api-keys/{}", segment(id));
        self.call_for_nothing("DELETE", &path, &[], &[])
    }
}
