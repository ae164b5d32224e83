//! Data keys, and the record of what was done to them.

use serde_json::Value;

use super::problem::ApiError;
use super::{Client, joined, segment};

impl Client {
    /// The encryption scopes whose names begin with `prefix`.
    pub(crate) fn scopes(&self, prefix: &str) -> Result<Vec<Value>, ApiError> {
        let prefix = format!("prefix={}", segment(prefix));
        self.pages("/keys", &prefix, "scopes")
    }

    /// The record of what was done to keys, oldest first.
    pub(crate) fn key_audit(&self) -> Result<Vec<Value>, ApiError> {
        self.pages("/keys/audit", "", "entries")
    }

    /// Shreds a scope; the entry of the record. Each of `flags` is set.
    pub(crate) fn shred(
        &self,
        scope: &str,
        flags: &[&str],
        why: &[(&str, Option<&str>)],
    ) -> Result<Value, ApiError> {
        let mut query = pairs(why);
        query.extend(flags.iter().map(|flag| format!("{flag}=true")));
        let path = format!("/keys/{}{}", segment(scope), joined(&query));
        self.document("DELETE", &path, b"", "id")
    }

    /// Rotates the master key; the entry of the record.
    pub(crate) fn rotate_master_key(
        &self,
        why: &[(&str, Option<&str>)],
    ) -> Result<Value, ApiError> {
        let path = format!("/keys/rotate{}", joined(&pairs(why)));
        self.document("POST", &path, b"", "id")
    }

    /// What all pages of a list have under `name`.
    fn pages(&self, path: &str, query: &str, name: &str) -> Result<Vec<Value>, ApiError> {
        let mut all = Vec::new();
        let mut after = None;
        loop {
            let mut query = vec![query.to_owned()];
            query.extend(after.map(|after: String| format!("after={}", segment(&after))));
            query.retain(|pair| !pair.is_empty());
            let mut page: Value =
                self.document("GET", &format!("{path}{}", joined(&query)), b"", name)?;
            if let Value::Array(items) = page[name].take() {
                all.extend(items);
            }
            after = match &page["next_after"] {
                Value::Null => return Ok(all),
                Value::String(after) => Some(after.clone()),
                after => Some(after.to_string()),
            };
        }
    }
}

fn pairs(values: &[(&str, Option<&str>)]) -> Vec<String> {
    let given = values
        .iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)));
    given
        .map(|(name, value)| format!("{name}={}", segment(value)))
        .collect()
}
