//! Opening a module's own database, which must be one, and of this log.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use super::Runtime;
use super::instance::SubscriptionError;
use super::progress;
use crate::capabilities::sqlite::{Begin, SqliteContext};

/// Why a module's database cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnusableDatabase {
    /// It is none, or no longer one.
    #[error(
        "{} is not a database that can be read: restore it from a backup, or delete it with its \
         -wal and -shm, and the module handles every event again", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        #[source]
        source: rusqlite::Error,
    },
    /// It comes from another log, or from a later state of this one.
    #[error(
        "{} has handled everything up to position {position}, but the log ends at {head}: it \
         belongs to another log; delete it with its -wal and -shm, and the module handles every \
         event again", path.display()
    )]
    AheadOfLog {
        /// The file.
        path: PathBuf,
        /// What it says.
        position: u64,
        /// Where the log ends.
        head: u64,
    },
}

/// Opens the database, made where it is missing, with the host's tables in it.
pub(super) fn open(
    runtime: &Runtime,
    begin: Begin,
    pages: u32,
) -> Result<SqliteContext, SubscriptionError> {
    let path = &runtime.files.database;
    let open = || {
        let sqlite = SqliteContext::open(path, begin, pages)?;
        progress::prepare(sqlite.host(), runtime.first_position)?;
        let position = progress::last_position(sqlite.host())?;
        Ok((sqlite, position))
    };
    let (sqlite, position) =
        open().map_err(|source: rusqlite::Error| match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                let path = path.clone();
                Box::new(UnusableDatabase::Damaged { path, source }).into()
            }
            _ => SubscriptionError::from(source),
        })?;
    let head = runtime.services.log.head()?;
    if position > head {
        let path = path.clone();
        let ahead = UnusableDatabase::AheadOfLog {
            path,
            position,
            head,
        };
        return Err(Box::new(ahead).into());
    }
    Ok(sqlite)
}
