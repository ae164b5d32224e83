//! How far a subscription has come, kept in the module's own database.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use semver::Version;
use uuid::Uuid;

use crate::capabilities::sqlite::RESERVED_PREFIX;
use crate::limits;

/// Creates the host's tables where they are missing. What has no position yet begins behind
/// `first_position`.
pub(crate) fn prepare(connection: &Connection, first_position: u64) -> rusqlite::Result<()> {
    debug_assert_eq!(
        RESERVED_PREFIX, "umari_",
        "the tables below must be out of a guest's reach"
    );
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS umari_progress (
             only INTEGER PRIMARY KEY CHECK (only = 0),
             last_position INTEGER NOT NULL
         );
         CREATE TABLE IF NOT EXISTS umari_completed (position INTEGER PRIMARY KEY);
         CREATE TABLE IF NOT EXISTS umari_landmark (
             only INTEGER PRIMARY KEY CHECK (only = 0),
             position INTEGER NOT NULL,
             event_id BLOB NOT NULL
         );
         CREATE TABLE IF NOT EXISTS umari_writer (
             only INTEGER PRIMARY KEY CHECK (only = 0),
             version TEXT NOT NULL
         );",
    )?;
    // An insertion that is ignored takes the write lock nevertheless.
    if last_position(connection).optional()?.is_none() {
        connection.execute(
            "INSERT OR IGNORE INTO umari_progress VALUES (0, ?1)",
            [first_position],
        )?;
    }
    Ok(())
}

/// Makes the database at `path`, where it is missing, with a position to begin behind, before the
/// module's first instance does.
pub(super) fn begin_at(path: &Path, first_position: u64) -> rusqlite::Result<()> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(limits::SQLITE_BUSY)?;
    prepare(&connection, first_position)
}

/// The version of the module that writes this database; `None` before one has begun.
pub(crate) fn writer(connection: &Connection) -> rusqlite::Result<Option<String>> {
    connection
        .query_row("SELECT version FROM umari_writer", (), |row| row.get(0))
        .optional()
}

/// Notes which version writes from now on.
pub(crate) fn save_writer(connection: &Connection, version: &Version) -> rusqlite::Result<()> {
    let version = version.to_string();
    if writer(connection)?.as_deref() != Some(&*version) {
        connection.execute(
            "INSERT OR REPLACE INTO umari_writer VALUES (0, ?1)",
            [version],
        )?;
    }
    Ok(())
}

/// Everything up to this position is handled.
pub(crate) fn last_position(connection: &Connection) -> rusqlite::Result<u64> {
    connection.query_row("SELECT last_position FROM umari_progress", (), |row| {
        row.get(0)
    })
}

/// The last position in the file at `path`, without a change to it; `None` where there is none.
pub(super) fn stored_position(path: &Path) -> Option<u64> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).ok()?;
    last_position(&connection).ok()
}

/// How far a module came that may not run, as its database says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reached {
    /// The highest position of what it has handled.
    pub(crate) position: u64,
    /// Whether the module has made tables.
    pub(crate) own_tables: bool,
}

/// Looks into the database at `path`, without a change to it.
pub(crate) fn reached(path: &Path) -> rusqlite::Result<Reached> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(limits::SQLITE_BUSY)?;
    let has = |names: &str| {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name {names})");
        connection.query_row(&sql, (), |row| row.get(0))
    };
    let position = match has("= 'umari_completed'")? {
        true => connection.query_row(
            "SELECT max(last_position, (SELECT coalesce(max(position), 0) FROM umari_completed))
             FROM umari_progress",
            (),
            |row| row.get(0),
        )?,
        // It has been emptied for a replay, or nothing has been made of it yet.
        false => 0,
    };
    let own_tables = has("NOT GLOB 'umari_*' AND name NOT GLOB 'sqlite_*'")?;
    Ok(Reached {
        position,
        own_tables,
    })
}

/// Moves the position, within the caller's transaction.
pub(super) fn save_position(connection: &Connection, position: u64) -> rusqlite::Result<()> {
    connection.execute("UPDATE umari_progress SET last_position = ?1", [position])?;
    Ok(())
}

