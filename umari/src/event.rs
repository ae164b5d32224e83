//! Events: what happened, how it is stored, and how it is asked for.

use std::borrow::Cow;
use std::marker::PhantomData;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use crate::domain_id::DomainIds;
use crate::host::RawEvent;

mod error;
mod payload;
mod stored;

pub use error::{SerializationCause, SerializationError};
pub use payload::{Payload, Upcasted, decode, decode_data, encode};

#[doc(hidden)]
pub use payload::{NextShape, PreviousShape, UpcastFunction, is_named, upcast_with};
pub(crate) use payload::{decode_each, encode_with};
#[doc(hidden)]
pub use stored::{Readable, Writable};

/// A fact that is written to the event log.
///
/// Derive it, together with [`DomainIds`], `Serialize` and `Deserialize`: an event is `Serialize` and
/// `DeserializeOwned`, which the hidden traits that it names ask for.
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
///
/// # Changing an event
///
/// Events are never rewritten. A new field with `#[serde(default)]` needs nothing; for any other change
/// the shape gets the next version, and the type says how data of the earlier ones is read:
///
/// - `#[upcast(version = 1, from = PlanCreatedV1)]`: as the struct `PlanCreatedV1`, which is then converted
///   by `From` into the next version's struct or, if there is none, into the event.
/// - `#[upcast(version = 2, with = split)]`: by the function `split`. It takes anything that deserialises, a
///   `serde_json::Value` for one, and returns what [`Upcasted`] allows: the data in the shape of
///   version 3, or none, or several.
/// - `aliases = ["old.name"]`: events that were stored under another name. They are asked for, and
///   read, as events of this type.
///
/// Upcasts run wherever events are read. The tags of a stored event stay what they were: a domain
/// id that a later version adds does not find earlier events.
///
/// ```
/// use umari::event::decode;
/// use umari::prelude::*;
///
/// /// Version 1 had the price in whole units.
/// #[derive(Deserialize)]
/// struct PlanCreatedV1 {
///     plan_id: u64,
///     price: u64,
/// }
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("plan.created", version = 2, aliases = ["warranty.plan.created"])]
/// #[upcast(version = 1, from = PlanCreatedV1)]
/// struct PlanCreated {
///     #[domain_id]
///     plan_id: u64,
///     price_in_cents: u64,
/// }
///
/// impl From<PlanCreatedV1> for PlanCreated {
///     fn from(old: PlanCreatedV1) -> Self {
///         PlanCreated { plan_id: old.plan_id, price_in_cents: old.price * 100 }
///     }
/// }
///
/// # let raw = umari::host::RawEvent {
/// #     id: Uuid::nil(), position: 1, event_type: "warranty.plan.created".to_owned(),
/// #     tags: vec!["plan_id:7".to_owned()], timestamp: Default::default(),
/// #     correlation_id: Uuid::nil(), causation_id: Uuid::nil(), triggering_event_id: None,
/// #     idempotency_key: None, encryption_scope: None, encryption_key_id: None,
/// #     schema_version: 1, payload: Some(r#"{"plan_id": 7, "price": 49}"#.to_owned()),
/// # };
/// // `raw` is an old event: `warranty.plan.created`, version 1, {"plan_id": 7, "price": 49}.
/// let events = decode::<SingleEvent<PlanCreated>>(&raw)?;
/// assert_eq!(events[0].data.price_in_cents, 4900);
/// # Ok::<(), SerializationError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "not an event",
    note = "an event is a struct with `#[derive(Event, DomainIds, Serialize, Deserialize)]`"
)]
pub trait Event: DomainIds + Writable + Readable + Sized + 'static {
    /// The name under which events of this type are stored.
    const EVENT_TYPE: &'static str;

    /// Version of the payload's shape, from 1.
    const SCHEMA_VERSION: u32 = 1;

    /// Names under which events of this type were stored in the past. They are read as it.
    const ALIASES: &'static [&'static str] = &[];

    /// `name:value` of the domain id whose data key encrypts the payload; `None` stores it as
    /// plain text.
    fn encryption_scope(&self) -> Option<String> {
        None
    }

    /// Reads data of an earlier `version`, which may be none, one or many events in the shape of
    /// today, and adds them to `events`. Written by the derive from `#[upcast(..)]`.
    ///
    /// # Errors
    ///
    /// A [`SerializationCause`] where the data cannot be read as such.
    #[doc(hidden)]
    fn upcast(version: u32, json: &str, events: &mut Vec<Self>) -> Result<(), SerializationCause> {
        let _ = (json, events);
        Err(SerializationCause::MissingUpcast {
            found: version,
            known: Self::SCHEMA_VERSION,
        })
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

/// An envelope without data: when, by whom and on whose behalf an event was written.
pub type EventMetadata = StoredEvent<()>;

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

    /// The envelope alone, to keep or to pass on.
    ///
    /// # Examples
    ///
    /// ```
    /// use umari::prelude::*;
    ///
    /// /// Which user action is behind an event, whatever it is about.
    /// fn log_line<T>(event: &StoredEvent<T>) -> String {
    ///     let metadata: EventMetadata = event.metadata();
    ///     format!("{} {} by {}", metadata.position, metadata.event_type, metadata.correlation_id)
    /// }
    /// # let _ = log_line::<()>;
    /// ```
    #[must_use]
    pub fn metadata(&self) -> EventMetadata {
        StoredEvent {
            id: self.id,
            position: self.position,
            event_type: self.event_type.clone(),
            tags: self.tags.clone(),
            timestamp: self.timestamp,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            triggering_event_id: self.triggering_event_id,
            idempotency_key: self.idempotency_key,
            encryption_scope: self.encryption_scope.clone(),
            encryption_key_id: self.encryption_key_id,
            data: (),
        }
    }

    /// The data, and the envelope that it came in.
    pub fn into_parts(self) -> (T, EventMetadata) {
        let mut data = None;
        let envelope = self.map(|found| data = Some(found));
        (data.expect("`map` calls its closure"), envelope)
    }

    /// What is given away is not copied; the payload is not wanted.
    pub(crate) fn around(raw: Cow<'_, RawEvent>, data: T) -> Self {
        let envelope = without_payload(raw);
        Self {
            id: envelope.id,
            position: envelope.position,
            event_type: envelope.event_type,
            tags: envelope.tags,
            timestamp: envelope.timestamp,
            correlation_id: envelope.correlation_id,
            causation_id: envelope.causation_id,
            triggering_event_id: envelope.triggering_event_id,
            idempotency_key: envelope.idempotency_key,
            encryption_scope: envelope.encryption_scope,
            encryption_key_id: envelope.encryption_key_id,
            data,
        }
    }
}

