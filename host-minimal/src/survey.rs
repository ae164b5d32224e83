//! What a host would find in a data directory, told without starting one.
//!
//! [`survey`] is for whoever looks for faults: it opens what a host opens, in the same order and
//! with the same errors, makes nothing, and brings nothing up to date.

use std::path::Path;

use umadb_dcb::{DcbError, DcbEventStoreSync};

use crate::data_dir::{self, DataDir, DataDirError, DatabaseError};
use crate::host::StartError;
use crate::keys::{MasterKey, check_master_key};
use crate::report::chain;
use crate::store::{EmbeddedStore, OpenError, read_envelope};

#[cfg(test)]
mod tests;

/// What there is at the path of a data directory.
#[derive(Debug)]
#[non_exhaustive]
pub enum Survey {
    /// Nothing that a host made.
    Absent,
    /// A host that runs.
    InUse {
        /// The host's process, where it could be read.
        process: Option<u32>,
    },
    /// What a host left behind.
    Found(Box<Found>),
}

/// What a host left behind, part by part. An error is the one with which a host would refuse to
/// start.
#[derive(Debug)]
#[non_exhaustive]
pub struct Found {
    /// `umari.sqlite`; `None` where there is none yet.
    pub database: Result<Option<Catalogue>, StartError>,
    /// Whether there is a master key, and so whether it is the right one.
    pub master_key: Result<bool, StartError>,
    /// The position of the last event, 0 for an empty log; `None` where there is no event store.
    pub head: Result<Option<u64>, StartError>,
}

/// What `umari.sqlite` holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Catalogue {
    /// Modules that run when a host starts.
    pub active_modules: u64,
    /// Data keys, retired ones included.
    pub data_keys: u64,
    /// Whether the next host changes the schema before it starts.
    pub outdated: bool,
}

/// Looks at the data directory at `root`. `master_key` is what the host's configuration says, as in
/// [`HostConfig::master_key`](crate::HostConfig::master_key). The directory is locked meanwhile.
///
/// # Errors
///
/// The directory cannot be looked at. What is wrong with its parts is in [`Found`].
pub fn survey(root: &Path, master_key: Option<&str>) -> Result<Survey, StartError> {
    let data_dir = match DataDir::open_existing(root) {
        Ok(Some(data_dir)) => data_dir,
        Ok(None) => return Ok(Survey::Absent),
        Err(DataDirError::InUse { process, .. }) => return Ok(Survey::InUse { process }),
        Err(error) => return Err(error.into()),
    };
    let database = data_dir.database();
    let connection = data_dir
        .has_metadata()
        .then(|| data_dir::read_database(&database))
        .transpose();
    let opened = connection.as_ref().ok().and_then(Option::as_ref);
    let head = head(&data_dir.events());
    let missing = head.as_ref().ok().copied().flatten();
    let missing = missing.and_then(|head| data_dir.missing_metadata(head));
    Ok(Survey::Found(Box::new(Found {
        master_key: check_key(
            &data_dir,
            opened.map(|(connection, _)| connection),
            master_key,
        ),
        head,
        database: match missing {
            Some(missing) => Err(missing.into()),
            None => connection
                .map_err(StartError::from)
                .and_then(|opened| opened.map(|it| catalogue(&database, &it)).transpose()),
        },
    })))
}

fn check_key(
    data_dir: &DataDir,
    database: Option<&rusqlite::Connection>,
    configured: Option<&str>,
) -> Result<bool, StartError> {
    let master = match configured {
        Some(digits) => MasterKey::from_hex(digits)?,
        None => MasterKey::in_file(data_dir.master_key()),
    };
    Ok(check_master_key(database, &master)?)
}

fn catalogue(
    path: &Path,
    (connection, version): &(rusqlite::Connection, i64),
) -> Result<Catalogue, StartError> {
    let read = || {
        let damage: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if damage != "ok" {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            return Err(rusqlite::Error::SqliteFailure(code, Some(damage)));
        }
        let count = |sql| connection.query_row(sql, [], |row| row.get(0));
        Ok(Catalogue {
            active_modules: count("SELECT count(*) FROM active_module")?,
            data_keys: count("SELECT count(*) FROM data_key")?,
            outdated: *version < data_dir::SCHEMA_VERSION,
        })
    };
    read().map_err(|source| {
        let path = path.to_owned();
        DatabaseError::Sqlite { path, source }.into()
    })
}

/// Opens the event store and reads its last event.
pub(crate) fn head(path: &Path) -> Result<Option<u64>, StartError> {
    if !path.is_file() {
        return Ok(None);
    }
    let store = EmbeddedStore::open(path)?;
    let unreadable = |source| OpenError::Database {
        path: path.to_owned(),
        source,
    };
    let head = store.head().map_err(unreadable)?.unwrap_or(0);
    if head > 0 {
        let (last, _) = store
            .read_with_head(None, Some(head), false, Some(1))
            .map_err(unreadable)?;
        for event in last {
            read_envelope(event)
                .map_err(|error| unreadable(DcbError::Corruption(chain(&error))))?;
        }
    }
    Ok(Some(head))
}
