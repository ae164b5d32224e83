//! Events that an effect could not handle: those that it tries again, and those that an operator
//! parked. They are kept in the effect's own database, so that parking an event and passing it by
//! are one transaction, and so that attempts are counted over restarts.

use std::path::Path;

use chrono::{DateTime, Utc};
use rusqlite::{Connection, ErrorCode, OpenFlags, Row, Transaction, TransactionBehavior, params};
use uuid::Uuid;

use super::super::progress;
use crate::data_dir;
use crate::limits;
use crate::report::chain;
use crate::store::RecordedEvent;

/// An event that an effect could not handle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedEvent {
    /// Its position.
    pub position: u64,
    /// Its id.
    pub event_id: Uuid,
    /// Its type.
    pub event_type: String,
    /// How often it failed.
    pub attempts: u32,
    /// How it failed last, with the causes.
    pub error: String,
    /// When it failed last, in whole microseconds.
    pub failed_at: DateTime<Utc>,
    /// What is to become of it.
    pub state: FailedState,
}

/// What is to become of an event that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailedState {
    /// It blocks its lane and is tried again.
    Retrying,
    /// An operator put it aside.
    Parked,
    /// It is parked and waits to be delivered once more.
    Queued,
    /// It is parked and being delivered.
    Delivering,
}

impl FailedState {
    const ALL: [Self; 4] = [Self::Retrying, Self::Parked, Self::Queued, Self::Delivering];

    /// The state as the API and the CLI write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Retrying => "retrying",
            Self::Parked => "parked",
            Self::Queued => "queued",
            Self::Delivering => "delivering",
        }
    }
}

/// Why an event was not parked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotParked {
    /// It is not among those that are tried again.
    #[error("the event is not failing")]
    NotFailing,
    /// Too many are.
    #[error("{} events are parked", limits::PARKED_EVENTS)]
    Full,
    /// The effect's database failed.
    #[error("the effect's database failed")]
    Database(#[from] rusqlite::Error),
}

/// Creates the table where it is missing.
pub(in super::super) fn prepare(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(
        "CREATE TABLE IF NOT EXISTS umari_failed (
             position INTEGER PRIMARY KEY,
             event_id BLOB NOT NULL,
             event_type TEXT NOT NULL,
             attempts INTEGER NOT NULL,
             error TEXT NOT NULL,
             failed_at INTEGER NOT NULL,  -- microseconds since 1970
             state TEXT NOT NULL
         );",
    )
}

/// A connection of the host's own to an effect's database; `None` where the effect has none yet.
pub(crate) fn open(database: &Path) -> rusqlite::Result<Option<Connection>> {
    if !database.exists() {
        return Ok(None);
    }
    let connection = connect(database)?;
    prepare(&connection)?;
    Ok(Some(connection))
}

/// Notes another failure of an event that is tried again.
pub(super) fn retrying(
    connection: &Connection,
    event: &RecordedEvent,
    attempts: u32,
    error: &str,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT INTO umari_failed VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'retrying')
         ON CONFLICT DO UPDATE SET
             attempts = excluded.attempts, error = excluded.error, failed_at = excluded.failed_at",
        params![
            event.position,
            event.id.into_bytes(),
            event.event_type,
            attempts,
            error,
            Utc::now().timestamp_micros(),
        ],
    )?;
    Ok(())
}

/// Puts an event that is tried again aside, and passes it by, in one transaction.
pub(crate) fn park(connection: &Connection, position: u64) -> Result<FailedEvent, NotParked> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let parked: usize = connection.query_row(
        "SELECT count(*) FROM umari_failed WHERE state <> 'retrying'",
        (),
        |row| row.get(0),
    )?;
    if parked >= limits::PARKED_EVENTS {
        return Err(NotParked::Full);
    }
    let changed = connection.execute(
        "UPDATE umari_failed SET state = 'parked' WHERE position = ?1 AND state = 'retrying'",
        [position],
    )?;
    let event = find(connection, position)?;
    let Some(event) = event.filter(|_| changed == 1) else {
        return Err(NotParked::NotFailing);
    };
    progress::complete(connection, position)?;
    transaction.commit()?;
    Ok(event)
}

/// Marks a parked event to be delivered once more; `None` where it is not parked.
pub(crate) fn queue(
    connection: &Connection,
    position: u64,
) -> rusqlite::Result<Option<FailedEvent>> {
    if parked(connection, position)?.is_none() {
        return Ok(None);
    }
    connection.execute(
        "UPDATE umari_failed SET state = 'queued' WHERE position = ?1 AND state = 'parked'",
        [position],
    )?;
    parked(connection, position)
}

