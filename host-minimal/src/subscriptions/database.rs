//! Opening a module's own database, which must be one, and of this log.

use std::path::PathBuf;

use rusqlite::ErrorCode;
use uuid::Uuid;

use super::Runtime;
use super::instance::SubscriptionError;
use super::progress;
use crate::capabilities::sqlite::{Begin, SqliteContext};
use crate::modules::settings::SqliteAllowance;

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
    /// The same, and the log has gone on since then with other events.
    #[error(
        "{} has handled the event {event_id} at position {position}, where the log has {found}: \
         it belongs to another log; delete it with its -wal and -shm, and the module handles \
         every event again", path.display()
    )]
    OfAnotherLog {
        /// The file.
        path: PathBuf,
        /// The event that it handled.
        event_id: Uuid,
        /// Where the event was.
        position: u64,
        /// The event that is there.
        found: Uuid,
    },
}

/// Opens the database, made where it is missing, with the host's tables in it.
pub(super) fn open(
    runtime: &Runtime,
    begin: Begin,
    allowance: SqliteAllowance,
) -> Result<SqliteContext, SubscriptionError> {
    let path = &runtime.files.database;
    let open = || {
        let sqlite = SqliteContext::open(path, begin, allowance)?;
        progress::prepare(sqlite.host(), runtime.first_position)?;
        let position = progress::last_position(sqlite.host())?;
        let landmark = progress::landmark(sqlite.host())?;
        Ok((sqlite, position, landmark))
    };
    let (sqlite, position, landmark) =
        open().map_err(|source: rusqlite::Error| match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                let path = path.clone();
                Box::new(UnusableDatabase::Damaged { path, source }).into()
            }
            _ => SubscriptionError::from(source),
        })?;
    let log = &runtime.services.log;
    let head = log.head()?;
    if position > head {
        let path = path.clone();
        let ahead = UnusableDatabase::AheadOfLog {
            path,
            position,
            head,
        };
        return Err(Box::new(ahead).into());
    }
    if let Some((position, event_id)) = landmark
        && let Some(found) = log.id_at(position)?
        && found != event_id
    {
        let other = UnusableDatabase::OfAnotherLog {
            path: path.clone(),
            event_id,
            position,
            found,
        };
        return Err(Box::new(other).into());
    }
    Ok(sqlite)
}
