//! What was done to keys, when, by whom and why.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ring::KeyRing;
use super::{KeyError, Rotation, Shredding};
use crate::limits;

/// One entry of the record that is kept of keys. Entries are never deleted, and never changed once
/// what they are about has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number; later entries have higher ones.
    pub id: u64,
    /// When it was done, in whole microseconds.
    pub at: DateTime<Utc>,
    /// What was done.
    pub action: KeyAction,
    /// The scope that was shredded; `None` where all keys were concerned.
    pub scope: Option<String>,
    /// How many data keys were deleted, or wrapped anew.
    pub keys: u64,
    /// Why, in the words of whoever asked for it.
    pub reason: Option<String>,
    /// Who asked for it: a name that an operator gave, or the effect that did.
    pub requested_by: Option<String>,
    /// The event that the effect was handling.
    pub event_id: Option<Uuid>,
    /// The projectors and effects that had handled events of the scope when it was shredded, or may
    /// have; `None` where it is not known, as after a crash or where no host ran.
    pub readers: Option<Vec<Reader>>,
}

/// A module that has handled events of a scope that was shredded, or may have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// `projector` or `effect`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How far it had come; `None` where its database could not be read.
    pub position: Option<u64>,
    /// Whether it has handled an event of the scope. One that did not run is named where it had come
    /// that far, as nobody could tell what it reads.
    pub certain: bool,
    /// Whether it has tables of its own, which may hold what it made of the events.
    pub keeps_data: bool,
    /// What became of the request to replay it, where there was one.
    pub replay: Option<ReaderReplay>,
}

/// What became of the request to replay a projector after a shredding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReaderReplay {
    /// It has begun.
    Begun,
    /// It has not, for this reason.
    Refused(String),
}

/// What was done to keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyAction {
    /// The data keys of a scope were deleted.
    Shred,
    /// All data keys were wrapped with another master key.
    Rotate,
}

impl KeyAction {
    /// The action as the database, the API and the CLI write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Shred => "shred",
            Self::Rotate => "rotate",
        }
    }
}

const COLUMNS: &str = "id, at, action, scope, keys, reason, requested_by, event_id, readers";

impl KeyRing {
    /// The entries after `after` (0 for all), oldest first, `limit` of them and
    /// [`limits::KEYS_PAGE_ENTRIES`] at the most.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub fn audit(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, KeyError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(&format!(
            "SELECT {COLUMNS} FROM key_audit WHERE id > ?1 ORDER BY id LIMIT ?2"
        ))?;
        let limit = limit.min(limits::KEYS_PAGE_ENTRIES);
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let entries = statement.query_map(params![after, limit], entry)?;
        Ok(entries.collect::<Result<_, _>>()?)
    }

    /// Notes in an entry who had handled events of its scope.
    ///
    /// # Errors
    ///
    /// The database cannot be written.
    pub(crate) fn note_readers(&self, entry: u64, readers: &[Reader]) -> Result<(), KeyError> {
        let unwritable = |error| KeyError::from(rusqlite::Error::ToSqlConversionFailure(error));
        let readers = serde_json::to_string(readers).map_err(|e| unwritable(Box::new(e)))?;
        let note = "UPDATE key_audit SET readers = ?2 WHERE id = ?1";
        self.connection().execute(note, params![entry, readers])?;
        Ok(())
    }
}

/// What an effect's shredding of this scope did when it handled this event before.
pub(super) fn of_event(
    connection: &Connection,
    scope: &str,
    event_id: Uuid,
) -> Result<Option<AuditEntry>, KeyError> {
    Ok(connection
        .prepare_cached(&format!(
            "SELECT {COLUMNS} FROM key_audit WHERE scope = ?1 AND event_id = ?2"
        ))?
        .query_row(params![scope, event_id.as_bytes()], entry)
        .optional()?)
}

/// Notes that a scope was shredded. What remains to be erased of it is erased later.
pub(super) fn record_shredding(
    connection: &Connection,
    shredding: &Shredding,
    keys: usize,
) -> Result<AuditEntry, KeyError> {
    let Shredding {
        scope,
        reason,
        requested_by,
        event_id,
        allow_unknown: _,
    } = shredding;
    Ok(connection.query_row(
        &format!(
            "INSERT INTO key_audit (at, action, scope, keys, reason, requested_by, event_id, settled)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0) RETURNING {COLUMNS}"
        ),
        params![
            Utc::now().timestamp_micros(),
            KeyAction::Shred.as_str(),
            scope,
            keys,
            reason,
            requested_by,
            event_id.as_ref().map(Uuid::as_bytes),
        ],
        entry,
    )?)
}

/// Notes that all data keys were wrapped anew. Their old wrapping is erased later.
pub(super) fn record_rotation(
    connection: &Connection,
    rotation: &Rotation,
    keys: usize,
) -> Result<AuditEntry, KeyError> {
    Ok(connection.query_row(
        &format!(
            "INSERT INTO key_audit (at, action, keys, reason, requested_by, settled)
             VALUES (?1, ?2, ?3, ?4, ?5, 0) RETURNING {COLUMNS}"
        ),
        params![
            Utc::now().timestamp_micros(),
            KeyAction::Rotate.as_str(),
            keys,
            rotation.reason,
            rotation.requested_by,
        ],
        entry,
    )?)
}

fn entry(row: &Row<'_>) -> rusqlite::Result<AuditEntry> {
    let event_id: Option<[u8; 16]> = row.get("event_id")?;
    let readers: Option<String> = row.get("readers")?;
    Ok(AuditEntry {
        id: row.get("id")?,
        at: moment(row.get("at")?),
        action: match row.get_ref("action")?.as_str()? {
            "rotate" => KeyAction::Rotate,
            _ => KeyAction::Shred,
        },
        scope: row.get("scope")?,
        keys: row.get("keys")?,
        reason: row.get("reason")?,
        requested_by: row.get("requested_by")?,
        event_id: event_id.map(Uuid::from_bytes),
        // Only the host writes there. What it cannot read it does not know.
        readers: readers.and_then(|text| serde_json::from_str(&text).ok()),
    })
}

/// A stored moment; one that no calendar has shows as the first that one has.
pub(super) fn moment(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::<Utc>::MIN_UTC)
}