/// The positions that wait to be delivered once more.
pub(super) fn queued(connection: &Connection) -> rusqlite::Result<Vec<u64>> {
    let mut statement = connection
        .prepare("SELECT position FROM umari_failed WHERE state = 'queued' ORDER BY position")?;
    statement.query_map((), |row| row.get(0))?.collect()
}

/// Takes a queued event in hand; whether it still was one.
pub(super) fn deliver(connection: &Connection, position: u64) -> rusqlite::Result<bool> {
    let changed = connection.execute(
        "UPDATE umari_failed SET state = 'delivering' WHERE position = ?1 AND state = 'queued'",
        [position],
    )?;
    Ok(changed == 1)
}

/// Notes another failure of a parked event, which stays parked.
pub(super) fn failed_again(
    connection: &Connection,
    position: u64,
    error: &str,
) -> rusqlite::Result<()> {
    connection.execute(
        "UPDATE umari_failed
         SET state = 'parked', attempts = attempts + 1, error = ?2, failed_at = ?3
         WHERE position = ?1",
        params![position, error, Utc::now().timestamp_micros()],
    )?;
    Ok(())
}

/// Forgets an event, within the caller's transaction.
pub(super) fn forget(connection: &Connection, position: u64) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM umari_failed WHERE position = ?1", [position])?;
    Ok(())
}

/// Drops a parked event that is not being delivered; what it was.
pub(crate) fn discard(
    connection: &Connection,
    position: u64,
) -> rusqlite::Result<Option<FailedEvent>> {
    let transaction = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    let event = parked(connection, position)?;
    if event
        .as_ref()
        .is_some_and(|event| event.state != FailedState::Delivering)
    {
        forget(connection, position)?;
    }
    transaction.commit()?;
    Ok(event)
}

/// Every event that is tried again, by position.
pub(crate) fn all_retrying(connection: &Connection) -> rusqlite::Result<Vec<FailedEvent>> {
    select(
        connection,
        "state = 'retrying' AND position > (SELECT last_position FROM umari_progress)",
        (),
    )
}

/// Every parked event, by position.
pub(crate) fn all_parked(connection: &Connection) -> rusqlite::Result<Vec<FailedEvent>> {
    select(connection, "state <> 'retrying'", ())
}

/// One parked event.
pub(crate) fn parked(
    connection: &Connection,
    position: u64,
) -> rusqlite::Result<Option<FailedEvent>> {
    let event = find(connection, position)?;
    Ok(event.filter(|event| event.state != FailedState::Retrying))
}

/// Puts in order what an earlier run left: a parked event that it had in hand failed with `error`,
/// and what another version passed by is forgotten.
pub(super) fn recover(connection: &Connection, error: &str) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM umari_failed WHERE state = 'retrying'
         AND position <= (SELECT last_position FROM umari_progress)",
        (),
    )?;
    let delivering = select(connection, "state = 'delivering'", ())?;
    delivering
        .iter()
        .try_for_each(|event| failed_again(connection, event.position, error))
}

/// Overwrites what events failed with, which may quote them, in every module's database in
/// `directory`.
pub(crate) fn purge(directory: &Path, note: &str) -> Result<(), String> {
    let entries = std::fs::read_dir(directory).map_err(|error| chain(&error))?;
    for entry in entries {
        let path = entry.map_err(|error| chain(&error))?.path();
        if path.extension().is_some_and(|ending| ending == "sqlite") {
            overwrite(&path, note)
                .map_err(|error| format!("{}: {}", path.display(), chain(&error)))?;
        }
    }
    Ok(())
}

fn overwrite(database: &Path, note: &str) -> rusqlite::Result<()> {
    let connection = connect(database)?;
    let ask = |sql: &str| connection.query_row(sql, (), |row| row.get::<_, bool>(0));
    // A handler that shreds may hold the write lock, which is taken only where it must be.
    let has_table = ask("SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'umari_failed')");
    let has_any = match has_table {
        // The host has never written there.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::NotADatabase) => false,
        has_table => has_table? && ask("SELECT EXISTS (SELECT 1 FROM umari_failed)")?,
    };
    if !has_any {
        return Ok(());
    }
    connection.pragma_update(None, "secure_delete", true)?;
    connection.execute("UPDATE umari_failed SET error = ?1", [note])?;
    // Until then the old text is in the write-ahead log, or in the file behind it.
    data_dir::empty_write_ahead_log(&connection)
}

fn connect(database: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(database, flags)?;
    connection.busy_timeout(limits::SQLITE_BUSY)?;
    Ok(connection)
}

