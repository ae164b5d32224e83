//! Backups: the event log as lines of JSON, whole or in pieces, and back.
//!
//! A backup is text, so that it outlives this program and its store. Each line is one object with
//! one member that says what it is, and a `chain`:
//!
//! | line | holds |
//! |---|---|
//! | `backup` | first: the format, the log by the id of its first event (`log`), what the backup begins behind (`after`, `after_id`) and where it ends (`head`), whether keys are in it |
//! | `event` | an event as the store has it: `position`, `id`, `event_type`, `tags` and `metadata` in their order, those of the host included, and the data as `payload` (text) or `base64` (what is encrypted) |
//! | `master_key` | what tells the right master key from a wrong one; never the key |
//! | `key` | a data key, wrapped by the master key |
//! | `shredded` | a scope whose data keys were deleted, and up to which |
//! | `broken` | why the writer could not go on |
//! | `end` | last: how many events, keys and shredded scopes there are |
//!
//! `chain` is the SHA-256, in hexadecimal, of the previous line's chain (32 zero bytes before the
//! first) and this line up to `,"chain":`. So a line that is changed, lost, added or moved shows at
//! its place, and a file that is cut has no `end`. It finds damage, not forgery: who can write the
//! file can compute the chain.
//!
//! An incremental backup is a file of its own that begins behind another's end. What comes before
//! is known by the id of the event there, so a piece of another log, or of a log that went another
//! way, is refused.
//!
//! Modules and keys of the API are not in a backup: they are deployed and made anew. Nor is the audit
//! of data keys, nor what is derived from the log; projectors build it again, and **an effect begins with the first event**
//! unless its settings say otherwise.
//!
//! With [`Keys::Wrapped`] a backup can be read by whoever has the master key, and deleting a scope's
//! data keys later does not change that: rotate the master key, or keep no keys in backups.

mod format;
mod read;
mod restore;
mod write;

#[cfg(test)]
mod tests;

use uuid::Uuid;

pub use read::{Damage, Flaw, Outline, outline};
pub use restore::{RestoreError, Restored, restore};
pub use write::{BackupError, back_up_directory};
pub(crate) use write::{check, write};

/// Whether the data keys are in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keys {
    /// All of them, wrapped by the master key as they are kept.
    #[default]
    Wrapped,
    /// None: encrypted payloads can only be read where the keys are already.
    None,
}

/// What to back up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Request {
    /// Events up to this position are left out; 0 leaves none out.
    pub after: u64,
    /// The id of the event at `after`, where the caller knows it.
    pub after_id: Option<Uuid>,
    /// Whether the data keys are wanted.
    pub keys: Keys,
}
