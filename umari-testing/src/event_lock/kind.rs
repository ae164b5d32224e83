//! An event type, as a value.

use umari::event::{Event, SerializationError, SingleEvent, decode, encode};
use umari::host::{NewEvent, RawEvent};

/// What the derive says of an event type, and how its events are read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    pub(crate) event_type: &'static str,
    pub(crate) aliases: &'static [&'static str],
    pub(crate) version: u32,
    domain_ids: &'static [&'static str],
    /// Reads a stored event by the code of today, and writes again what came of it.
    pub(crate) read: fn(&RawEvent) -> Result<Vec<NewEvent>, SerializationError>,
}

impl Kind {
    pub(crate) fn of<E: Event>() -> Self {
        Self {
            event_type: E::EVENT_TYPE,
            aliases: E::ALIASES,
            version: E::SCHEMA_VERSION,
            domain_ids: E::DOMAIN_ID_FIELDS,
            read: read::<E>,
        }
    }

    /// Whether its events are, or were, stored under this name.
    pub(crate) fn is_named(&self, event_type: &str) -> bool {
        self.event_type == event_type || self.aliases.contains(&event_type)
    }

    /// Sorted, each once.
    pub(crate) fn domain_ids(&self) -> Vec<String> {
        let mut names: Vec<_> = self.domain_ids.iter().map(ToString::to_string).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

fn read<E: Event>(event: &RawEvent) -> Result<Vec<NewEvent>, SerializationError> {
    let events = decode::<SingleEvent<E>>(event)?;
    events.iter().map(|event| encode(&event.data)).collect()
}
