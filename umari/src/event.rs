//! Events: what happened, how it is stored, and how it is asked for.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::marker::PhantomData;
use uuid::Uuid;

use crate::domain_id::{DomainIds, tag};
use crate::host::{NewEvent, RawEvent};

/// A fact that is written to the event log.
///
/// Derive it, together with [`DomainIds`], `Serialize` and `Deserialize`.
///
/// # Examples
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use umari::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("shop.connected")]
/// struct ShopConnected {
///     #[domain_id]
///     #[crypto_scope]
///     shop_id: u64,
///     access_token: String,
/// }
///
/// let event = ShopConnected { shop_id: 42, access_token: "secret".to_owned() };
/// assert_eq!(ShopConnected::EVENT_TYPE, "shop.connected");
/// assert_eq!(event.encryption_scope().as_deref(), Some("shop_id:42"));
/// # let _ = event.access_token;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "an event is a struct with `#[derive(Event, DomainIds, Serialize, Deserialize)]`"
)]
pub trait Event: DomainIds + Serialize + DeserializeOwned + Sized + 'static {
    /// The name under which events of this type are stored.
    const EVENT_TYPE: &'static str;

    /// Version of the payload's shape, from 1.
    const SCHEMA_VERSION: u32 = 1;

    /// `name:value` of the domain id whose data key encrypts the payload; `None` stores it as
    /// plain text.
    fn encryption_scope(&self) -> Option<String> {
        None
    }
}

/// An event as it was stored, with its envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent<T> {
    /// Unique to this event.
    pub id: Uuid,
    /// Place in the global log, from 1.
    pub position: u64,
    /// The event type's name.
    pub event_type: String,
    /// Domain ids in the form `name:value`.
    pub tags: Vec<String>,
    /// When the event was written.
    pub timestamp: DateTime<Utc>,
    /// The user action at the start of the causal chain.
    pub correlation_id: Uuid,
    /// The command execution that wrote this event.
    pub causation_id: Uuid,
    /// The event whose effect called that command.
    pub triggering_event_id: Option<Uuid>,
    /// The key under which that command was called.
    pub idempotency_key: Option<Uuid>,
    /// `name:value` of the domain id whose data key encrypts the payload.
    pub encryption_scope: Option<String>,
    /// The data key that encrypted the payload.
    pub encryption_key_id: Option<Uuid>,
    /// The event itself.
    pub data: T,
}

impl<T> StoredEvent<T> {
    /// The same envelope around other data.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> StoredEvent<U> {
        StoredEvent {
            id: self.id,
            position: self.position,
            event_type: self.event_type,
            tags: self.tags,
            timestamp: self.timestamp,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            triggering_event_id: self.triggering_event_id,
            idempotency_key: self.idempotency_key,
            encryption_scope: self.encryption_scope,
            encryption_key_id: self.encryption_key_id,
            data: change(self.data),
        }
    }

    /// The data, and the envelope that it came in.
    pub(crate) fn split(self) -> (T, StoredEvent<()>) {
        let mut data = None;
        let envelope = self.map(|found| data = Some(found));
        (data.expect("`map` calls its closure"), envelope)
    }

    pub(crate) fn around(raw: &RawEvent, data: T) -> Self {
        Self {
            id: raw.id,
            position: raw.position,
            event_type: raw.event_type.clone(),
            tags: raw.tags.clone(),
            timestamp: raw.timestamp,
            correlation_id: raw.correlation_id,
            causation_id: raw.causation_id,
            triggering_event_id: raw.triggering_event_id,
            idempotency_key: raw.idempotency_key,
            encryption_scope: raw.encryption_scope.clone(),
            encryption_key_id: raw.encryption_key_id,
            data,
        }
    }
}

/// Event types that are read together: by a fold, a projector or an effect.
///
/// Derive it on an enum with one variant for each event type. `#[scope(..)]` on a variant says
/// which domain ids an event must carry to be read:
///
/// | attribute | read are events of the type that carry |
/// |---|---|
/// | none | every bound domain id that the type has |
/// | `#[scope(shop_id)]` | the bound `shop_id` |
/// | `#[scope(shop_id, plan_id)]` | both |
/// | `#[scope(topic = "orders/paid")]` | exactly this value; no bound domain id |
/// | `#[scope()]` | anything: every event of the type |
///
/// Bindings come from the command's input or from the fold. Projectors and effects have none:
/// there only fixed values make sense, and the export macros refuse others.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event set",
    label = "not an event set",
    note = "derive `EventSet` on an enum with a variant for each event type, or use `SingleEvent<E>`"
)]
pub trait EventSet: Sized {
    /// What the reader gets: the enum itself, or the event of a [`SingleEvent`].
    type Item;

    /// Whether a `#[scope(..)]` needs bindings, which projectors and effects do not have.
    #[doc(hidden)]
    const NEEDS_BINDINGS: bool = false;

    /// The names of the event types, in the order of the variants.
    fn event_types() -> Vec<&'static str>;

    /// Which domain ids select the events of each type, in the order of the variants.
    fn event_domain_ids() -> Vec<EventDomainId>;

    /// Decodes `data` where `event_type` is in the set; `None` where it is not.
    fn from_event(event_type: &str, data: &Value)
    -> Option<Result<Self::Item, SerializationError>>;
}

/// The event set with exactly one type.
///
/// Never constructed: write it as `type Events = SingleEvent<ShopConnected>;`.
#[derive(Debug)]
pub struct SingleEvent<E> {
    event: PhantomData<fn() -> E>,
}