/// Notes which event the log has at a position that is handled: no other log has it there.
pub(super) fn save_landmark(
    connection: &Connection,
    position: u64,
    event_id: Uuid,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO umari_landmark VALUES (0, ?1, ?2)",
        (position, event_id.as_bytes()),
    )?;
    Ok(())
}

/// The last position whose event was noted, and that event; `None` before the first.
pub(super) fn landmark(connection: &Connection) -> rusqlite::Result<Option<(u64, Uuid)>> {
    connection
        .query_row("SELECT position, event_id FROM umari_landmark", (), |row| {
            Ok((row.get(0)?, Uuid::from_bytes(row.get(1)?)))
        })
        .optional()
}

/// Positions above the last one that are handled already, out of order.
pub(super) fn completed(connection: &Connection) -> rusqlite::Result<BTreeSet<u64>> {
    let mut statement = connection.prepare(
        "SELECT position FROM umari_completed
         WHERE position > (SELECT last_position FROM umari_progress)",
    )?;
    statement.query_map((), |row| row.get(0))?.collect()
}

/// Notes that `position` is handled, within the caller's transaction.
pub(super) fn complete(connection: &Connection, position: u64) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR IGNORE INTO umari_completed VALUES (?1)",
        [position],
    )?;
    Ok(())
}

/// Moves the watermark and forgets what it now covers, in one transaction.
pub(super) fn save_watermark(connection: &Connection, watermark: u64) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let saved = save_position(connection, watermark).and_then(|()| {
        connection.execute(
            "DELETE FROM umari_completed WHERE position <= ?1",
            [watermark],
        )
    });
    match saved {
        Ok(_) => connection.execute_batch("COMMIT"),
        Err(error) => {
            let _ = connection.execute_batch("ROLLBACK");
            Err(error)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_starts_at_nothing_and_is_kept() {
        let connection = Connection::open_in_memory().unwrap();
        prepare(&connection, 0).unwrap();
        assert_eq!(last_position(&connection).unwrap(), 0);
        for position in [3, 5, 9] {
            complete(&connection, position).unwrap();
        }
        complete(&connection, 9).unwrap();
        save_watermark(&connection, 5).unwrap();
        prepare(&connection, 7).unwrap();
        assert_eq!(last_position(&connection).unwrap(), 5, "it has begun");
        assert_eq!(completed(&connection).unwrap(), BTreeSet::from([9]));
    }

    #[test]
    fn how_far_a_module_came_is_seen_in_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("plans.sqlite");
        reached(&path).unwrap_err();
        let connection = Connection::open(&path).unwrap();
        let is = |position, own_tables| Reached {
            position,
            own_tables,
        };
        assert_eq!(reached(&path).unwrap(), is(0, false), "as a replay begins");
        prepare(&connection, 0).unwrap();
        save_position(&connection, 5).unwrap();
        assert_eq!(reached(&path).unwrap(), is(5, false));
        complete(&connection, 9).unwrap();
        connection.execute_batch("CREATE TABLE plans (id)").unwrap();
        assert_eq!(reached(&path).unwrap(), is(9, true));
    }

    #[test]
    fn the_log_is_known_by_the_last_event_that_was_noted() {
        let connection = Connection::open_in_memory().unwrap();
        prepare(&connection, 0).unwrap();
        assert_eq!(landmark(&connection).unwrap(), None);
        for position in [3, 4] {
            let event_id = Uuid::now_v7();
            save_landmark(&connection, position, event_id).unwrap();
            assert_eq!(landmark(&connection).unwrap(), Some((position, event_id)));
        }
    }

    #[test]
    fn the_last_writer_is_known() {
        let connection = Connection::open_in_memory().unwrap();
        prepare(&connection, 0).unwrap();
        assert_eq!(writer(&connection).unwrap(), None);
        for version in ["1.0.0", "1.0.0", "2.0.0-rc.1"] {
            save_writer(&connection, &version.parse().unwrap()).unwrap();
            assert_eq!(writer(&connection).unwrap().as_deref(), Some(version));
        }
    }
}
