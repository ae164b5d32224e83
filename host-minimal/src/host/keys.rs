//! The data keys of scopes: listing and shredding them.

use super::Host;
use crate::capabilities::output::Outputs;
use crate::data_dir::{self, DataDir};
use crate::keys::{
    AuditEntry, KeyError, KeyRing, MasterKey, ReaderReplay, Rotation, ScopeFilter, ScopeKeys,
    Shredding,
};
use crate::modules::ModuleKind;
use crate::report::chain;
use crate::shredding::{ShredError, Shredder};
use crate::snapshots::Snapshots;

impl Host {
    /// Makes everything that events of a scope say unreadable, for good: in the log, in every
    /// backup of the log, and in every copy that the host keeps. That they happened stays. Blocks
    /// while `umari.sqlite` is rewritten.
    ///
    /// Backups of `umari.sqlite` still have the scope's keys until the master key is rotated and
    /// the old one is gone. Rows that projectors and effects wrote are theirs, and the entry names
    /// those that have handled events of the scope; [`replay_readers`](Self::replay_readers) builds
    /// the projectors among them again, without what is shredded.
    ///
    /// # Errors
    ///
    /// See [`ShredError`].
    pub fn shred(&self, shredding: &Shredding) -> Result<AuditEntry, ShredError> {
        self.inner.services.shredder.shred(shredding)
    }

    /// Replays the projectors that a shredding names and that keep data, so that what they made of
    /// the scope's events goes, and notes in the record what came of it. Effects are left alone.
    ///
    /// # Errors
    ///
    /// [`KeyError::Database`] where that cannot be noted; the replays go on.
    pub fn replay_readers(&self, mut entry: AuditEntry) -> Result<AuditEntry, KeyError> {
        let Some(readers) = &mut entry.readers else {
            return Ok(entry);
        };
        let kind = ModuleKind::Projector.as_str();
        for reader in readers.iter_mut() {
            let Ok(name) = reader.name.parse() else {
                continue;
            };
            if reader.kind != kind || !reader.keeps_data {
                continue;
            }
            reader.replay = Some(match self.replay_afresh(&name) {
                Ok(()) => ReaderReplay::Begun,
                Err(error) => ReaderReplay::Refused(chain(&error)),
            });
        }
        self.inner.keys.note_readers(entry.id, readers)?;
        Ok(entry)
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
    let path = data_dir.snapshots();
    // Their key is wrapped by the current one.
    data_dir::remove_database(&path)
        .map_err(|source| ShredError::Keys(KeyError::MasterKeyFile { path, source }))?;
    Shredder::new(keys, outputs, Snapshots::none()).rotate(new, rotation)
}
