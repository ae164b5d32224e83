//! The data keys of scopes: listing and shredding them.

use super::Host;
use crate::capabilities::output::Outputs;
use crate::data_dir::DataDir;
use crate::keys::{
    AuditEntry, KeyError, KeyRing, MasterKey, Rotation, ScopeFilter, ScopeKeys, Shredding,
};
use crate::shredding::{ShredError, Shredder};

impl Host {
    /// Makes everything that events of a scope say unreadable, for good: in the log, in every
    /// backup of the log, and in every copy that the host keeps. That they happened stays. Blocks
    /// while `umari.sqlite` is rewritten.
    ///
    /// Backups of `umari.sqlite` still have the scope's keys until the master key is rotated and
    /// the old one is gone. Rows that projectors and effects wrote are theirs; a projector that is
    /// built again is built without what is shredded.
    ///
    /// # Errors
    ///
    /// See [`ShredError`].
    pub fn shred(&self, shredding: &Shredding) -> Result<AuditEntry, ShredError> {
        self.inner.services.shredder.shred(shredding)
    }

    /// Wraps all data keys with a generated master key, which takes the place of the one in
    /// `master.key`. Old backups of `umari.sqlite` cannot be read with it.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoNewMasterKey`] where the master key is configured; see [`ShredError`].
    pub fn rotate_master_key(&self, rotation: &Rotation) -> Result<AuditEntry, ShredError> {
        self.inner.services.shredder.rotate(None, rotation)
    }

    /// The scopes that have or had data keys, or were shredded without any, by name.
    ///
    /// # Errors
    ///
    /// [`KeyError::Database`].
    pub fn scopes(&self, filter: &ScopeFilter) -> Result<Vec<ScopeKeys>, KeyError> {
        self.inner.keys.scopes(filter)
    }

    /// The record of what was done to keys: the entries after `after` (0 for all), oldest first.
    ///
    /// # Errors
    ///
    /// [`KeyError::Database`].
    pub fn key_audit(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, KeyError> {
        self.inner.keys.audit(after, limit)
    }

    /// How often scopes were shredded since the host started: who has read events and has not
    /// passed them on reads them again where this has changed.
    pub(crate) fn shreddings(&self) -> u64 {
        self.inner.keys.shreddings()
    }
}

/// Rotates the master key of a data directory that no host uses: from `current` (`None` for the
/// one in its `master.key`) to `new` (`None` for a generated one in `master.key`).
///
/// # Errors
///
/// [`KeyError::NoNewMasterKey`] for a `current` without a `new`; see [`ShredError`].
pub fn rotate_master_key(
    data_dir: &DataDir,
    current: Option<&MasterKey>,
    new: Option<&MasterKey>,
    rotation: &Rotation,
) -> Result<AuditEntry, ShredError> {
    let in_file = MasterKey::in_file(data_dir.master_key());
    let keys = KeyRing::open(&data_dir.database(), current.unwrap_or(&in_file));
    let keys = keys.map_err(ShredError::Keys)?.into();
    let outputs = Outputs::within(data_dir.module_directories());
    Shredder::new(keys, outputs).rotate(new, rotation)
}
