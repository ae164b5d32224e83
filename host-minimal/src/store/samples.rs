//! Events for tests, and who writes them.

use uuid::Uuid;

use super::{Author, NewEvent, Provenance};

pub(crate) fn event(event_type: &str, tags: &[&str]) -> NewEvent {
    NewEvent {
        event_type: event_type.to_owned(),
        schema_version: 1,
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
        encryption_scope: None,
        payload: "{}".to_owned(),
    }
}

/// The same, encrypted under `scope`.
pub(crate) fn secret(event: NewEvent, scope: &str) -> NewEvent {
    NewEvent {
        encryption_scope: Some(scope.to_owned()),
        ..event
    }
}

pub(crate) fn by(command: &str) -> Provenance {
    Provenance {
        correlation_id: Uuid::now_v7(),
        causation_id: Uuid::now_v7(),
        triggering_event_id: None,
        idempotency_key: None,
        author: Author {
            module: command.to_owned(),
            version: "1.2.3".to_owned(),
            command: command.to_owned(),
        },
    }
}
