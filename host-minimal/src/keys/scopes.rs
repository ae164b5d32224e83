//! Which scopes there are.

use chrono::{DateTime, Utc};
use rusqlite::{Row, params};
use uuid::Uuid;

use super::KeyError;
use super::audit::moment;
use super::ring::KeyRing;
use crate::limits;

/// Which scopes to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ScopeFilter {
    /// What their names begin with, such as `shop_id:`.
    pub prefix: String,
    /// Only those after this name, in the order of bytes.
    pub after: String,
    /// How many, and [`limits::KEYS_PAGE_ENTRIES`] at the most.
    pub limit: usize,
}

/// The data keys of one scope, and what became of earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeKeys {
    /// `name:value` of the domain id.
    pub scope: String,
    /// The key with which its next payload is encrypted; `None` until there is one.
    pub active_key_id: Option<Uuid>,
    /// Its data keys, retired ones included. Without any, nothing of the scope can be read.
    pub keys: u64,
    /// When the first of these keys was made.
    pub created_at: Option<DateTime<Utc>>,
    /// Payloads that these keys have encrypted, at least: they are counted in blocks of
    /// [`limits::DATA_KEY_MESSAGE_BLOCK`].
    pub messages: u64,
    /// When the scope was shredded last.
    pub shredded_at: Option<DateTime<Utc>>,
    /// Why it was.
    pub shredded_reason: Option<String>,
}

/// The scopes between two names, each with its keys and its last shredding.
const LIST: &str = "
    SELECT s.scope,
        (SELECT id FROM data_key WHERE scope = s.scope AND retired = 0) AS active_key_id,
        (SELECT count(*) FROM data_key WHERE scope = s.scope) AS keys,
        (SELECT min(created_at) FROM data_key WHERE scope = s.scope) AS created_at,
        (SELECT total(messages) FROM data_key WHERE scope = s.scope) AS messages,
        a.at AS shredded_at,
        a.reason AS shredded_reason
    FROM (SELECT scope FROM data_key UNION SELECT scope FROM shredded_scope) s
    LEFT JOIN key_audit a ON a.id = (SELECT max(id) FROM key_audit WHERE scope = s.scope)
    WHERE s.scope > ?1 AND s.scope >= ?2 AND substr(s.scope, 1, length(?2)) = ?2
    ORDER BY s.scope LIMIT ?3";

impl KeyRing {
    /// The scopes that have or had data keys, or were shredded without any, by name.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub fn scopes(&self, filter: &ScopeFilter) -> Result<Vec<ScopeKeys>, KeyError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(LIST)?;
        let limit = filter.limit.min(limits::KEYS_PAGE_ENTRIES);
        let scopes = statement.query_map(params![filter.after, filter.prefix, limit], scope)?;
        Ok(scopes.collect::<Result<_, _>>()?)
    }
}

fn scope(row: &Row<'_>) -> rusqlite::Result<ScopeKeys> {
    let active: Option<[u8; 16]> = row.get("active_key_id")?;
    let created_at: Option<i64> = row.get("created_at")?;
    let shredded_at: Option<i64> = row.get("shredded_at")?;
    let messages: f64 = row.get("messages")?;
    Ok(ScopeKeys {
        scope: row.get("scope")?,
        active_key_id: active.map(Uuid::from_bytes),
        keys: row.get("keys")?,
        created_at: created_at.map(moment),
        // `total` answers in floating point, which holds every count that can be reached.
        messages: messages as u64,
        shredded_at: shredded_at.map(moment),
        shredded_reason: row.get("shredded_reason")?,
    })
}