/// The envelope of an event, once for all types of events.
fn without_payload(raw: Cow<'_, RawEvent>) -> RawEvent {
    match raw {
        Cow::Owned(raw) => raw,
        Cow::Borrowed(raw) => RawEvent {
            payload: None,
            event_type: raw.event_type.clone(),
            tags: raw.tags.clone(),
            encryption_scope: raw.encryption_scope.clone(),
            ..*raw
        },
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
///
/// A function of your own that takes any event set asks for `S: EventSet + ?Sized`, since a [`SingleEvent`] has no
/// size.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event set",
    label = "not an event set",
    note = "for one event type write `SingleEvent<{Self}>`, where `{Self}` is the event; for several, an enum with \
            `#[derive(EventSet)]` and a variant for each"
)]
pub trait EventSet: Yields<Yielded = <Self as EventSet>::Item> {
    /// What the reader gets: the enum itself, or the event of a [`SingleEvent`]. The compiler accepts no other.
    type Item;

    /// Whether a `#[scope(..)]` needs bindings, which projectors and effects do not have.
    #[doc(hidden)]
    const NEEDS_BINDINGS: bool = false;

    /// The names of the event types, in the order of the variants.
    fn event_types() -> Vec<&'static str>;

    /// Which domain ids select the events of each type, in the order of the variants.
    fn event_domain_ids() -> Vec<EventDomainId>;

