//! Between an event's data and the JSON text that the log holds.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Event, EventSet, SerializationCause, SerializationError, StoredEvent};
use crate::__private::Never;
use crate::domain_id::DomainIdValues;
use crate::host::{NewEvent, RawEvent};

/// Turns an event into what the log stores. Commands and test harnesses share this function.
///
/// # Errors
///
/// A [`SerializationError`] when the event's `Serialize` fails.
pub fn encode<E: Event>(event: &E) -> Result<NewEvent, SerializationError> {
    encode_with(event, &event.domain_id_values())
}

/// [`encode`], for who has asked for the event's domain ids already.
pub(crate) fn encode_with<E: Event>(
    event: &E,
    domain_ids: &DomainIdValues,
) -> Result<NewEvent, SerializationError> {
    let payload = serde_json::to_string(event).map_err(|error| {
        SerializationError::new(E::EVENT_TYPE, SerializationCause::Write(error))
    })?;
    Ok(NewEvent {
        event_type: E::EVENT_TYPE.to_owned(),
        schema_version: E::SCHEMA_VERSION,
        tags: domain_ids.tags(),
        encryption_scope: event.encryption_scope(),
        payload,
    })
}

/// Turns what the log stores into events of the set `S`. Projectors, effects and test harnesses
/// share this function.
///
/// A stored event is one event, or as many as its upcasts make of it. It is none where its data
/// key has been deleted, its data is `null`, or its type is not in the set.
///
/// # Errors
///
/// A [`SerializationError`] when the payload does not have the shape of its type and version, or
/// no upcast leads from its version to the type's.
pub fn decode<S: EventSet + ?Sized>(
    event: &RawEvent,
) -> Result<Vec<StoredEvent<S::Item>>, SerializationError> {
    let mut events = Vec::new();
    decode_each::<S>(Cow::Borrowed(event), |event| events.push(event))?;
    Ok(events)
}

/// [`decode`] for folds, which keep no event. An envelope that is given away is not copied.
pub(crate) fn decode_each<S: EventSet + ?Sized>(
    event: Cow<'_, RawEvent>,
    mut found: impl FnMut(StoredEvent<S::Item>),
) -> Result<(), SerializationError> {
    let Some(payload) = Payload::of(&event) else {
        return Ok(());
    };
    // One behind, since the last one gets the envelope itself.
    let mut last = None;
    S::decode(&payload, &mut |data| {
        if let Some(earlier) = last.replace(data) {
            found(StoredEvent::around(Cow::Borrowed(&event), earlier));
        }
    })
    .map_err(|error| error.at(&event))?;
    if let Some(data) = last {
        found(StoredEvent::around(event, data));
    }
    Ok(())
}

/// The data of a stored event: JSON text of some version of its type's shape.
///
/// Event sets of your own see it as JSON, in [`EventSet::from_event`].
#[derive(Debug)]
pub struct Payload<'a> {
    event_type: &'a str,
    version: u32,
    json: &'a str,
}

impl<'a> Payload<'a> {
    /// `None` where there is nothing to read.
    fn of(event: &'a RawEvent) -> Option<Self> {
        let json = event.payload.as_deref()?;
        (json.trim_ascii() != "null").then_some(Self {
            event_type: &event.event_type,
            version: event.schema_version,
            json,
        })
    }

    pub(super) fn event_type(&self) -> &str {
        self.event_type
    }

    pub(super) fn value(&self) -> Result<Value, SerializationError> {
        read(self.json, self.version).map_err(|cause| self.fault(cause))
    }

    /// Passes what the payload holds of the type `E` to `found`.
    ///
    /// # Errors
    ///
    /// See [`decode`].
    pub fn decode_as<E: Event>(&self, found: &mut dyn FnMut(E)) -> Result<(), SerializationError> {
        if !is_named::<E>(self.event_type) {
            return Ok(());
        }
        if self.version == E::SCHEMA_VERSION {
            found(read(self.json, self.version).map_err(|cause| self.fault(cause))?);
            return Ok(());
        }
        // All of them before the first is given out, so that an event is read whole or not at all.
        let mut events = Vec::new();
        upcast_into(self.version, self.json, &mut events).map_err(|cause| self.fault(cause))?;
        #[cfg(not(target_family = "wasm"))]
        self.show_upcast::<E>();
        events.into_iter().for_each(found);
        Ok(())
    }

    /// Lets a test harness try what the upcast makes of other data.
    #[cfg(not(target_family = "wasm"))]
    fn show_upcast<E: Event>(&self) {
        let upcast = |json: &str| {
            let mut events = Vec::<E>::new();
            upcast_into(self.version, json, &mut events).ok()?;
            let values = events.iter().map(serde_json::to_value);
            values.collect::<Result<Vec<_>, _>>().ok()
        };
        let upcasting = crate::host::Upcasting {
            event_type: self.event_type,
            reader: std::any::type_name::<E>(),
            version: self.version,
            data: self.json,
            upcast: &upcast,
        };
        crate::host::observe(|host| host.upcasting(&upcasting));
    }

    fn fault(&self, cause: SerializationCause) -> SerializationError {
        SerializationError::new(self.event_type, cause)
    }
}

/// Whether events of the type `E` are, or were, stored under this name.
#[doc(hidden)]
#[must_use]
pub fn is_named<E: Event>(event_type: &str) -> bool {
    event_type == E::EVENT_TYPE || E::ALIASES.contains(&event_type)
}

