//! The data keys of scopes: listing and shredding them.

use super::Host;
use crate::keys::{AuditEntry, KeyError, ScopeFilter, ScopeKeys, Shredding};
use crate::shredding::ShredError;

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
