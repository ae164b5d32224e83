//! What `#[derive(EventSet)]` asks of the events in it.
//!
//! A variant that holds no event is reported by the one function that asks for [`Event`] outright;
//! everything else that is written about it takes the answer of [`UnknownEvent`], and is silent.

use std::marker::PhantomData;

use serde_json::Value;

use super::{contains, same};
use crate::domain_id::DomainIds;
use crate::effect::Effect;
use crate::event::{Event, EventSet, Payload, SerializationError, decode_data, is_named};
use crate::projector::Projector;

/// Stands for the event of a variant.
#[derive(Debug)]
pub struct Held<E>(PhantomData<fn() -> E>);

impl<E> Held<E> {
    #[must_use]
    #[expect(clippy::new_without_default, reason = "written by a macro alone")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// For events.
pub trait KnownEvent<E> {
    fn event_type(&self) -> &'static str;

    fn read(&self, event_type: &str, data: &Value)
    -> Option<Option<Result<E, SerializationError>>>;

    fn decode(
        &self,
        payload: &Payload<'_>,
        found: &mut dyn FnMut(E),
    ) -> Result<(), SerializationError>;
}

impl<E: Event> KnownEvent<E> for Held<E> {
    fn event_type(&self) -> &'static str {
        E::EVENT_TYPE
    }

    fn read(
        &self,
        event_type: &str,
        data: &Value,
    ) -> Option<Option<Result<E, SerializationError>>> {
        is_named::<E>(event_type).then(|| decode_data(data))
    }

    fn decode(
        &self,
        payload: &Payload<'_>,
        found: &mut dyn FnMut(E),
    ) -> Result<(), SerializationError> {
        payload.decode_as(found)
    }
}

/// For everything else, which does not compile.
pub trait UnknownEvent<E> {
    fn event_type(&self) -> &'static str {
        unreachable!()
    }

    fn read(&self, _: &str, _: &Value) -> Option<Option<Result<E, SerializationError>>> {
        unreachable!()
    }

    fn decode(&self, _: &Payload<'_>, _: &mut dyn FnMut(E)) -> Result<(), SerializationError> {
        unreachable!()
    }
}

impl<E> UnknownEvent<E> for &Held<E> {}

/// What is known of an event at compile time: an associated constant of a type is found before
/// that of a trait.
#[derive(Debug)]
pub struct EventFacts<E>(PhantomData<fn() -> E>);

impl<E: Event + DomainIds> EventFacts<E> {
    pub const EVENT_TYPE: Option<&'static str> = Some(E::EVENT_TYPE);
    pub const DOMAIN_ID_FIELDS: Option<&'static [&'static str]> = Some(E::DOMAIN_ID_FIELDS);
}

/// For what is no event.
pub trait NoEventFacts {
    const EVENT_TYPE: Option<&'static str> = None;
    const DOMAIN_ID_FIELDS: Option<&'static [&'static str]> = None;
}

impl<E> NoEventFacts for EventFacts<E> {}

/// Whether an event is known to lack a domain id.
#[must_use]
pub const fn lacks(fields: Option<&[&str]>, field: &str) -> bool {
    match fields {
        Some(fields) => !contains(fields, field),
        None => false,
    }
}

/// Whether two events are known to have one type.
#[must_use]
pub const fn share_type(a: Option<&str>, b: Option<&str>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => same(a, b),
        _ => false,
    }
}

/// What is known of a projector at compile time.
#[derive(Debug)]
pub struct ProjectorFacts<P>(PhantomData<fn() -> P>);

impl<P: Projector<Query: EventSet>> ProjectorFacts<P> {
    pub const NEEDS_BINDINGS: bool = P::Query::NEEDS_BINDINGS;
}

/// What is known of an effect at compile time.
#[derive(Debug)]
pub struct EffectFacts<E>(PhantomData<fn() -> E>);

impl<E: Effect<Query: EventSet>> EffectFacts<E> {
    pub const NEEDS_BINDINGS: bool = E::Query::NEEDS_BINDINGS;
}

/// For what is neither.
pub trait NoFacts {
    const NEEDS_BINDINGS: bool = false;
}

impl<P> NoFacts for ProjectorFacts<P> {}
impl<E> NoFacts for EffectFacts<E> {}
