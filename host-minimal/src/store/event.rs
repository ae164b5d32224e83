//! Events before and after they are written.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Query;

/// An event as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedEvent {
    /// Minted by the host at commit.
    pub id: Uuid,
    /// Place in the log. The first event has position 1; there are no gaps.
    pub position: u64,
    /// Name of the event's type.
    pub event_type: String,
    /// Domain ids in the form `name:value`, without the host's reserved tags.
    pub tags: Vec<String>,
    /// The host's wall clock at commit, in whole microseconds.
    pub timestamp: DateTime<Utc>,
    /// The user action at the start of the causal chain.
    pub correlation_id: Uuid,
    /// The one command execution that wrote this event.
    pub causation_id: Uuid,
    /// The event whose effect called that command.
    pub triggering_event_id: Option<Uuid>,
    /// The key under which that command was called.
    pub idempotency_key: Option<Uuid>,
    /// `name:value` of the domain id whose data key encrypts the payload.
    pub encryption_scope: Option<String>,
    /// The data key that encrypted the payload.
    pub encryption_key_id: Option<Uuid>,
    /// Version of the payload's shape.
    pub schema_version: u32,
    /// What wrote the event.
    pub author: Author,
    /// JSON text, exactly as its writer gave it. Absent when its data key has been shredded.
    pub payload: Option<String>,
}

impl RecordedEvent {
    /// Whether what the event said is gone for good.
    pub fn is_shredded(&self) -> bool {
        self.payload.is_none()
    }
}

/// The code that wrote an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Name of the module that ran.
    pub module: String,
    /// Its version.
    pub version: String,
    /// The command, which is another name than the module's where an effect linked it.
    pub command: String,
}

/// An event to append. Its id, position and timestamp are the log's to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// Name of the event's type.
    pub event_type: String,
    /// Version of the payload's shape; versions start at 1.
    pub schema_version: u32,
    /// Domain ids in the form `name:value`. A tag that is given twice is written once.
    pub tags: Vec<String>,
    /// `name:value` of the domain id whose data key is to encrypt the payload; one of `tags`.
    pub encryption_scope: Option<String>,
    /// JSON text. It is stored as it is given.
    pub payload: String,
}

/// Who appends, and on whose behalf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    /// The user action at the start of the causal chain.
    pub correlation_id: Uuid,
    /// The one command execution that appends.
    pub causation_id: Uuid,
    /// The event whose effect called the command.
    pub triggering_event_id: Option<Uuid>,
    /// The key under which the command was called; part of the append's condition.
    pub idempotency_key: Option<Uuid>,
    /// What appends.
    pub author: Author,
}

/// What an append depends on: no event that `query` matches may have come after `after`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Boundary {
    /// The events that were read. Empty: the append depends on nothing.
    pub query: Query,
    /// The head of the read that fed the folds; 0 for an empty log.
    pub after: u64,
}

/// What the log gave the events that it appended, in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Position of the last of them.
    pub position: u64,
    /// Their ids.
    pub ids: Vec<Uuid>,
    /// Their common timestamp, in whole microseconds.
    pub timestamp: DateTime<Utc>,
}
