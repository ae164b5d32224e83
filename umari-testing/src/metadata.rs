//! What a test says of the envelopes of events: whose work they are, and when.

use serde_json::{Map, Value, json};
use umari::host::RawEvent;
use umari::prelude::{DateTime, Utc};
use uuid::Uuid;

use crate::engine::log::Origin;
use crate::events::Fact;
use crate::report::{Shown, diff};

/// What a test says of the envelopes of events; nothing at first.
///
/// [`Outcome::then_metadata`](crate::Outcome::then_metadata) compares what is said, and leaves the
/// rest alone. The same words are methods of [`Events`](crate::Events), where they apply to every
/// event that the list holds so far.
///
/// # Examples
///
/// ```
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// # #[derive(Event, DomainIds, Serialize, Deserialize)]
/// # struct Pinged { #[domain_id] host_id: u64 }
/// # #[derive(DomainIds, Serialize, Deserialize)]
/// # struct Ping { #[domain_id] host_id: u64 }
/// # fn ping(input: Ping, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
/// #     Command::new(input, context)
/// #         .fold::<EventCounter<Pinged>>()
/// #         .execute(|input, _| Ok(emit![Pinged { host_id: input.host_id }]))
/// # }
/// let (chain, key) = (Uuid::from_u128(7), Uuid::from_u128(8));
/// given(events![Pinged { host_id: 1 }].correlated(chain))
///     .when_with(ping, Ping { host_id: 1 }, |context| {
///         context.with_correlation_id(chain).with_idempotency_key(key)
///     })
///     .then_metadata(Metadata::new().correlated(chain).with_key(key).triggered_by(None));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct Metadata {
    correlation_id: Option<Uuid>,
    causation_id: Option<Uuid>,
    triggering_event_id: Option<Option<Uuid>>,
    idempotency_key: Option<Option<Uuid>>,
    timestamp: Option<DateTime<Utc>>,
}

impl Metadata {
    /// Says nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// The correlation id: the user action at the start of the causal chain.
    pub fn correlated(mut self, id: Uuid) -> Self {
        self.correlation_id = Some(id);
        self
    }

    /// The causation id: the execution that wrote the events.
    pub fn caused_by(mut self, execution: Uuid) -> Self {
        self.causation_id = Some(execution);
        self
    }

    /// The event whose effect called the command; `None` where a caller outside did.
    pub fn triggered_by(mut self, event: impl Into<Option<Uuid>>) -> Self {
        self.triggering_event_id = Some(event.into());
        self
    }

    /// The idempotency key of the call; `None` where it had none.
    pub fn with_key(mut self, key: impl Into<Option<Uuid>>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// When the events were appended.
    pub fn at(mut self, time: DateTime<Utc>) -> Self {
        self.timestamp = Some(time);
        self
    }

    /// `origin`, with what is said here instead.
    pub(crate) fn apply(&self, origin: Origin) -> Origin {
        Origin {
            command: origin.command,
            correlation_id: self.correlation_id.unwrap_or(origin.correlation_id),
            causation_id: self.causation_id.unwrap_or(origin.causation_id),
            triggering_event_id: self
                .triggering_event_id
                .unwrap_or(origin.triggering_event_id),
            idempotency_key: self.idempotency_key.unwrap_or(origin.idempotency_key),
            timestamp: self.timestamp.unwrap_or(origin.timestamp),
        }
    }

    /// What is said here, and what `event` has in its place.
    fn fields(&self, event: &RawEvent) -> (Map<String, Value>, Map<String, Value>) {
        let stated = [
            (
                "correlation_id",
                self.correlation_id.map(|id| json!(id)),
                json!(event.correlation_id),
            ),
            (
                "causation_id",
                self.causation_id.map(|id| json!(id)),
                json!(event.causation_id),
            ),
            (
                "triggering_event_id",
                self.triggering_event_id.map(|id| json!(id)),
                json!(event.triggering_event_id),
            ),
            (
                "idempotency_key",
                self.idempotency_key.map(|key| json!(key)),
                json!(event.idempotency_key),
            ),
            (
                "timestamp",
                self.timestamp.map(|time| json!(time)),
                json!(event.timestamp),
            ),
        ];
        let (mut expected, mut actual) = (Map::new(), Map::new());
        for (name, wanted, found) in stated {
            if let Some(wanted) = wanted {
                expected.insert(name.to_owned(), wanted);
                actual.insert(name.to_owned(), found);
            }
        }
        (expected, actual)
    }
}

/// How the envelopes of `events` differ from what `metadata` says of them all.
pub(crate) fn difference<'a>(
    metadata: &Metadata,
    events: impl Iterator<Item = &'a RawEvent>,
) -> Option<String> {
    compare(events.map(|event| (event, metadata.fields(event))))
}

/// How the envelopes of `events` differ from what an expected list says of each.
pub(crate) fn difference_of_each<'a>(
    facts: &[Fact],
    events: impl Iterator<Item = &'a RawEvent>,
) -> Option<String> {
    compare(facts.iter().zip(events).map(|(fact, event)| {
        let (mut expected, actual) = fact.metadata.fields(event);
        if fact.gap > 0 {
            // A gap is given and never emitted: expecting one can only be a mistake.
            expected.insert("gap (only for given events)".to_owned(), json!(fact.gap));
        }
        (event, (expected, actual))
    }))
}

fn compare<'a>(
    events: impl Iterator<Item = (&'a RawEvent, (Map<String, Value>, Map<String, Value>))>,
) -> Option<String> {
    let (expected, actual): (Vec<_>, Vec<_>) = events
        .map(|(event, (expected, actual))| (shown(event, expected), shown(event, actual)))
        .unzip();
    diff::events(&expected, &actual)
}

fn shown(event: &RawEvent, fields: Map<String, Value>) -> Shown {
    Shown {
        event_type: event.event_type.clone(),
        tags: Vec::new(),
        payload: Value::Object(fields),
    }
}
