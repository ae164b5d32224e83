//! The event log in memory: positions, tags, queries and append conditions.

use std::collections::BTreeMap;
use std::rc::Rc;

use umari::host::{AsOf, NewEvent, QueryItem, RawEvent, Receipt, TransactionError};
use umari::prelude::{DateTime, Utc};
use uuid::Uuid;

use super::ids;

#[cfg(test)]
mod tests;

/// Tags that belong to the host; modules neither write nor query them.
const RESERVED_TAG_PREFIX: &str = "umari.";

/// An event, and the command that wrote it.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) event: RawEvent,
    /// The name under which the writing command opened its transaction; empty for given events.
    pub(crate) command: Rc<str>,
}

/// Who appends, and when.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    pub(crate) command: Rc<str>,
    pub(crate) correlation_id: Uuid,
    pub(crate) causation_id: Uuid,
    pub(crate) triggering_event_id: Option<Uuid>,
    pub(crate) idempotency_key: Option<Uuid>,
    pub(crate) timestamp: DateTime<Utc>,
}

/// What an append depends on: nothing that it matches may lie after `after`.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub(crate) query: Rc<[QueryItem]>,
    pub(crate) command: Rc<str>,
    pub(crate) idempotency_key: Option<Uuid>,
    pub(crate) after: u64,
}

/// The log. Cloning it is a snapshot and shares the events.
#[derive(Debug, Clone, Default)]
pub(crate) struct Log {
    entries: Vec<Rc<Entry>>,
    head: u64,
    /// How many data keys of a scope have been deleted; the next key's id counts on from there.
    shreds: BTreeMap<String, u64>,
}

impl Log {
    pub(crate) fn head(&self) -> u64 {
        self.head
    }

    /// Leaves the next `positions` positions free, as if events of others lay there.
    pub(crate) fn skip(&mut self, positions: u64) {
        self.head += positions;
    }

    /// Every event, in position order.
    pub(crate) fn events(&self) -> impl DoubleEndedIterator<Item = &RawEvent> + Clone {
        self.entries.iter().map(|entry| &entry.event)
    }

    /// Every event with the command that wrote it, in position order.
    #[cfg(feature = "component")]
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().map(|entry| &**entry)
    }

    /// The events after `position`.
    pub(crate) fn after(&self, position: u64) -> impl Iterator<Item = &RawEvent> + Clone {
        self.entries_after(position)
            .iter()
            .map(|entry| &entry.event)
    }

    fn entries_after(&self, position: u64) -> &[Rc<Entry>] {
        let start = self
            .entries
            .partition_point(|entry| entry.event.position <= position);
        &self.entries[start..]
    }

    /// The events that `query` matches up to `bound`.
    pub(crate) fn read(&self, query: &[QueryItem], bound: AsOf) -> Vec<RawEvent> {
        self.events()
            .filter(|event| match bound {
                AsOf::Position(position) => event.position <= position,
                AsOf::Time(time) => event.timestamp <= time,
            })
            .filter(|event| matches_any(query, &event.event_type, &event.tags))
            .cloned()
            .collect()
    }

    /// The first event that already carries the condition's key, up to its position.
    pub(crate) fn duplicate(&self, condition: &Condition) -> Option<u64> {
        let entry = self
            .entries
            .iter()
            .find(|entry| carries_key(condition, entry))?;
        (entry.event.position <= condition.after).then_some(entry.event.position)
    }

    /// The first event that forbids an append under `condition`.
    pub(crate) fn conflict(&self, condition: &Condition) -> Option<&RawEvent> {
        self.entries_after(condition.after)
            .iter()
            .find(|entry| {
                matches_any(&condition.query, &entry.event.event_type, &entry.event.tags)
                    || carries_key(condition, entry)
            })
            .map(|entry| &entry.event)
    }

    /// Appends all of `events`, or none.
    pub(crate) fn append(
        &mut self,
        events: Vec<NewEvent>,
        origin: &Origin,
    ) -> Result<Receipt, TransactionError> {
        if events.is_empty() {
            return Err(TransactionError::Invalid(
                "an append of no events".to_owned(),
            ));
        }
        events.iter().try_for_each(check_event)?;
        let mut ids = Vec::with_capacity(events.len());
        for event in events {
            self.head += 1;
            let position = self.head;
            let id = ids::event(position);
            ids.push(id);
            let encryption_key_id = event
                .encryption_scope
                .as_deref()
                .map(|scope| self.key(scope));
            let event = RawEvent {
                id,
                position,
                event_type: event.event_type,
                tags: event.tags,
                timestamp: origin.timestamp,
                correlation_id: origin.correlation_id,
                causation_id: origin.causation_id,
                triggering_event_id: origin.triggering_event_id,
                idempotency_key: origin.idempotency_key,
                encryption_scope: event.encryption_scope,
                encryption_key_id,
                schema_version: event.schema_version,
                payload: Some(event.payload),
            };
            self.entries.push(Rc::new(Entry {
                event,
                command: Rc::clone(&origin.command),
            }));
        }
        Ok(Receipt {
            position: self.head(),
            ids,
            timestamp: origin.timestamp,
        })
    }

    /// Deletes the data key of `scope` and returns how many payloads went with it.
    pub(crate) fn shred(&mut self, scope: &str) -> usize {
        let mut shredded = 0;
        for entry in &mut self.entries {
            if entry.event.encryption_scope.as_deref() == Some(scope)
                && Rc::make_mut(entry).event.payload.take().is_some()
            {
                shredded += 1;
            }
        }
        *self.shreds.entry(scope.to_owned()).or_default() += 1;
        shredded
    }

    /// The scopes under which events are encrypted.
    pub(crate) fn scopes(&self) -> Vec<&str> {
        let mut scopes: Vec<_> = self
            .events()
            .filter_map(|event| event.encryption_scope.as_deref())
            .collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }

    fn key(&self, scope: &str) -> Uuid {
        ids::data_key(scope, self.shreds.get(scope).copied().unwrap_or(0))
    }
}