impl<E: Event> EventSet for SingleEvent<E> {
    type Item = E;

    fn event_types() -> Vec<&'static str> {
        vec![E::EVENT_TYPE]
    }

    fn event_domain_ids() -> Vec<EventDomainId> {
        vec![EventDomainId::unscoped::<E>()]
    }

    fn from_event(event_type: &str, data: &Value) -> Option<Result<E, SerializationError>> {
        (event_type == E::EVENT_TYPE).then(|| decode_data(data))
    }
}

/// Which domain ids select the events of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventDomainId {
    /// The event type's name.
    pub event_type: &'static str,
    /// Domain ids whose values are looked up in the bindings.
    pub dynamic_fields: Vec<&'static str>,
    /// Domain ids with a fixed value.
    pub static_fields: Vec<(&'static str, &'static str)>,
    /// Whether a `#[scope(..)]` named the fields. If so every dynamic field must be bound;
    /// otherwise they are all those of the event type, and only the bound ones select.
    pub scoped: bool,
}

impl EventDomainId {
    /// Selects by every bound domain id that the event type has.
    #[must_use]
    pub fn unscoped<E: Event>() -> Self {
        Self {
            event_type: E::EVENT_TYPE,
            dynamic_fields: E::DOMAIN_ID_FIELDS.to_vec(),
            static_fields: Vec::new(),
            scoped: false,
        }
    }

    /// Selects by exactly these domain ids.
    #[must_use]
    pub fn scoped<E: Event>(
        dynamic_fields: &[&'static str],
        static_fields: &[(&'static str, &'static str)],
    ) -> Self {
        Self {
            event_type: E::EVENT_TYPE,
            dynamic_fields: dynamic_fields.to_vec(),
            static_fields: static_fields.to_vec(),
            scoped: true,
        }
    }
}

/// Why an event's data could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SerializationError(#[from] serde_json::Error);

/// A stored event that does not have the shape that its type promises.
#[derive(Debug, thiserror::Error)]
#[error("event `{event_type}` at position {position} (id {id}) cannot be decoded")]
#[non_exhaustive]
pub struct DecodeError {
    /// The event type's name.
    pub event_type: String,
    /// Where it is in the log.
    pub position: u64,
    /// Its id.
    pub id: Uuid,
    /// What is wrong with its payload.
    #[source]
    pub source: SerializationError,
}

impl DecodeError {
    fn new(raw: &RawEvent, source: impl Into<SerializationError>) -> Self {
        Self {
            event_type: raw.event_type.clone(),
            position: raw.position,
            id: raw.id,
            source: source.into(),
        }
    }
}

/// An event that could not be serialised.
#[derive(Debug, thiserror::Error)]
#[error("event `{event_type}` cannot be serialised")]
#[non_exhaustive]
pub struct EncodeError {
    /// The event type's name.
    pub event_type: &'static str,
    /// What is wrong.
    #[source]
    pub source: SerializationError,
}

/// Turns an event into what the log stores. Commands and test harnesses share this function.
///
/// # Errors
///
/// An [`EncodeError`] when the event's `Serialize` fails.
pub fn encode<E: Event>(event: &E) -> Result<NewEvent, EncodeError> {
    let payload = serde_json::to_string(event).map_err(|error| EncodeError {
        event_type: E::EVENT_TYPE,
        source: error.into(),
    })?;
    Ok(NewEvent {
        event_type: E::EVENT_TYPE.to_owned(),
        schema_version: E::SCHEMA_VERSION,
        tags: event
            .domain_id_pairs()
            .iter()
            .map(|(name, value)| tag(name, value))
            .collect(),
        encryption_scope: event.encryption_scope(),
        payload,
    })
}

/// Turns what the log stores into an event of the set `S`. Folds, projectors, effects and test
/// harnesses share this function.
///
/// `Ok(None)` means that there is nothing to read: the event's data key has been deleted, or its
/// type is not in the set.
///
/// # Errors
///
/// A [`DecodeError`] when the payload does not have the shape of its type.
pub fn decode<S: EventSet>(raw: &RawEvent) -> Result<Option<StoredEvent<S::Item>>, DecodeError> {
    match parse(raw)? {
        Some(data) => decode_parsed::<S>(raw, &data),
        None => Ok(None),
    }
}

/// The payload as JSON; `None` when its data key has been deleted.
pub(crate) fn parse(raw: &RawEvent) -> Result<Option<Value>, DecodeError> {
    let Some(payload) = &raw.payload else {
        return Ok(None);
    };
    serde_json::from_str(payload)
        .map(Some)
        .map_err(|error| DecodeError::new(raw, error))
}

pub(crate) fn decode_parsed<S: EventSet>(
    raw: &RawEvent,
    data: &Value,
) -> Result<Option<StoredEvent<S::Item>>, DecodeError> {
    match S::from_event(&raw.event_type, data) {
        None => Ok(None),
        Some(Ok(item)) => Ok(Some(StoredEvent::around(raw, item))),
        Some(Err(error)) => Err(DecodeError::new(raw, error)),
    }
}

/// Decodes one event's data; for `#[derive(EventSet)]`.
#[doc(hidden)]
pub fn decode_data<E: Event>(data: &Value) -> Result<E, SerializationError> {
    E::deserialize(data).map_err(SerializationError)
}
