//! `snapshots.sqlite`: its schema, and what is done in it.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{
    Connection, ErrorCode, OptionalExtension, Transaction, TransactionBehavior, params,
};
use uuid::Uuid;

use super::{Found, Offer, ScopeHash, SnapshotKey};
use crate::data_dir::{self, Durability};
use crate::keys::{KeyError, KeyRing, SideKey};
use crate::limits;

/// Another version of it is another file, which begins empty.
const VERSION: i64 = 1;

const SCHEMA: &str = "
    CREATE TABLE cache (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        wrapped_key BLOB NOT NULL,    -- seals the states, wrapped by the master key
        position INTEGER NOT NULL,    -- of the last event that any state knows
        event_id BLOB NOT NULL        -- its id, by which the log is known again
    ) STRICT;

    CREATE TABLE snapshot (
        id INTEGER PRIMARY KEY,
        key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
        position INTEGER NOT NULL,
        latest INTEGER NOT NULL,      -- microseconds since 1970
        used INTEGER NOT NULL,        -- the highest was used last
        bytes INTEGER NOT NULL,       -- with its scopes
        state BLOB NOT NULL           -- sealed
    ) STRICT;
    CREATE INDEX snapshot_used ON snapshot (used, bytes);

    CREATE TABLE snapshot_scope (
        scope BLOB NOT NULL CHECK (length(scope) = 16),
        snapshot INTEGER NOT NULL REFERENCES snapshot (id) ON DELETE CASCADE,
        PRIMARY KEY (scope, snapshot)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX snapshot_scope_snapshot ON snapshot_scope (snapshot);
";

/// What a scope of a state takes, with its two places in the indexes.
const SCOPE_BYTES: u64 = 64;

/// Why the file, or a state in it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("SQLite failed")]
    Sqlite(#[from] rusqlite::Error),
    #[error("it has the shape of version {found}, and this host writes version {VERSION}")]
    Version { found: i64 },
    #[error("it is sealed under another master key, or damaged")]
    Keys(#[from] KeyError),
    #[error("a state is no text")]
    NoText,
    #[error("it knows an event at position {position} that the log has not")]
    OtherLog { position: u64 },
}

impl Fault {
    /// Whether what is in the file cannot be trusted any more.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            // The last is what a statement gets that finds no table of its own.
            Self::Sqlite(error) => matches!(
                error.sqlite_error_code(),
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase | ErrorCode::Unknown)
            ),
            Self::Version { .. } | Self::Keys(_) | Self::NoText | Self::OtherLog { .. } => true,
        }
    }
}

/// The limits on what is kept, smaller in tests.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) entries: u64,
    pub(super) bytes: u64,
    /// Of one state.
    pub(super) scopes: u64,
}

impl Sizes {
    pub(super) const REAL: Self = Self {
        entries: limits::SNAPSHOTS,
        bytes: limits::SNAPSHOTS_BYTES,
        scopes: limits::SNAPSHOT_SCOPES,
    };
}

/// The connection that writes.
pub(super) struct Writing {
    connection: Connection,
    key: Arc<SideKey>,
    sizes: Sizes,
}

/// The connection that looks up. Nobody waits for the other one.
pub(super) struct Reading {
    connection: Connection,
    key: Arc<SideKey>,
}

/// Opens the file, made where it is missing.
pub(super) fn open(path: &Path, keys: &KeyRing, sizes: Sizes) -> Result<(Writing, Reading), Fault> {
    let mut connection = connect(path)?;
    let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let key = match found {
        0 => make(&mut connection, keys)?,
        VERSION => {
            let wrapped = "SELECT wrapped_key FROM cache WHERE id = 1";
            let wrapped: Vec<u8> = connection.query_row(wrapped, [], |row| row.get(0))?;
            keys.side_key(&wrapped)?
        }
        found => return Err(Fault::Version { found }),
    };
    let key = Arc::new(key);
    let reading = Reading {
        connection: connect(path)?,
        key: Arc::clone(&key),
    };
    let writing = Writing {
        connection,
        key,
        sizes,
    };
    Ok((writing, reading))
}

fn make(connection: &mut Connection, keys: &KeyRing) -> Result<SideKey, Fault> {
    let (key, wrapped) = keys.make_side_key()?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    transaction.execute_batch(SCHEMA)?;
    transaction.execute(
        "INSERT INTO cache (id, wrapped_key, position, event_id) VALUES (1, ?1, 0, x'')",
        [wrapped],
    )?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()?;
    Ok(key)
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    // Nothing waits for a state to be on the disk.
    data_dir::connect_with(path, Durability::Normal)
}

/// What a sealed state belongs to: it opens in its own row only.
fn binding(key: &SnapshotKey, position: u64, latest_micros: i64) -> Vec<u8> {
    let mut binding = b"umari snapshot 1".to_vec();
    binding.extend_from_slice(&key.0);
    binding.extend_from_slice(&position.to_be_bytes());
    binding.extend_from_slice(&latest_micros.to_be_bytes());
    binding
}

