//! Which projectors and effects an operator paused. A pause belongs to the module and not to a
//! version of it, so it outlives swaps and restarts.

use chrono::Utc;
use rusqlite::params;

use super::{ModuleKind, ModuleName, ModuleStore, ModuleStoreError};

impl ModuleStore {
    /// Notes whether a projector or an effect is paused; whether that is a change. It is on disk
    /// when this returns.
    ///
    /// # Errors
    ///
    /// The database cannot be written.
    pub fn set_paused(
        &self,
        kind: ModuleKind,
        name: &ModuleName,
        paused: bool,
    ) -> Result<bool, ModuleStoreError> {
        let connection = self.connection();
        let changed = if paused {
            connection.execute(
                "INSERT OR IGNORE INTO paused_module (kind, name, paused_at) VALUES (?1, ?2, ?3)",
                params![kind.as_str(), name.as_str(), Utc::now().timestamp_micros()],
            )?
        } else {
            connection.execute(
                "DELETE FROM paused_module WHERE kind = ?1 AND name = ?2",
                params![kind.as_str(), name.as_str()],
            )?
        };
        Ok(changed > 0)
    }

    /// Whether a projector or an effect is paused.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub fn is_paused(&self, kind: ModuleKind, name: &ModuleName) -> Result<bool, ModuleStoreError> {
        Ok(self.connection().query_row(
            "SELECT EXISTS (SELECT 1 FROM paused_module WHERE kind = ?1 AND name = ?2)",
            params![kind.as_str(), name.as_str()],
            |row| row.get(0),
        )?)
    }
}
