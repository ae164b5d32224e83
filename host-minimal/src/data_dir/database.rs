//! `umari.sqlite`: how it is opened, and its schema through the versions.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior};

use crate::limits;

/// What brings the schema from each version to the next. A step that has been released is never
/// changed; `PRAGMA user_version` says how many of them a file has taken.
pub(super) const MIGRATIONS: &[&str] = &[
    // 1: modules, master key, data keys.
    "CREATE TABLE module_version (
        kind TEXT NOT NULL CHECK (kind IN ('command', 'projector', 'effect')),
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        sha256 BLOB NOT NULL CHECK (length(sha256) = 32),
        sdk TEXT NOT NULL,
        contract TEXT NOT NULL,
        env TEXT NOT NULL CHECK (json_valid(env)),
        uploaded_at INTEGER NOT NULL, -- microseconds since 1970
        wasm BLOB NOT NULL,           -- last, so that lists do not read it
        PRIMARY KEY (kind, name, version)
    ) STRICT;

    CREATE TABLE active_module (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        PRIMARY KEY (kind, name),
        FOREIGN KEY (kind, name, version) REFERENCES module_version (kind, name, version)
    ) STRICT;

    CREATE TABLE master_key (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        proof BLOB NOT NULL
    ) STRICT;

    CREATE TABLE data_key (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        scope TEXT NOT NULL,
        wrapped BLOB NOT NULL,
        created_at INTEGER NOT NULL,  -- microseconds since 1970
        messages INTEGER NOT NULL DEFAULT 0,
        retired INTEGER NOT NULL DEFAULT 0 CHECK (retired IN (0, 1))
    ) STRICT;

    CREATE UNIQUE INDEX data_key_current ON data_key (scope) WHERE retired = 0;
    CREATE INDEX data_key_scope ON data_key (scope);",
    // 2: what became of data keys that are gone.
    "CREATE TABLE shredded_scope (
        scope TEXT PRIMARY KEY,
        -- A data key of the scope that is missing and has no higher id was shredded.
        until BLOB NOT NULL CHECK (length(until) = 16)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE key_audit (
        id INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,          -- microseconds since 1970
        action TEXT NOT NULL CHECK (action IN ('shred', 'rotate')),
        scope TEXT,
        keys INTEGER NOT NULL,
        reason TEXT,
        requested_by TEXT,
        event_id BLOB CHECK (length(event_id) = 16),
        settled INTEGER NOT NULL CHECK (settled IN (0, 1))
    ) STRICT;

    CREATE INDEX key_audit_scope ON key_audit (scope);
    CREATE UNIQUE INDEX key_audit_event ON key_audit (scope, event_id)
        WHERE event_id IS NOT NULL;
    CREATE INDEX key_audit_unsettled ON key_audit (settled) WHERE settled = 0;",
    // 3: projectors and effects that an operator paused, whichever of their versions is active.
    "CREATE TABLE paused_module (
        kind TEXT NOT NULL CHECK (kind IN ('projector', 'effect')),
        name TEXT NOT NULL,
        paused_at INTEGER NOT NULL,   -- microseconds since 1970
        PRIMARY KEY (kind, name)
    ) STRICT;",
    // 4: API keys.
    "CREATE TABLE api_key (
        id BLOB PRIMARY KEY CHECK (length(id) = 16),
        name TEXT NOT NULL,
        sha256 BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
        scopes TEXT NOT NULL,
        created_at INTEGER NOT NULL,  -- microseconds since 1970, as all times here
        last_used_at INTEGER,         -- to the hour
        revoked_at INTEGER
    ) STRICT;

    CREATE UNIQUE INDEX api_key_name ON api_key (name) WHERE revoked_at IS NULL;",
    // 5: a module's settings, beside its row: a column behind the bytes would be read through them.
    "CREATE TABLE module_settings (
        kind TEXT NOT NULL,
        name TEXT NOT NULL,
        version TEXT NOT NULL,
        settings TEXT NOT NULL CHECK (json_valid(settings)),
        PRIMARY KEY (kind, name, version),
        FOREIGN KEY (kind, name, version) REFERENCES module_version (kind, name, version)
    ) STRICT;",
    // 6: who had handled events of a scope that was shredded.
    "ALTER TABLE key_audit ADD COLUMN readers TEXT CHECK (json_valid(readers));",
];

/// The version that this host reads and writes.
pub(crate) const SCHEMA_VERSION: i64 = MIGRATIONS.len() as i64;

/// From this version on it is known what was shredded.
pub(crate) const SHREDDING_SCHEMA_VERSION: i64 = 2;

