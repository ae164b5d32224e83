//! What a successful execution did.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::Event;

/// What a successful execution did: its receipt.
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("shop.connected")]
/// struct ShopConnected {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// let receipt: ExecuteOutput = serde_json::from_value(json!({
///     "position": 7,
///     "events": [{
///         "id": "9a3f4f0e-6a41-4c43-8a38-0d4a2b6f6f11",
///         "event_type": "shop.connected",
///         "domain_ids": {"shop_id": "42"},
///         "tags": ["shop_id:42"],
///     }],
/// }))?;
/// assert!(receipt.has_event::<ShopConnected>());
/// let connected = receipt.events_of::<ShopConnected>().next().unwrap();
/// assert_eq!(connected.domain_ids["shop_id"], "42");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
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
        self.events_of::<E>().next().is_some()
    }

    /// Every `E` that this execution wrote.
    pub fn events_of<E: Event>(&self) -> impl Iterator<Item = &EmittedEvent> {
        self.events
            .iter()
            .filter(|event| event.event_type == E::EVENT_TYPE)
    }
}

/// An event that an execution wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmittedEvent {
    /// Minted by the host.
    pub id: Uuid,
    /// The event type's name.
    pub event_type: String,
    /// Domain ids by name, in the order of the event's fields; of a plural one the first value.
    pub domain_ids: IndexMap<String, String>,
    /// Every domain id in the form `name:value`.
    #[serde(default)]
    pub tags: Vec<String>,
}
