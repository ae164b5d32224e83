//! Deleting the data keys of a scope, so that nothing is left of them.

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use uuid::Uuid;

use super::KeyError;
use super::audit::{self, AuditEntry, KeyAction};
use super::ring::KeyRing;
use crate::data_dir;

/// A scope that is to become unreadable, and what the record says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shredding {
    /// `name:value` of the domain id.
    pub scope: String,
    /// Why, such as the number of a request.
    pub reason: Option<String>,
    /// Who asks for it.
    pub requested_by: Option<String>,
    /// The event that asks for it. An event shreds a scope once: when it is handled again, after
    /// a crash or in a replay, what was written since is left alone.
    pub event_id: Option<Uuid>,
    /// Whether a scope that never had a data key is recorded as shredded, and not an error.
    pub allow_unknown: bool,
}

impl Shredding {
    /// The scope without any reasons. An unknown one is an error.
    pub fn of(scope: impl Into<String>) -> Self {
        Self {
            scope: scope.into(),
            reason: None,
            requested_by: None,
            event_id: None,
            allow_unknown: false,
        }
    }
}

impl KeyRing {
    /// Deletes the data keys of a scope, in memory and in the database, and records it.
    ///
    /// Appends that encrypt are either over when the keys go, so that what they wrote is shredded
    /// too, or begin afterwards and get a new key. The bytes of the keys may remain in the
    /// database's files until [`erase`](Self::erase) returns.
    ///
    /// # Errors
    ///
    /// [`KeyError::UnknownScope`], where that is not allowed; otherwise the database cannot be
    /// written, and nothing is shredded.
    pub fn shred(&self, shredding: &Shredding) -> Result<AuditEntry, KeyError> {
        let _no_appends = self.stop_sealing();
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let scope = &shredding.scope;
        if let Some(event_id) = shredding.event_id
            && let Some(before) = audit::of_event(&transaction, scope, event_id)?
        {
            return Ok(before);
        }
        let last_key = last_key(&transaction, scope)?;
        let last_shredded = until(&transaction, scope)?;
        if last_key.is_none() && last_shredded.is_none() && !shredding.allow_unknown {
            return Err(KeyError::UnknownScope {
                scope: scope.clone(),
            });
        }
        let deleted = transaction.execute("DELETE FROM data_key WHERE scope = ?1", [scope])?;
        // At least as high as every key of the scope, even where the clock was turned back.
        let until = last_key.max(last_shredded).max(Some(Uuid::now_v7()));
        bury(&transaction, scope, until.unwrap_or_default())?;
        let entry = audit::record_shredding(&transaction, shredding, deleted)?;
        transaction.commit()?;
        self.forget(scope);
        Ok(entry)
    }

    /// Whether something of this kind is recorded whose traces may not all be erased yet.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub fn has_traces(&self, of: KeyAction) -> Result<bool, KeyError> {
        let unsettled = "SELECT EXISTS (SELECT 1 FROM key_audit WHERE settled = 0 AND action = ?1)";
        let connection = self.connection();
        Ok(connection.query_row(unsettled, [of.as_str()], |row| row.get(0))?)
    }

    /// The scopes whose traces may not all be erased yet.
    ///
    /// # Errors
    ///
    /// The database cannot be read.
    pub(crate) fn unsettled_scopes(&self) -> Result<Vec<String>, KeyError> {
        let connection = self.connection();
        let mut statement = connection.prepare_cached(
            "SELECT DISTINCT scope FROM key_audit WHERE settled = 0 AND scope IS NOT NULL",
        )?;
        let scopes = statement.query_map([], |row| row.get(0))?;
        Ok(scopes.collect::<Result<_, _>>()?)
    }

    /// Rewrites the database, so that no file of it holds a deleted data key any more.
    ///
    /// Deleted cells are overwritten as they are deleted, but moving cells between pages can leave
    /// parts of them behind; a database that is written anew has none.
    ///
    /// # Errors
    ///
    /// The disk is full, or another connection has been reading for too long.
    pub fn erase(&self) -> Result<(), KeyError> {
        let connection = self.connection();
        let erased = connection
            .execute_batch("VACUUM")
            .and_then(|()| data_dir::empty_write_ahead_log(&connection));
        erased.map_err(KeyError::NotErased)
    }

    /// Notes that no trace is left of what has been recorded so far.
    ///
    /// # Errors
    ///
    /// The database cannot be written.
    pub fn settle(&self) -> Result<(), KeyError> {
        let connection = self.connection();
        connection.execute("UPDATE key_audit SET settled = 1 WHERE settled = 0", [])?;
        Ok(())
    }

    /// Takes `key_id` for shredded, and every earlier key of the scope that is missing.
    ///
    /// # Errors
    ///
    /// The database cannot be written.
    pub(crate) fn take_for_shredded(&self, scope: &str, key_id: Uuid) -> Result<(), KeyError> {
        let connection = self.connection();
        let until = until(&connection, scope)?.max(Some(key_id));
        bury(&connection, scope, until.unwrap_or_default())
    }
}

/// The highest key id of a scope up to which a missing key has been shredded.
pub(super) fn until(connection: &Connection, scope: &str) -> Result<Option<Uuid>, KeyError> {
    let id: Option<[u8; 16]> = connection
        .prepare_cached("SELECT until FROM shredded_scope WHERE scope = ?1")?
        .query_row([scope], |row| row.get(0))
        .optional()?;
    Ok(id.map(Uuid::from_bytes))
}

fn last_key(connection: &Connection, scope: &str) -> Result<Option<Uuid>, KeyError> {
    let id: Option<[u8; 16]> = connection.query_row(
        "SELECT max(id) FROM data_key WHERE scope = ?1",
        [scope],
        |row| row.get(0),
    )?;
    Ok(id.map(Uuid::from_bytes))
}

fn bury(connection: &Connection, scope: &str, until: Uuid) -> Result<(), KeyError> {
    connection.execute(
        "INSERT INTO shredded_scope (scope, until) VALUES (?1, ?2)
         ON CONFLICT (scope) DO UPDATE SET until = excluded.until",
        params![scope, until.as_bytes()],
    )?;
    Ok(())
}
