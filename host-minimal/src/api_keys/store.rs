//! The table of API keys.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};
use uuid::Uuid;

use super::{ApiKey, ApiKeyError, ValidKey};

/// All that an [`ApiKey`] is made of, and the digest.
const SELECT: &str =
    "SELECT id, name, scopes, created_at, last_used_at, revoked_at, sha256 FROM api_key";

pub(super) fn insert(
    connection: &Connection,
    key: &ApiKey,
    digest: &[u8; 32],
) -> Result<(), ApiKeyError> {
    connection.execute(
        "INSERT INTO api_key (id, name, sha256, scopes, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![
            key.id.as_bytes(),
            key.name,
            digest,
            key.scopes.to_string(),
            key.created_at.timestamp_micros(),
        ],
    )?;
    Ok(())
}

pub(super) fn list(connection: &Connection) -> Result<Vec<ApiKey>, ApiKeyError> {
    let keys = select(connection, "ORDER BY created_at, id")?;
    Ok(keys.into_iter().map(|(key, _)| key).collect())
}

pub(super) fn valid(connection: &Connection) -> Result<Vec<ValidKey>, ApiKeyError> {
    let keys = select(connection, "WHERE revoked_at IS NULL")?;
    Ok(keys
        .into_iter()
        .map(|(key, digest)| ValidKey::new(&key, digest))
        .collect())
}

pub(super) fn exists(connection: &Connection, id: Uuid) -> Result<bool, ApiKeyError> {
    let mut statement = connection.prepare_cached("SELECT 1 FROM api_key WHERE id = ?1")?;
    Ok(statement.exists([id.as_bytes()])?)
}

pub(super) fn revoke(
    connection: &Connection,
    id: Uuid,
    now: DateTime<Utc>,
) -> Result<(), ApiKeyError> {
    connection.execute(
        "UPDATE api_key SET revoked_at = ?2 WHERE id = ?1",
        params![id.as_bytes(), now.timestamp_micros()],
    )?;
    Ok(())
}

pub(super) fn note_use(
    connection: &Connection,
    id: Uuid,
    hour: DateTime<Utc>,
) -> Result<(), ApiKeyError> {
    connection.execute(
        "UPDATE api_key SET last_used_at = ?2 WHERE id = ?1",
        params![id.as_bytes(), hour.timestamp_micros()],
    )?;
    Ok(())
}

fn select(
    connection: &Connection,
    condition: &str,
) -> Result<Vec<(ApiKey, [u8; 32])>, ApiKeyError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} {condition}"))?;
    let mut rows = statement.query([])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push((decode(row)?, row.get(6)?));
    }
    Ok(keys)
}

fn decode(row: &Row<'_>) -> Result<ApiKey, ApiKeyError> {
    let time = |micros: i64| {
        DateTime::from_timestamp_micros(micros)
            .ok_or_else(|| ApiKeyError::Damaged("a time is out of range".to_owned()))
    };
    let scopes: String = row.get(2)?;
    Ok(ApiKey {
        id: Uuid::from_bytes(row.get(0)?),
        name: row.get(1)?,
        scopes: scopes
            .parse()
            .map_err(|error| ApiKeyError::Damaged(format!("{error}")))?,
        created_at: time(row.get(3)?)?,
        last_used_at: row.get::<_, Option<i64>>(4)?.map(time).transpose()?,
        revoked_at: row.get::<_, Option<i64>>(5)?.map(time).transpose()?,
    })
}
