//! Making what a scope's events said unreadable, and forgetting every copy that the host keeps.
//!
//! A scope's data keys are deleted, `umari.sqlite` is rewritten without them, and what modules
//! printed and failed with is thrown away, as nobody can tell what it quotes. Snapshots of folds
//! that read such an event are deleted. The host keeps no other copies: events that were read
//! ahead are looked at again before a module or a client gets them.
//!
//! What a module itself made of the events, such as a projector's rows, is the module's, and the
//! record says which modules have handled any. A projector that is built again from its first event
//! is built without them.

mod readers;

use std::sync::{Arc, Weak};

use chrono::{SecondsFormat, Utc};

use crate::capabilities::output::Outputs;
use crate::keys::{AuditEntry, KeyAction, KeyError, KeyRing, MasterKey, Rotation, Shredding};
use crate::limits;
use crate::modules::component::LoadedModule;
use crate::report::chain;
use crate::snapshots::Snapshots;
use crate::store::{Invalid, check_tag};
use crate::subscriptions::effect::failed;
use crate::subscriptions::last_failure;

pub(crate) use self::readers::{Following, Readers};

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
    /// It is done and the record says so, but copies may be left. They are removed by the next
    /// shredding or rotation, or when the host starts.
    #[error("it is done and recorded, but copies may be left: {reason}")]
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
    snapshots: Snapshots,
    /// Who is asked what they have read; nobody where no module runs.
    readers: Option<Readers>,
}

impl Shredder {
    pub(crate) fn new(keys: Arc<KeyRing>, outputs: Outputs, snapshots: Snapshots) -> Self {
        let readers = None;
        Self {
            keys,
            outputs,
            snapshots,
            readers,
        }
    }

    /// The same, of a host whose modules are `readers`.
    pub(crate) fn with_readers(self, readers: Readers) -> Self {
        let readers = Some(readers);
        Self { readers, ..self }
    }

    /// A projector or an effect runs from now on.
    pub(crate) fn runs(&self, module: &LoadedModule, follower: Weak<dyn Following>) {
        if let Some(readers) = &self.readers {
            readers.runs(module.kind(), module.name().clone(), follower);
        }
    }

    /// Shreds a scope. When this returns, nothing of it is left with the host.
    pub(crate) fn shred(&self, shredding: &Shredding) -> Result<AuditEntry, ShredError> {
        check(shredding)?;
        let entry = self.keys.shred(shredding).map_err(ShredError::Keys)?;
        // At once, so that no reader goes on from a state that knows what it does not find any
        // more. Where that fails, removing the traces says so.
        if let Err(reason) = self
            .snapshots
            .delete(std::slice::from_ref(&shredding.scope))
        {
            tracing::error!("snapshots of a shredded scope are left for now: {reason}");
        }
        tracing::info!(
            scope = shredding.scope,
            keys = entry.keys,
            entry = entry.id,
            "a scope was shredded"
        );
        self.complete(self.with_those_who_read_it(entry))
    }

    /// Notes who has handled events of the scope, now that nobody gets them as data any more.
    fn with_those_who_read_it(&self, mut entry: AuditEntry) -> AuditEntry {
        let (Some(readers), Some(scope), None) = (&self.readers, &entry.scope, &entry.readers)
        else {
            return entry;
        };
        let noted = readers
            .of(scope)
            .map_err(|error| chain(&error))
            .and_then(|readers| {
                let noted = self.keys.note_readers(entry.id, &readers);
                noted.map(|()| readers).map_err(|error| chain(&error))
            });
        match noted {
            Ok(readers) => entry.readers = Some(readers),
            // What was asked for is done; the record says that this is not known.
            Err(reason) => tracing::error!("who has read {scope} is not known: {reason}"),
        }
        entry
    }

    fn complete(&self, entry: AuditEntry) -> Result<AuditEntry, ShredError> {
        match self.remove_traces() {
            Ok(()) => Ok(entry),
            Err(reason) => {
                tracing::error!("entry {} of the record is incomplete: {reason}", entry.id);
                Err(ShredError::Incomplete {
                    entry: Box::new(entry),
                    reason,
                })
            }
        }
    }

    /// Wraps all data keys with another master key. When this returns, nothing is left of the old
    /// wrapping.
    pub(crate) fn rotate(
        &self,
        new: Option<&MasterKey>,
        rotation: &Rotation,
    ) -> Result<AuditEntry, ShredError> {
        check_texts(rotation.reason.as_deref(), rotation.requested_by.as_deref())?;
        let entry = self.keys.rotate(new, rotation).map_err(ShredError::Keys)?;
        tracing::info!(
            keys = entry.keys,
            entry = entry.id,
            "the master key was rotated"
        );
        self.complete(entry)
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
        let shredded = self.keys.has_traces(KeyAction::Shred).map_err(keys)?;
        let rotated = self.keys.has_traces(KeyAction::Rotate).map_err(keys)?;
        if !shredded && !rotated {
            return Ok(());
        }
        if rotated {
            // Their key is wrapped by the master key that was.
            self.snapshots.forget_all()?;
        }
        if shredded {
            let scopes = self.keys.unsettled_scopes().map_err(keys)?;
            self.snapshots.forget(&scopes)?;
            self.forget_what_was_said()?;
        }
        self.keys.erase().map_err(keys)?;
        self.keys.settle().map_err(keys)
    }

    /// Throws away what modules printed and what they failed with.
    fn forget_what_was_said(&self) -> Result<(), String> {
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
            last_failure::purge(modules, &note).map_err(|error| {
                let place = modules.display();
                format!("what a module failed with cannot be overwritten in {place}: {error}")
            })?;
        }
        Ok(())
    }
}

fn check(shredding: &Shredding) -> Result<(), ShredError> {
    check_tag(&shredding.scope).map_err(ShredError::InvalidScope)?;
    check_texts(
        shredding.reason.as_deref(),
        shredding.requested_by.as_deref(),
    )
}

fn check_texts(reason: Option<&str>, requested_by: Option<&str>) -> Result<(), ShredError> {
    let texts = [
        ("reason", reason, limits::SHREDDING_REASON_BYTES),
        ("requester", requested_by, limits::SHREDDING_REQUESTER_BYTES),
    ];
    for (what, text, limit) in texts {
        let bytes = text.map_or(0, str::len);
        if bytes > limit {
            return Err(ShredError::TooLong { what, bytes, limit });
        }
    }
    Ok(())
}