impl Reading {
    pub(super) fn find(&mut self, key: &SnapshotKey) -> Result<Option<Found>, Fault> {
        let row: Option<(u64, i64, Vec<u8>)> = self
            .connection
            .prepare_cached("SELECT position, latest, state FROM snapshot WHERE key = ?1")?
            .query_row([key.0], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
            .optional()?;
        let Some((position, latest_micros, sealed)) = row else {
            return Ok(None);
        };
        let state = self
            .key
            .open(&sealed, &binding(key, position, latest_micros))?;
        Ok(Some(Found {
            position,
            latest_micros,
            state: String::from_utf8(state).map_err(|_| Fault::NoText)?,
        }))
    }
}

impl Writing {
    /// Position and id of the last event that any state knows.
    pub(super) fn newest_event(&mut self) -> Result<Option<(u64, Uuid)>, Fault> {
        let newest: Option<(u64, [u8; 16])> = self
            .connection
            .query_row(
                "SELECT position, event_id FROM cache WHERE position > 0",
                [],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        Ok(newest.map(|(position, id)| (position, Uuid::from_bytes(id))))
    }

    /// How many states there are, and what they take.
    pub(super) fn size(&mut self) -> Result<(u64, u64), Fault> {
        Ok(size(&self.connection)?)
    }

    /// Keeps a state, in place of an earlier one; whether it was kept. `event_id` is that of the
    /// event at its position.
    pub(super) fn keep(&mut self, offer: &Offer, event_id: Uuid) -> Result<bool, Fault> {
        let to = binding(&offer.key, offer.position, offer.latest_micros);
        let sealed = self.key.seal(offer.state.as_bytes(), &to)?;
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before: Option<u64> = transaction
            .prepare_cached("SELECT position FROM snapshot WHERE key = ?1")?
            .query_row([offer.key.0], |row| row.get(0))
            .optional()?;
        let is_older = before.is_some_and(|before| before > offer.position);
        if is_older || (offer.grown && before.is_none()) {
            return Ok(false);
        }
        let id: i64 = transaction
            .prepare_cached(
                "INSERT INTO snapshot (key, position, latest, used, bytes, state)
                 VALUES (?1, ?2, ?3, (SELECT coalesce(max(used), 0) + 1 FROM snapshot), 0, ?4)
                 ON CONFLICT (key) DO UPDATE SET position = excluded.position,
                     latest = excluded.latest, used = excluded.used, state = excluded.state
                 RETURNING id",
            )?
            .query_row(
                params![offer.key.0, offer.position, offer.latest_micros, sealed],
                |row| row.get(0),
            )?;
        // Those of the state that it grew from stay.
        for scope in &offer.scopes {
            transaction
                .prepare_cached(
                    "INSERT OR IGNORE INTO snapshot_scope (scope, snapshot) VALUES (?1, ?2)",
                )?
                .execute(params![scope.0, id])?;
        }
        let scopes: u64 = transaction
            .prepare_cached("SELECT count(*) FROM snapshot_scope WHERE snapshot = ?1")?
            .query_row([id], |row| row.get(0))?;
        let is_kept = scopes <= self.sizes.scopes;
        if is_kept {
            transaction
                .prepare_cached("UPDATE snapshot SET bytes = ?2 WHERE id = ?1")?
                .execute(params![id, sealed.len() as u64 + scopes * SCOPE_BYTES])?;
            remember(&transaction, offer.position, event_id)?;
            make_room(&transaction, self.sizes)?;
        } else {
            // Nor is the earlier one: it would be read and outgrown again and again.
            transaction.execute("DELETE FROM snapshot WHERE id = ?1", [id])?;
        }
        transaction.commit()?;
        Ok(is_kept)
    }

    /// A state was of use.
    pub(super) fn used(&mut self, key: &SnapshotKey) -> Result<(), Fault> {
        self.connection
            .prepare_cached(
                "UPDATE snapshot SET used = (SELECT max(used) + 1 FROM snapshot)
                 WHERE key = ?1 AND used < (SELECT max(used) FROM snapshot)",
            )?
            .execute([key.0])?;
        Ok(())
    }

    /// Deletes the states behind which are events of these scopes.
    pub(super) fn delete(&mut self, scopes: &[String]) -> Result<(), Fault> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        for scope in scopes {
            transaction.execute(
                "DELETE FROM snapshot WHERE id IN
                     (SELECT snapshot FROM snapshot_scope WHERE scope = ?1)",
                [ScopeHash::of(scope).0],
            )?;
        }
        transaction.commit()?;
        Ok(())
    }

    /// Rewrites the file, so that nothing of what was deleted is left in it.
    ///
    /// Also where nothing just was: a state that was replaced or left earlier may still be in the
    /// write-ahead log, and moving cells between pages can leave parts of them behind.
    pub(super) fn rewrite(&mut self) -> Result<(), Fault> {
        self.connection.execute_batch("VACUUM")?;
        data_dir::empty_write_ahead_log(&self.connection)?;
        Ok(())
    }
}

fn size(connection: &Connection) -> rusqlite::Result<(u64, u64)> {
    connection
        .prepare_cached("SELECT count(*), coalesce(sum(bytes), 0) FROM snapshot")?
        .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn remember(transaction: &Transaction<'_>, position: u64, event_id: Uuid) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("UPDATE cache SET position = ?1, event_id = ?2 WHERE position < ?1")?
        .execute(params![position, event_id.as_bytes()])?;
    Ok(())
}

/// Deletes what was not used for the longest time, until the rest is within the limits.
fn make_room(transaction: &Transaction<'_>, sizes: Sizes) -> rusqlite::Result<()> {
    let (mut entries, mut bytes) = size(transaction)?;
    while entries > sizes.entries || bytes > sizes.bytes {
        let freed: Option<u64> = transaction
            .prepare_cached(
                "DELETE FROM snapshot WHERE id = (SELECT id FROM snapshot ORDER BY used LIMIT 1)
                 RETURNING bytes",
            )?
            .query_row([], |row| row.get(0))
            .optional()?;
        let Some(freed) = freed else { break };
        entries -= 1;
        bytes = bytes.saturating_sub(freed);
    }
    Ok(())
}