/// Decodes one event's data in its present shape, for [`EventSet::from_event`]; `null` is no event.
///
/// # Errors
///
/// A [`SerializationError`] when the data does not have the shape of the type.
pub fn decode_data<E: Event>(data: &Value) -> Option<Result<E, SerializationError>> {
    if data.is_null() {
        return None;
    }
    Some(E::deserialize(data).map_err(|source| {
        let version = E::SCHEMA_VERSION;
        SerializationError::new(E::EVENT_TYPE, SerializationCause::Shape { version, source })
    }))
}

fn read<T: DeserializeOwned>(json: &str, version: u32) -> Result<T, SerializationCause> {
    serde_json::from_str(json).map_err(|source| SerializationCause::Shape { version, source })
}

fn upcast_into<E: Event>(
    version: u32,
    json: &str,
    events: &mut Vec<E>,
) -> Result<(), SerializationCause> {
    let known = E::SCHEMA_VERSION;
    if version > known {
        return Err(SerializationCause::LaterVersion {
            found: version,
            known,
        });
    }
    E::upcast(version, json, events)
}

/// One step of an upcast by a previous shape: reads it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from JSON, so no event was stored in its shape",
    label = "no `Deserialize`",
    note = "add `Deserialize` to the derives of `{Self}`: `#[upcast(.., from = {Self})]` reads data of an earlier version as it"
)]
pub trait PreviousShape: Sized {
    /// # Errors
    ///
    /// [`SerializationCause::Shape`] where the data does not have it.
    fn read(version: u32, json: &str) -> Result<Self, SerializationCause>;
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> PreviousShape for T {
    fn read(version: u32, json: &str) -> Result<Self, SerializationCause> {
        read(json, version)
    }
}

/// The next step of it: converts the shape of one version into that of the next.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Shape}` does not convert into `{Self}`, which is what the upcast makes of it",
    label = "no `From<{Shape}>` for `{Self}`",
    note = "write `impl From<{Shape}> for {Self}`"
)]
pub trait NextShape<Shape> {
    fn next(shape: Shape) -> Self;
}

#[diagnostic::do_not_recommend]
impl<Shape, T: From<Shape>> NextShape<Shape> for T {
    fn next(shape: Shape) -> Self {
        shape.into()
    }
}

/// One step of an upcast by a function: what it makes of the data goes on from the next version.
///
/// # Errors
///
/// [`SerializationCause::Upcast`] where the function fails, and whatever the next versions say.
#[doc(hidden)]
pub fn upcast_with<E: Event, A: DeserializeOwned, R: Upcasted>(
    version: u32,
    json: &str,
    function: impl UpcastFunction<A, R>,
    events: &mut Vec<E>,
) -> Result<(), SerializationCause> {
    let made = function(read(json, version)?)
        .into_values()
        .map_err(|source| SerializationCause::Upcast { version, source })?;
    for value in made {
        if version + 1 == E::SCHEMA_VERSION {
            let event = E::deserialize(value).map_err(|source| SerializationCause::Shape {
                version: version + 1,
                source,
            })?;
            events.push(event);
        } else {
            upcast_into(version + 1, &value.to_string(), events)?;
        }
    }
    Ok(())
}

/// The function of an `#[upcast(version = 1, with = function)]`: data in, and what [`Upcasted`] allows out.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an upcast is a function of the data alone, which this is not",
    label = "does not take one argument",
    note = "write `fn(data: serde_json::Value) -> serde_json::Value`, with any type in place of the first that has `Deserialize`"
)]
pub trait UpcastFunction<Data, Made>: FnOnce(Data) -> Made {}

#[diagnostic::do_not_recommend]
impl<Data, Made, F: FnOnce(Data) -> Made> UpcastFunction<Data, Made> for F {}

#[diagnostic::do_not_recommend]
impl<Data, Made, F: FnOnce(Data) -> Made> UpcastFunction<Data, Made> for F
where
    for<'a> &'a (): Never,
    F: UpcastFunction<Data, Made>,
{
}

/// What the function of an `#[upcast(version = 1, with = function)]` may return: the data in the
/// shape of the next version, once (`serde_json::Value`), not at all or once (`Option`), any number of
/// times (`Vec`), or a `Result` of one of these.
#[diagnostic::on_unimplemented(
    message = "the function of an upcast cannot return `{Self}`",
    label = "not what an upcast makes",
    note = "it returns the data of the next version as a `serde_json::Value`, an `Option` or `Vec` of it, or a `Result` of one of these"
)]
pub trait Upcasted {
    /// The data of each event, in the order of the events.
    ///
    /// # Errors
    ///
    /// The function's own.
    fn into_values(self) -> anyhow::Result<Vec<Value>>;
}

#[diagnostic::do_not_recommend]
impl Upcasted for Value {
    fn into_values(self) -> anyhow::Result<Vec<Value>> {
        Ok(vec![self])
    }
}

#[diagnostic::do_not_recommend]
impl Upcasted for Option<Value> {
    fn into_values(self) -> anyhow::Result<Vec<Value>> {
        Ok(self.into_iter().collect())
    }
}

#[diagnostic::do_not_recommend]
impl Upcasted for Vec<Value> {
    fn into_values(self) -> anyhow::Result<Vec<Value>> {
        Ok(self)
    }
}

#[diagnostic::do_not_recommend]
impl<T: Upcasted, E: Into<anyhow::Error>> Upcasted for Result<T, E> {
    fn into_values(self) -> anyhow::Result<Vec<Value>> {
        self.map_err(Into::into)?.into_values()
    }
}
