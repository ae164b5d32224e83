//! From a log to lines.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use rusqlite::{Connection, params};
use umadb_dcb::DcbEventStoreSync;
use uuid::Uuid;

use super::format::{
    Base64, Chain, EventLine, FORMAT, Header, KeyLine, MasterKeyLine, Record, ShreddedLine, Tally,
};
use super::{Keys, Request};
use crate::data_dir::{self, DataDir, DataDirError, DatabaseError};
use crate::limits;
use crate::report::chain;
use crate::store::{EmbeddedStore, OpenError, Pages, ReadError};

type Store = Arc<dyn DcbEventStoreSync + Send + Sync>;

/// Why a backup was not made, or broke off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The log does not go that far.
    #[error(
        "the backup is to begin behind position {after}, but the log ends at {head}: it is another log"
    )]
    BeyondHead {
        /// Where the backup should begin.
        after: u64,
        /// Where the log ends.
        head: u64,
    },
    /// Another event stands there.
    #[error(
        "the event at position {after} is not the one that the backup before ends with: it is \
         another log, or one that went another way since"
    )]
    OtherLog {
        /// Where the backup should begin.
        after: u64,
    },
    /// There is no data directory at the path.
    #[error("{} holds nothing of a host", path.display())]
    NothingThere {
        /// The path.
        path: PathBuf,
    },
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The event store cannot be opened.
    #[error(transparent)]
    EventStore(#[from] OpenError),
    /// The event store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// `umari.sqlite` could not be opened.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// `umari.sqlite` could not be read.
    #[error("the data keys in umari.sqlite could not be read")]
    Database(#[from] rusqlite::Error),
    /// The keys were wrapped anew while they were read.
    #[error("the master key was changed while the keys were backed up: make the backup again")]
    KeysChanged,
    /// What was backed up could not be written.
    #[error("the backup could not be written")]
    Write(#[from] io::Error),
}

/// Backs up a data directory that no host uses. It is locked meanwhile.
///
/// # Errors
///
/// See [`BackupError`]. What was written until then ends with the reason, and is no backup.
pub fn back_up_directory(
    root: &Path,
    request: &Request,
    out: &mut dyn Write,
) -> Result<(), BackupError> {
    let data_dir = DataDir::open_existing(root)?.ok_or_else(|| BackupError::NothingThere {
        path: root.to_owned(),
    })?;
    let store: Store = Arc::new(EmbeddedStore::open(&data_dir.events())?);
    check(&store, request)?;
    write(&store, &data_dir.database(), request, out)
}

/// Whether the log is the one that the request is about.
pub(crate) fn check(store: &Store, request: &Request) -> Result<(), BackupError> {
    let Request {
        after, after_id, ..
    } = *request;
    let head = head(store)?;
    if after > head {
        return Err(BackupError::BeyondHead { after, head });
    }
    if after_id.is_some() && after_id != id_at(store, after)? {
        return Err(BackupError::OtherLog { after });
    }
    Ok(())
}

/// Writes the log up to its present head, then the keys, which were there before the events.
///
/// A reader of half a backup cannot know why there is no more, so the last line says it.
pub(crate) fn write(
    store: &Store,
    database: &Path,
    request: &Request,
    out: &mut dyn Write,
) -> Result<(), BackupError> {
    let mut lines = Lines {
        out,
        chain: Chain::default(),
        tally: Tally::default(),
    };
    let written = write_all(store, database, request, &mut lines);
    match &written {
        Ok(()) | Err(BackupError::Write(_)) => {}
        Err(error) => {
            lines.put(&Record::Broken(chain(error)))?;
            lines.out.flush()?;
        }
    }
    written
}

fn write_all(
    store: &Store,
    database: &Path,
    request: &Request,
    lines: &mut Lines<'_>,
) -> Result<(), BackupError> {
    let head = head(store)?;
    lines.put(&Record::Backup(Header {
        format: FORMAT,
        log: id_at(store, 1)?,
        after: request.after,
        after_id: id_at(store, request.after)?,
        head,
        keys: request.keys == Keys::Wrapped,
        host: env!("CARGO_PKG_VERSION").to_owned(),
        taken_at: Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true),
    }))?;
    let mut pages = Pages::everything(Arc::clone(store), request.after, head);
    loop {
        let page = pages.next(limits::STORE_READ_EVENTS)?;
        if page.is_empty() {
            break;
        }
        for stored in page {
            let position = stored.position;
            let line = EventLine::of(stored).ok_or_else(|| ReadError::Malformed {
                position,
                reason: "it has no id".to_owned(),
            })?;
            lines.put(&Record::Event(line))?;
            lines.tally.events += 1;
        }
    }
    if database.is_file() {
        let (connection, version) = data_dir::read_database(database)?;
        if request.keys == Keys::Wrapped {
            write_keys(&connection, lines)?;
        }
        // After the keys: one that is shredded meanwhile is in both, and a restore drops it.
        if version >= data_dir::SHREDDING_SCHEMA_VERSION {
            write_shredded(&connection, lines)?;
        }
    }
    let tally = lines.tally;
    lines.put(&Record::End(tally))?;
    Ok(lines.out.flush()?)
}

/// The keys, a page at a time: a long read would keep deleted ones in the write-ahead log.
fn write_keys(connection: &Connection, lines: &mut Lines<'_>) -> Result<(), BackupError> {
    let Some(proof) = proof(connection)? else {
        return Ok(());
    };
    lines.put(&Record::MasterKey(MasterKeyLine {
        proof: Base64(proof.clone()),
    }))?;
    let mut after = Uuid::nil();
    loop {
        let page = keys_after(connection, after)?;
        let Some(last) = page.last() else { break };
        after = last.id;
        for key in page {
            lines.put(&Record::Key(key))?;
            lines.tally.keys += 1;
        }
    }
    if self::proof(connection)? == Some(proof) {
        Ok(())
    } else {
        Err(BackupError::KeysChanged)
    }
}

fn write_shredded(connection: &Connection, lines: &mut Lines<'_>) -> Result<(), BackupError> {
    let mut after = String::new();
    loop {
        let page = shredded_after(connection, &after)?;
        let Some(last) = page.last() else {
            return Ok(());
        };
        after.clone_from(&last.scope);
        for scope in page {
            lines.put(&Record::Shredded(scope))?;
            lines.tally.shredded += 1;
        }
    }
}

fn shredded_after(connection: &Connection, after: &str) -> rusqlite::Result<Vec<ShreddedLine>> {
    let mut select = connection.prepare_cached(
        "SELECT scope, until FROM shredded_scope WHERE scope > ?1 ORDER BY scope LIMIT ?2",
    )?;
    let rows = select.query_map(params![after, limits::BACKUP_PAGE_KEYS], |row| {
        Ok(ShreddedLine {
            scope: row.get(0)?,
            until: Uuid::from_bytes(row.get(1)?),
        })
    })?;
    rows.collect()
}

fn proof(connection: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    let proof = "SELECT max(proof) FROM master_key";
    connection.query_row(proof, [], |row| row.get(0))
}

fn keys_after(connection: &Connection, after: Uuid) -> rusqlite::Result<Vec<KeyLine>> {
    let mut select = connection.prepare_cached(
        "SELECT id, scope, wrapped, created_at, messages, retired FROM data_key
         WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = select.query_map(params![after.as_bytes(), limits::BACKUP_PAGE_KEYS], |row| {
        Ok(KeyLine {
            id: Uuid::from_bytes(row.get(0)?),
            scope: row.get(1)?,
            wrapped: Base64(row.get(2)?),
            created_at: row.get(3)?,
            messages: row.get(4)?,
            retired: row.get(5)?,
        })
    })?;
    rows.collect()
}

/// Position of the last event; 0 for an empty log.
pub(super) fn head(store: &Store) -> Result<u64, ReadError> {
    Ok(store.head().map_err(ReadError::Store)?.unwrap_or(0))
}

/// The id of the event at a position, where there is one.
pub(super) fn id_at(store: &Store, position: u64) -> Result<Option<Uuid>, ReadError> {
    let Some(after) = position.checked_sub(1) else {
        return Ok(None);
    };
    let mut page = Pages::everything(Arc::clone(store), after, position).next(1)?;
    Ok(page.pop().and_then(|stored| stored.event.uuid))
}

struct Lines<'a> {
    out: &'a mut dyn Write,
    chain: Chain,
    tally: Tally,
}

impl Lines<'_> {
    fn put(&mut self, record: &Record) -> io::Result<()> {
        let line = self.chain.line(record).map_err(io::Error::other)?;
        self.out.write_all(line.as_bytes())
    }
}
