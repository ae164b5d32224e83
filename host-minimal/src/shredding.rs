//! Making what a scope's events said unreadable, and forgetting every copy that the host keeps.
//!
//! A scope's data keys are deleted, `umari.sqlite` is rewritten without them, and what modules
//! printed and failed with is thrown away, as nobody can tell what it quotes. The host keeps no other copies:
//! folds have no snapshots, and events that were read ahead are looked at again before a module
//! or a client gets them.
//!
//! What a module itself made of the events, such as a projector's rows, is the module's. A
//! projector that is built again from its first event is built without them.

use std::sync::Arc;

use chrono::{SecondsFormat, Utc};

use crate::capabilities::output::Outputs;
use crate::keys::{AuditEntry, KeyError, KeyRing, Shredding};
use crate::limits;
use crate::report::chain;
use crate::store::{Invalid, check_tag};
use crate::subscriptions::effect::failed;

/// Why a scope was not shredded, or not completely.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ShredError {
    /// The scope is not the name and value of a domain id.
    #[error("the scope is not one: {0}")]
    InvalidScope(#[source] Invalid),
    /// A text for the record is too long.
    #[error("the {what} has {bytes} bytes: at most {limit} are allowed")]
    TooLong {
        /// Which text.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// The scope is unknown, or the keys could not be deleted. Nothing was shredded.
    #[error(transparent)]
    Keys(KeyError),
    /// The scope is shredded and the record says so, but copies may be left. They are removed by
    /// the next shredding, or when the host starts.
    #[error("the scope {} is shredded, but copies of it may be left: {reason}", entry.scope.as_deref().unwrap_or_default())]
    Incomplete {
        /// The record.
        entry: Box<AuditEntry>,
        /// What could not be removed, and why.
        reason: String,
    },
}

/// What shreds: the keys, and all that the host keeps besides.
#[derive(Debug, Clone)]
pub(crate) struct Shredder {
    keys: Arc<KeyRing>,
    outputs: Outputs,
}

impl Shredder {
    pub(crate) fn new(keys: Arc<KeyRing>, outputs: Outputs) -> Self {
        Self { keys, outputs }
    }

    /// Shreds a scope. When this returns, nothing of it is left with the host.
    pub(crate) fn shred(&self, shredding: &Shredding) -> Result<AuditEntry, ShredError> {
        check(shredding)?;
        let entry = self.keys.shred(shredding).map_err(ShredError::Keys)?;
        tracing::info!(
            scope = shredding.scope,
            keys = entry.keys,
            entry = entry.id,
            "a scope was shredded"
        );
        match self.remove_traces() {
            Ok(()) => Ok(entry),
            Err(reason) => {
                tracing::error!("{} is shredded, but {reason}", shredding.scope);
                Err(ShredError::Incomplete {
                    entry: Box::new(entry),
                    reason,
                })
            }
        }
    }

    /// What was shredded so far, as far as one page of the record shows it.
    pub(crate) fn record(&self) -> Vec<AuditEntry> {
        let page = self.keys.audit(0, limits::KEYS_PAGE_ENTRIES);
        page.unwrap_or_default()
    }

    /// Removes what shreddings may have left: the one that was just made, and earlier ones that
    /// did not get that far.
    pub(crate) fn remove_traces(&self) -> Result<(), String> {
        let keys = |error: KeyError| chain(&error);
        if !self.keys.has_traces().map_err(keys)? {
            return Ok(());
        }
        let now = Utc::now().to_rfc3339_opts(SecondsFormat::Secs, true);
        self.outputs
            .purge(&format!(
                "umari: a scope was shredded at {now}; what was printed before is gone\n"
            ))
            .map_err(|error| format!("a module's log file cannot be emptied: {error}"))?;
        for modules in self.outputs.directories() {
            let note = format!("a scope was shredded at {now}; what was said before is gone");
            failed::purge(modules, &note).map_err(|error| {
                format!("what an effect failed with cannot be overwritten in {error}")
            })?;
        }
        self.keys.erase().map_err(keys)?;
        self.keys.settle().map_err(keys)
    }
}

fn check(shredding: &Shredding) -> Result<(), ShredError> {
    check_tag(&shredding.scope).map_err(ShredError::InvalidScope)?;
    let texts = [
        ("reason", &shredding.reason, limits::SHREDDING_REASON_BYTES),
        (
            "requester",
            &shredding.requested_by,
            limits::SHREDDING_REQUESTER_BYTES,
        ),
    ];
    for (what, text, limit) in texts {
        let bytes = text.as_ref().map_or(0, String::len);
        if bytes > limit {
            return Err(ShredError::TooLong { what, bytes, limit });
        }
    }
    Ok(())
}
