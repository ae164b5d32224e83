//! What a successful execution did.

use indexmap::IndexMap;
use uuid::Uuid;

use crate::event::Event;

/// What a successful execution did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExecuteOutput {
    /// Position of the last event written. Where an idempotency key had been used before, the
    /// position of the event that carries it; `None` when nothing was, or had been, written.
    pub position: Option<u64>,
    /// The events that this execution wrote.
    pub events: Vec<EmittedEvent>,
}

impl ExecuteOutput {
    /// Whether this execution wrote an `E`.
    #[must_use]
    pub fn has_event<E: Event>(&self) -> bool {
        self.events
            .iter()
            .any(|event| event.event_type == E::EVENT_TYPE)
    }
}

/// An event that an execution wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmittedEvent {
    /// Minted by the host.
    pub id: Uuid,
    /// The event type's name.
    pub event_type: String,
    /// Domain ids by name, in the order of the event's fields.
    pub domain_ids: IndexMap<String, String>,
}