    /// The same without a copy, where they are constants. Written by the derive.
    #[doc(hidden)]
    fn selected_by() -> Cow<'static, [EventDomainId]> {
        Cow::Owned(Self::event_domain_ids())
    }

    /// Decodes `data`, in the shape of today, where `event_type` is in the set. `None` where it is
    /// not, and where `data` is `null`.
    fn from_event(event_type: &str, data: &Value)
    -> Option<Result<Self::Item, SerializationError>>;

    /// Decodes a payload of whatever version and passes each event in it to `found`. Written by
    /// the derive; an event set of your own that does not write it knows no versions.
    ///
    /// # Errors
    ///
    /// A [`SerializationError`] where the payload is of a type in the set and cannot be read.
    #[doc(hidden)]
    fn decode(
        payload: &Payload<'_>,
        found: &mut dyn FnMut(Self::Item),
    ) -> Result<(), SerializationError> {
        if Self::event_types().contains(&payload.event_type())
            && let Some(item) = Self::from_event(payload.event_type(), &payload.value()?)
        {
            found(item?);
        }
        Ok(())
    }
}

/// What a reader of an event set gets: of every type the type itself, and of a [`SingleEvent`] the event.
///
/// Folds, projectors and effects name it in their methods. As every type has it, a type that is no event set
/// is one mistake, which is said where it is made, and the method that would have got it is not another.
#[doc(hidden)]
pub trait Yields {
    /// It.
    type Yielded;
}

impl<T> Yields for T {
    type Yielded = T;
}

/// No overlap with the other: a `SingleEvent` has no size, and that one is for types that have one.
impl<E> Yields for SingleEvent<E> {
    type Yielded = E;
}

/// The event set with exactly one type.
///
/// Never constructed: write it as `type Events = SingleEvent<ShopConnected>;`.
#[derive(Debug)]
pub struct SingleEvent<E> {
    event: PhantomData<fn() -> E>,
    #[expect(dead_code, reason = "takes the size away, for `Yields`")]
    sizeless: [()],
}

impl<E: Event> EventSet for SingleEvent<E> {
    type Item = E;

    fn event_types() -> Vec<&'static str> {
        vec![E::EVENT_TYPE]
    }

    fn event_domain_ids() -> Vec<EventDomainId> {
        Self::selected_by().into_owned()
    }

    fn selected_by() -> Cow<'static, [EventDomainId]> {
        Cow::Borrowed(const { &[EventDomainId::unscoped::<E>()] })
    }

    fn from_event(event_type: &str, data: &Value) -> Option<Result<E, SerializationError>> {
        is_named::<E>(event_type).then(|| decode_data(data))?
    }

    fn decode(payload: &Payload<'_>, found: &mut dyn FnMut(E)) -> Result<(), SerializationError> {
        payload.decode_as(found)
    }
}

/// Which domain ids select the events of one type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventDomainId {
    /// The event type's name.
    pub event_type: &'static str,
    /// Names under which events of the type were stored in the past.
    pub aliases: &'static [&'static str],
    /// Domain ids whose values are looked up in the bindings.
    pub dynamic_fields: &'static [&'static str],
    /// Domain ids with a fixed value.
    pub static_fields: &'static [(&'static str, &'static str)],
    /// Whether a `#[scope(..)]` named the fields. If so every dynamic field must be bound;
    /// otherwise they are all those of the event type, and only the bound ones select.
    pub scoped: bool,
}

impl EventDomainId {
    /// Selects by every bound domain id that the event type has.
    #[must_use]
    pub const fn unscoped<E: Event>() -> Self {
        Self {
            event_type: E::EVENT_TYPE,
            aliases: E::ALIASES,
            dynamic_fields: E::DOMAIN_ID_FIELDS,
            static_fields: &[],
            scoped: false,
        }
    }

    /// Selects by exactly these domain ids.
    #[must_use]
    pub const fn scoped<E: Event>(
        dynamic_fields: &'static [&'static str],
        static_fields: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            event_type: E::EVENT_TYPE,
            aliases: E::ALIASES,
            dynamic_fields,
            static_fields,
            scoped: true,
        }
    }
}
