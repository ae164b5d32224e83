//! The data keys of scopes over HTTP: listing, shredding, and the record of it.

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::parameters::{self, must_be};
use super::{Problem, blocking};
use crate::Host;
use crate::keys::{AuditEntry, Reader, Rotation, ScopeFilter, ScopeKeys, Shredding};
use crate::limits;
use crate::shredding::ShredError;

#[derive(Serialize)]
pub(super) struct ScopesPage {
    scopes: Vec<ScopeBody>,
    /// What to pass as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<String>,
}

#[derive(Serialize)]
struct ScopeBody {
    scope: String,
    active_key_id: Option<Uuid>,
    keys: u64,
    created_at: Option<String>,
    messages: u64,
    shredded_at: Option<String>,
    shredded_reason: Option<String>,
}

#[derive(Serialize)]
pub(super) struct AuditPage {
    entries: Vec<EntryBody>,
    /// What to pass as `after` for the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_after: Option<u64>,
}

/// One entry of the record; also the receipt of what it records.
#[derive(Serialize)]
pub(super) struct EntryBody {
    id: u64,
    at: String,
    action: &'static str,
    scope: Option<String>,
    keys: u64,
    reason: Option<String>,
    requested_by: Option<String>,
    event_id: Option<Uuid>,
    /// Who had handled events of the scope; `null` where that is not known.
    readers: Option<Vec<Reader>>,
}

pub(super) async fn list(
    State(host): State<Host>,
    RawQuery(query): RawQuery,
) -> Result<Json<ScopesPage>, Problem> {
    let mut filter = ScopeFilter {
        limit: limits::KEYS_PAGE_DEFAULT_ENTRIES,
        ..ScopeFilter::default()
    };
    parameters::each(
        query.as_deref(),
        "there are prefix, after and limit",
        |name, value| {
            match name {
                "prefix" => filter.prefix = value,
                "after" => filter.after = value,
                "limit" => filter.limit = parse_limit(&value)?,
                _ => return Ok(false),
            }
            Ok(true)
        },
    )?;
    let limit = filter.limit;
    let scopes = blocking(move || host.scopes(&filter)).await??;
    let full = scopes.len() == limit;
    let next_after = scopes
        .last()
        .filter(|_| full)
        .map(|keys| keys.scope.clone());
    Ok(Json(ScopesPage {
        scopes: scopes.into_iter().map(ScopeBody::from).collect(),
        next_after,
    }))
}

pub(super) async fn shred(
    State(host): State<Host>,
    Path(scope): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<EntryBody>, Problem> {
    let mut shredding = Shredding::of(scope);
    let mut replay = false;
    let known = "there are reason, requested_by, allow_unknown and replay";
    parameters::each(query.as_deref(), known, |name, value| {
        match name {
            "reason" => shredding.reason = some(value),
            "requested_by" => shredding.requested_by = some(value),
            "allow_unknown" => shredding.allow_unknown = parse_flag(name, &value)?,
            "replay" => replay = parse_flag(name, &value)?,
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    let shredded = blocking(move || -> Result<AuditEntry, ShredError> {
        let entry = host.shred(&shredding)?;
        match replay {
            true => host.replay_readers(entry).map_err(ShredError::Keys),
            false => Ok(entry),
        }
    });
    Ok(Json(shredded.await??.into()))
}

pub(super) async fn rotate(
    State(host): State<Host>,
    RawQuery(query): RawQuery,
) -> Result<Json<EntryBody>, Problem> {
    let mut rotation = Rotation::default();
    parameters::each(
        query.as_deref(),
        "there are reason and requested_by",
        |name, value| {
            match name {
                "reason" => rotation.reason = some(value),
                "requested_by" => rotation.requested_by = some(value),
                _ => return Ok(false),
            }
            Ok(true)
        },
    )?;
    let entry = blocking(move || host.rotate_master_key(&rotation)).await??;
    Ok(Json(entry.into()))
}

pub(super) async fn audit(
    State(host): State<Host>,
    RawQuery(query): RawQuery,
) -> Result<Json<AuditPage>, Problem> {
    let (mut after, mut limit) = (0, limits::KEYS_PAGE_DEFAULT_ENTRIES);
    parameters::each(
        query.as_deref(),
        "there are after and limit",
        |name, value| {
            match name {
                "after" => {
                    after = value
                        .parse()
                        .map_err(|_| must_be(name, "the number of an entry", &value))?;
                }
                "limit" => limit = parse_limit(&value)?,
                _ => return Ok(false),
            }
            Ok(true)
        },
    )?;
    let entries = blocking(move || host.key_audit(after, limit)).await??;
    let full = entries.len() == limit;
    let next_after = entries.last().filter(|_| full).map(|entry| entry.id);
    Ok(Json(AuditPage {
        entries: entries.into_iter().map(EntryBody::from).collect(),
        next_after,
    }))
}

/// An entry of the record as the API shows it.
pub fn audit_entry(entry: AuditEntry) -> serde_json::Value {
    let body = serde_json::to_value(EntryBody::from(entry));
    // Texts, numbers and nothing become JSON whatever they are.
    body.unwrap_or_default()
}

fn parse_limit(value: &str) -> Result<usize, Problem> {
    let limit = value.parse().ok();
    limit
        .filter(|limit| (1..=limits::KEYS_PAGE_ENTRIES).contains(limit))
        .ok_or_else(|| {
            must_be(
                "limit",
                &format!("1 to {}", limits::KEYS_PAGE_ENTRIES),
                value,
            )
        })
}

fn parse_flag(name: &str, value: &str) -> Result<bool, Problem> {
    value
        .parse()
        .map_err(|_| must_be(name, "true or false", value))
}

fn some(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

impl From<ScopeKeys> for ScopeBody {
    fn from(keys: ScopeKeys) -> Self {
        Self {
            scope: keys.scope,
            active_key_id: keys.active_key_id,
            keys: keys.keys,
            created_at: keys.created_at.map(rfc3339),
            messages: keys.messages,
            shredded_at: keys.shredded_at.map(rfc3339),
            shredded_reason: keys.shredded_reason,
        }
    }
}

impl From<AuditEntry> for EntryBody {
    fn from(entry: AuditEntry) -> Self {
        Self {
            id: entry.id,
            at: rfc3339(entry.at),
            action: entry.action.as_str(),
            scope: entry.scope,
            keys: entry.keys,
            reason: entry.reason,
            requested_by: entry.requested_by,
            event_id: entry.event_id,
            readers: entry.readers,
        }
    }
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_have_limits() {
        let limit = |value: usize| parse_limit(&value.to_string());
        assert_eq!(limit(limits::KEYS_PAGE_ENTRIES).ok(), Some(1_000));
        for refused in [0, limits::KEYS_PAGE_ENTRIES + 1] {
            limit(refused).unwrap_err();
        }
        parse_limit("x").unwrap_err();
    }
}