/// Whether one of `query` matches. An empty query matches nothing.
pub(crate) fn matches_any(query: &[QueryItem], event_type: &str, tags: &[String]) -> bool {
    query.iter().any(|item| matches(item, event_type, tags))
}

/// Whether `item` matches: one of its types (any, if it names none), and all of its tags.
pub(crate) fn matches(item: &QueryItem, event_type: &str, tags: &[String]) -> bool {
    (item.types.is_empty() || item.types.iter().any(|name| name == event_type))
        && item.tags.iter().all(|tag| tags.contains(tag))
}

/// Refuses queries that the store refuses.
pub(crate) fn check_query(query: &[QueryItem]) -> Result<(), TransactionError> {
    query
        .iter()
        .flat_map(|item| &item.tags)
        .try_for_each(|tag| check_tag(tag))
}

fn check_event(event: &NewEvent) -> Result<(), TransactionError> {
    let invalid = |message: String| Err(TransactionError::Invalid(message));
    let name = &event.event_type;
    if name.is_empty() {
        return invalid("an event type with an empty name".to_owned());
    }
    if event.schema_version == 0 {
        return invalid(format!(
            "`{name}` has schema version 0; versions start at 1"
        ));
    }
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(&event.payload) {
        return invalid(format!("the payload of `{name}` is not JSON: {error}"));
    }
    if let Some(scope) = &event.encryption_scope
        && !event.tags.contains(scope)
    {
        return invalid(format!(
            "the encryption scope `{scope}` of `{name}` is none of its tags"
        ));
    }
    event.tags.iter().try_for_each(|tag| check_tag(tag))
}

pub(super) fn check_tag(tag: &str) -> Result<(), TransactionError> {
    if tag.starts_with(RESERVED_TAG_PREFIX) {
        return Err(TransactionError::Invalid(format!(
            "the tag `{tag}` is reserved to the host"
        )));
    }
    if !tag.contains(':') {
        return Err(TransactionError::Invalid(format!(
            "the tag `{tag}` is not `name:value`"
        )));
    }
    Ok(())
}

/// A key matches when its event is in the query's scope, or was written by the same command.
fn carries_key(condition: &Condition, entry: &Entry) -> bool {
    condition.idempotency_key.is_some()
        && entry.event.idempotency_key == condition.idempotency_key
        && (entry.command == condition.command
            || matches_any(&condition.query, &entry.event.event_type, &entry.event.tags))
}