/// Any position may be asked for, also one that SQLite's integers do not reach.
fn find(connection: &Connection, position: u64) -> rusqlite::Result<Option<FailedEvent>> {
    if i64::try_from(position).is_err() {
        return Ok(None);
    }
    let mut found = select(connection, "position = ?1", [position])?;
    Ok(found.pop())
}

fn select(
    connection: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> rusqlite::Result<Vec<FailedEvent>> {
    let mut statement = connection.prepare(&format!(
        "SELECT position, event_id, event_type, attempts, error, failed_at, state
         FROM umari_failed WHERE {condition} ORDER BY position"
    ))?;
    statement.query_map(params, decode)?.collect()
}

fn decode(row: &Row<'_>) -> rusqlite::Result<FailedEvent> {
    let state: String = row.get(6)?;
    let state = FailedState::ALL
        .into_iter()
        .find(|known| known.as_str() == state);
    Ok(FailedEvent {
        position: row.get(0)?,
        event_id: Uuid::from_bytes(row.get(1)?),
        event_type: row.get(2)?,
        attempts: row.get(3)?,
        error: row.get(4)?,
        failed_at: DateTime::from_timestamp_micros(row.get(5)?).unwrap_or_default(),
        // Only the host writes here; whatever else it should be, it is not to be lost.
        state: state.unwrap_or(FailedState::Parked),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn database() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        progress::prepare(&connection, 0).unwrap();
        prepare(&connection).unwrap();
        connection
    }

    fn failing(connection: &Connection, position: u64) {
        connection
            .execute(
                "INSERT INTO umari_failed VALUES (?1, ?2, 'noted', 1, 'no', 0, 'retrying')",
                params![position, Uuid::nil().into_bytes()],
            )
            .unwrap();
    }

    #[test]
    fn an_event_is_parked_and_passed_by_or_neither() {
        let connection = database();
        failing(&connection, 7);
        assert!(matches!(park(&connection, 8), Err(NotParked::NotFailing)));
        assert_eq!(park(&connection, 7).unwrap().state, FailedState::Parked);
        let passed = progress::completed(&connection).unwrap();
        assert_eq!(passed, BTreeSet::from([7]));
        assert!(matches!(park(&connection, 7), Err(NotParked::NotFailing)));
    }

    #[test]
    fn as_many_events_are_parked_as_may_be_and_no_more() {
        let connection = database();
        let most = limits::PARKED_EVENTS as u64;
        for position in 1..=most + 1 {
            failing(&connection, position);
        }
        for position in 1..=most {
            park(&connection, position).unwrap();
        }
        let one_past = park(&connection, most + 1);
        assert!(matches!(one_past, Err(NotParked::Full)), "{one_past:?}");
        assert!(
            !progress::completed(&connection)
                .unwrap()
                .contains(&(most + 1))
        );
        discard(&connection, 1).unwrap();
        park(&connection, most + 1).unwrap();
        assert_eq!(
            all_parked(&connection).unwrap().len(),
            limits::PARKED_EVENTS
        );
    }

    #[test]
    fn what_is_being_delivered_is_neither_dropped_nor_lost() {
        let connection = database();
        failing(&connection, 7);
        assert_eq!(discard(&connection, 7).unwrap(), None, "it is not parked");
        assert_eq!(queue(&connection, 7).unwrap(), None);
        park(&connection, 7).unwrap();
        assert!(!deliver(&connection, 7).unwrap(), "nobody asked for it");
        queue(&connection, 7).unwrap().unwrap();
        assert_eq!(queued(&connection).unwrap(), [7]);
        assert!(deliver(&connection, 7).unwrap());
        assert!(!deliver(&connection, 7).unwrap(), "a second time");
        let kept = discard(&connection, 7).unwrap().unwrap();
        assert_eq!(kept.state, FailedState::Delivering);

        // The host ends here.
        recover(&connection, "the end").unwrap();
        let event = parked(&connection, 7).unwrap().unwrap();
        assert_eq!(
            (event.state, event.attempts, event.error.as_str()),
            (FailedState::Parked, 2, "the end")
        );
        assert!(discard(&connection, 7).unwrap().is_some());
        assert!(all_parked(&connection).unwrap().is_empty());
    }

    #[test]
    fn what_another_version_passed_by_is_forgotten() {
        let connection = database();
        for position in [3, 7] {
            failing(&connection, position);
        }
        progress::save_watermark(&connection, 5).unwrap();
        let positions = |events: Vec<FailedEvent>| -> Vec<u64> {
            events.iter().map(|event| event.position).collect()
        };
        assert_eq!(positions(all_retrying(&connection).unwrap()), [7]);
        recover(&connection, "the end").unwrap();
        assert_eq!(positions(select(&connection, "1", ()).unwrap()), [7]);
    }
}
