//! What can go wrong with keys.

use std::io;
use std::path::PathBuf;

use uuid::Uuid;

use crate::data_dir::DatabaseError;

/// Why a key could not be had, or could not do its work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The configured master key is not a key. Its value is not repeated here.
    #[error(
        "the master key has {characters} characters or some that are not hexadecimal: it must be \
         64 hexadecimal digits, as `openssl rand -hex 32` prints them"
    )]
    MalformedMasterKey {
        /// How many characters it has.
        characters: usize,
    },
    /// The master key's file lets others read it.
    #[error(
        "the master key {} can be read by other users (mode {mode:03o}): run `chmod 600` on it",
        path.display()
    )]
    ExposedMasterKey {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The data keys are wrapped, and the file with the master key is gone.
    #[error(
        "the master key {} is missing, and without it no encrypted payload can be read: restore \
         the file, or set UMARI_MASTER_KEY if that is where the key was", path.display()
    )]
    MissingMasterKey {
        /// The file.
        path: PathBuf,
    },
    /// The master key's file could not be read or written.
    #[error("the master key {} could not be read or created", path.display())]
    MasterKeyFile {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// The data keys were wrapped with another master key.
    #[error(
        "the master key is not the one that the data keys are wrapped with: set UMARI_MASTER_KEY to \
         that key, or restore its master.key"
    )]
    WrongMasterKey,
    /// The master key is configured, and so must be the one that follows it.
    #[error(
        "the master key comes from UMARI_MASTER_KEY, so the new one has to be given too: stop the \
         host and run `umari keys rotate --data-dir DIR` with UMARI_NEW_MASTER_KEY set"
    )]
    NoNewMasterKey,
    /// The new master key is the old one.
    #[error(
        "the new master key is the one that is in use: nothing was rotated; `openssl rand -hex 32` \
         makes another"
    )]
    SameMasterKey,
    /// A wrapped data key is not what was written.
    #[error(
        "data key {key_id} has been changed since it was written: restore umari.sqlite from a \
         backup"
    )]
    DamagedDataKey {
        /// The key.
        key_id: Uuid,
    },
    /// A data key is not in the database, and was not shredded.
    #[error(
        "data key {key_id} of {scope} is missing, and was never shredded: restore umari.sqlite from \
         a backup that has it; if there is none, `umari keys shred {scope} --allow-unknown` accepts the \
         loss"
    )]
    Lost {
        /// The key.
        key_id: Uuid,
        /// The scope that it belongs to.
        scope: String,
    },
    /// A scope that is to be shredded has no data key and never had one.
    #[error(
        "the scope {scope} has no data key and never had one: nothing was shredded; a scope is the \
         name and value of a domain id, such as shop_id:42"
    )]
    UnknownScope {
        /// The scope.
        scope: String,
    },
    /// Data keys were deleted, but the database could not be rewritten.
    #[error(
        "the data keys are deleted, but their bytes may still be in the files of umari.sqlite: see \
         to the cause, then shred the scope again or restart the host"
    )]
    NotErased(#[source] rusqlite::Error),
    /// A payload, or something that it is bound to, is not what was encrypted.
    #[error("the payload does not authenticate")]
    NotAuthentic,
    /// The system has no randomness to give.
    #[error("the operating system gave no random bytes: {reason}")]
    Randomness {
        /// Its reason.
        reason: String,
    },
    /// `umari.sqlite` could not be opened.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// `umari.sqlite` could not be read or written.
    #[error("the data keys in umari.sqlite could not be read or written")]
    Database(#[from] rusqlite::Error),
}