/// Why `umari.sqlite` could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// A newer host has written it.
    #[error(
        "{} has schema version {found} and this host knows versions up to {known}: use the host \
         that wrote it, or a newer one", path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
        /// The highest version that this host knows.
        known: i64,
    },
    /// It is no SQLite database, or no longer one.
    #[error(
        "{} is not a database that can be read: it holds the modules and the keys of encrypted \
         events, so restore it from a backup", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        #[source]
        source: rusqlite::Error,
    },
    /// SQLite could not open it or bring its schema up to date.
    #[error("{} could not be opened", path.display())]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// SQLite's reason.
        #[source]
        source: rusqlite::Error,
    },
}

/// Opens `umari.sqlite`, made where it is missing, with the current schema.
///
/// It holds keys, so each commit is on disk when it returns and deleted bytes are overwritten.
pub(crate) fn open_database(path: &Path) -> Result<Connection, DatabaseError> {
    // SQLite does not wait where two connections make a file a WAL one at once: one of them just
    // fails. Other processes are kept out by the data directory's lock.
    static OPENING: Mutex<()> = Mutex::new(());
    let _one_at_a_time = OPENING.lock().unwrap_or_else(PoisonError::into_inner);

    let sqlite = |source: rusqlite::Error| {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                DatabaseError::Damaged { path, source }
            }
            _ => DatabaseError::Sqlite { path, source },
        }
    };
    let mut connection = connect(path).map_err(sqlite)?;
    let found = version(&connection).map_err(sqlite)?;
    refuse_newer(path, found)?;
    if found < SCHEMA_VERSION {
        migrate(&mut connection).map_err(sqlite)?;
    }
    Ok(connection)
}

/// Opens `umari.sqlite` to read it as it is, and says which version its schema has. Nothing is made
/// and nothing brought up to date.
pub(crate) fn read_database(path: &Path) -> Result<(Connection, i64), DatabaseError> {
    let sqlite = |source| DatabaseError::Sqlite {
        path: path.to_owned(),
        source,
    };
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(sqlite)?;
    connection
        .busy_timeout(limits::SQLITE_BUSY)
        .map_err(sqlite)?;
    let found = version(&connection).map_err(sqlite)?;
    refuse_newer(path, found)?;
    Ok((connection, found))
}

/// Moves everything from the write-ahead log of a database into it, and empties the log.
///
/// SQLite waits for readers, and not for another connection that is moving pages just now, as each
/// does when the log is long: then it is busy at once. That ends, so it is asked again.
///
/// # Errors
///
/// It is busy for [`limits::SQLITE_BUSY`], or the disk is full.
pub(crate) fn empty_write_ahead_log(connection: &Connection) -> rusqlite::Result<()> {
    const PAUSE: Duration = Duration::from_millis(1);
    let end = Instant::now() + limits::SQLITE_BUSY;
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    while connection.query_row(checkpoint, [], |row| row.get(0))? {
        if Instant::now() >= end {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY);
            let why = "another connection reads it".to_owned();
            return Err(rusqlite::Error::SqliteFailure(code, Some(why)));
        }
        std::thread::sleep(PAUSE);
    }
    Ok(())
}

fn refuse_newer(path: &Path, found: i64) -> Result<(), DatabaseError> {
    if found <= SCHEMA_VERSION {
        return Ok(());
    }
    Err(DatabaseError::Newer {
        path: path.to_owned(),
        found,
        known: SCHEMA_VERSION,
    })
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    connect_with(path, Durability::Full)
}

/// Whether a commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// It does.
    Full,
    /// It does not: a power cut may cost the last transactions, and damages nothing.
    Normal,
}

/// Opens a database of the host's own, made where it is missing.
pub(crate) fn connect_with(path: &Path, durability: Durability) -> rusqlite::Result<Connection> {
    let synchronous = match durability {
        Durability::Full => "full",
        Durability::Normal => "normal",
    };
    let connection = Connection::open(path)?;
    connection.busy_timeout(limits::SQLITE_BUSY)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "secure_delete", true)?;
    // Rewriting the file makes a copy of it, which must not lie on another disk.
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    Ok(connection)
}

/// Removes a database with everything that SQLite puts beside it, as much of it as there is.
///
/// # Errors
///
/// The operating system's, for the first file that cannot be removed; the others are removed.
pub(crate) fn remove_database(path: &Path) -> io::Result<()> {
    let mut removed = Ok(());
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        match std::fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                removed = removed.and(Err(error));
            }
            _ => {}
        }
    }
    removed
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Takes the steps that are missing, all or none. Another connection may have been faster.
fn migrate(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let taken = usize::try_from(version(&transaction)?).unwrap_or_default();
    for step in MIGRATIONS.iter().skip(taken) {
        transaction.execute_batch(step)?;
    }
    if taken < MIGRATIONS.len() {
        transaction.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    }
    transaction.commit()
}
