//! The folds that most commands need.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde_json::Value;

use super::Fold;
use crate::__private::{contains, same};
use crate::domain_id::{
    DomainIdBindings, DomainIdValue, DomainIdValues, DomainIds, FromDomainIds, FromDomainIdsError,
};
use crate::event::{
    Event, EventDomainId, EventSet, Payload, SerializationError, SingleEvent, StoredEvent,
    decode_data, is_named,
};

/// Collects every `E`.
///
/// Use it to look at the whole history; [`LatestEvent`] and [`EventCounter`] keep less.
pub struct EventFold<E> {
    bindings: DomainIdValues,
    event: PhantomData<fn() -> E>,
}

/// Keeps the last `E`.
pub struct LatestEvent<E> {
    bindings: DomainIdValues,
    event: PhantomData<fn() -> E>,
}

/// Counts every `E`.
pub struct EventCounter<E> {
    bindings: DomainIdValues,
    event: PhantomData<fn() -> E>,
}

/// Remembers which of two opposing events came last, as archived and unarchived.
///
/// Both must have the same domain ids; others do not compile:
///
/// ```compile_fail,E0080
/// use umari::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// struct ShopOpened {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// struct PlanClosed {
///     #[domain_id]
///     plan_id: u64,
/// }
///
/// let toggle = EventToggle::<ShopOpened, PlanClosed>::new();
/// ```
pub struct EventToggle<A, B> {
    bindings: DomainIdValues,
    events: PhantomData<fn() -> (A, B)>,
}

/// What the four folds have in common: they hold bindings for the fields of `$event`.
macro_rules! bound_by {
    ($fold:ident<$first:ident $(, $other:ident)?>, $marker:ident, $check:expr) => {
        impl<$first: Event $(, $other: Event)?> $fold<$first $(, $other)?> {
            /// A fold that reads every event of its type, for `FoldQuery` and `fold_with`.
            #[must_use]
            pub fn new() -> Self {
                const { $check }
                Self { bindings: DomainIdValues::new(), $marker: PhantomData }
            }

            /// Reads only events whose domain id `name` is `value`; called again with the same name,
            /// any of the values.
            ///
            /// # Panics
            ///
            /// Panics where the event type has no domain id of that name.
            #[must_use]
            #[track_caller]
            pub fn with(mut self, name: &'static str, value: impl DomainIdValue) -> Self {
                check_field::<$first>(name);
                self.bindings.push(name, value.domain_id());
                self
            }

            /// Reads only events whose domain id `name` is any of `values`; without values, none.
            ///
            /// # Panics
            ///
            /// As [`Self::with`].
            #[must_use]
            #[track_caller]
            pub fn with_any<V: DomainIdValue>(
                mut self,
                name: &'static str,
                values: impl IntoIterator<Item = V>,
            ) -> Self {
                check_field::<$first>(name);
                self.bindings.declare_plural(name);
                for value in values {
                    self.bindings.push(name, value.domain_id());
                }
                self
            }
        }

        impl<$first: Event $(, $other: Event)?> Default for $fold<$first $(, $other)?> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<$first: Event $(, $other: Event)?> fmt::Debug for $fold<$first $(, $other)?> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($fold)).field(&self.bindings).finish()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$first: Event $(, $other: Event)?> DomainIds for $fold<$first $(, $other)?> {
            const DOMAIN_ID_FIELDS: &'static [&'static str] = $first::DOMAIN_ID_FIELDS;

            fn domain_ids(&self) -> DomainIdBindings {
                (&self.bindings).into()
            }

            // Such a fold binds what it was given, and misses nothing.
            fn domain_id_values(&self) -> DomainIdValues {
                self.bindings.clone()
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$first: Event $(, $other: Event)?> FromDomainIds for $fold<$first $(, $other)?> {
            type Args = ();

            fn from_domain_ids(
                (): (),
                bindings: &DomainIdBindings,
            ) -> Result<Self, FromDomainIdsError> {
                Self::from_domain_id_values((), &bindings.into())
            }

            fn from_domain_id_values(
                (): (),
                values: &DomainIdValues,
            ) -> Result<Self, FromDomainIdsError> {
                let mut fold = Self::new();
                fold.bindings = values.restricted($first::DOMAIN_ID_FIELDS);
                Ok(fold)
            }
        }
    };
}

/// Refuses a domain id that the event does not have.
#[track_caller]
fn check_field<E: Event>(name: &str) {
    assert!(
        E::DOMAIN_ID_FIELDS.contains(&name),
        "event `{}` has no domain id `{name}`; it has: {}",
        E::EVENT_TYPE,
        E::DOMAIN_ID_FIELDS.join(", "),
    );
}

bound_by!(EventFold<E>, event, {});
bound_by!(LatestEvent<E>, event, {});
bound_by!(EventCounter<E>, event, {});
bound_by!(EventToggle<A, B>, events, Self::OPPOSED);

impl<A: Event, B: Event> EventToggle<A, B> {
    /// Refuses events that do not oppose each other.
    const OPPOSED: () = {
        assert!(
            same_fields(A::DOMAIN_ID_FIELDS, B::DOMAIN_ID_FIELDS),
            "the two events of an `EventToggle` must have the same domain ids: give both the same `#[domain_id]` fields"
        );
        assert!(
            !same(A::EVENT_TYPE, B::EVENT_TYPE),
            "the two events of an `EventToggle` must have different event types: name the one and its opposite"
        );
    };
}

/// Whether two events have the same domain ids, at compile time.
const fn same_fields(a: &[&str], b: &[&str]) -> bool {
    let mut index = 0;
    while index < a.len() {
        if !contains(b, a[index]) {
            return false;
        }
        index += 1;
    }
    a.len() == b.len()
}

/// The state of [`EventFold`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventState<E> {
    /// Every event, in the order of the log.
    pub events: Vec<StoredEvent<E>>,
}

impl<E> EventState<E> {
    /// Whether there is at least one.
    #[must_use]
    pub fn exists(&self) -> bool {
        !self.events.is_empty()
    }
}

impl<E> Default for EventState<E> {
    fn default() -> Self {
        Self { events: Vec::new() }
    }
}

impl<E: Event> Fold for EventFold<E> {
    type Events = SingleEvent<E>;
    type State = EventState<E>;

    fn apply(&self, state: &mut EventState<E>, event: StoredEvent<E>) {
        state.events.push(event);
    }
}

impl<E: Event> Fold for LatestEvent<E> {
    type Events = SingleEvent<E>;
    type State = Option<StoredEvent<E>>;

    fn apply(&self, state: &mut Option<StoredEvent<E>>, event: StoredEvent<E>) {
        *state = Some(event);
    }
}

impl<E: Event> Fold for EventCounter<E> {
    type Events = SingleEvent<E>;
    type State = u64;

    fn apply(&self, count: &mut u64, _event: StoredEvent<E>) {
        *count += 1;
    }
}

impl<A: Event, B: Event> Fold for EventToggle<A, B> {
    type Events = ToggleEvents<A, B>;
    type State = ToggleState<A, B>;

    fn apply(&self, state: &mut ToggleState<A, B>, event: StoredEvent<ToggleEvents<A, B>>) {
        let (data, envelope) = event.into_parts();
        state.last = Some(match data {
            ToggleEvents::A(data) => ToggleSide::A(envelope.map(|()| data)),
            ToggleEvents::B(data) => ToggleSide::B(envelope.map(|()| data)),
        });
    }
}

/// The events of an [`EventToggle`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToggleEvents<A, B> {
    /// The first.
    A(A),
    /// The second.
    B(B),
}

#[diagnostic::do_not_recommend]
impl<A: Event, B: Event> EventSet for ToggleEvents<A, B> {
    type Item = Self;

    fn event_types() -> Vec<&'static str> {
        vec![A::EVENT_TYPE, B::EVENT_TYPE]
    }

    fn event_domain_ids() -> Vec<EventDomainId> {
        Self::selected_by().into_owned()
    }

    fn selected_by() -> Cow<'static, [EventDomainId]> {
        Cow::Borrowed(
            const {
                &[
                    EventDomainId::unscoped::<A>(),
                    EventDomainId::unscoped::<B>(),
                ]
            },
        )
    }

    fn from_event(event_type: &str, data: &Value) -> Option<Result<Self, SerializationError>> {
        if is_named::<A>(event_type) {
            decode_data(data).map(|read| read.map(Self::A))
        } else if is_named::<B>(event_type) {
            decode_data(data).map(|read| read.map(Self::B))
        } else {
            None
        }
    }

    fn decode(
        payload: &Payload<'_>,
        found: &mut dyn FnMut(Self),
    ) -> Result<(), SerializationError> {
        payload.decode_as(&mut |event| found(Self::A(event)))?;
        payload.decode_as(&mut |event| found(Self::B(event)))
    }
}

/// The state of [`EventToggle`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToggleState<A, B> {
    /// The event that came last; `None` before either.
    pub last: Option<ToggleSide<A, B>>,
}

/// One of two opposing events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToggleSide<A, B> {
    /// The first.
    A(StoredEvent<A>),
    /// The second.
    B(StoredEvent<B>),
}

impl<A, B> Default for ToggleState<A, B> {
    fn default() -> Self {
        Self { last: None }
    }
}

impl<A, B> ToggleState<A, B> {
    /// Whether `A` came last.
    #[must_use]
    pub fn is_a(&self) -> bool {
        self.as_a().is_some()
    }

    /// Whether `B` came last.
    #[must_use]
    pub fn is_b(&self) -> bool {
        self.as_b().is_some()
    }

    /// The event, if it was an `A`.
    #[must_use]
    pub fn as_a(&self) -> Option<&StoredEvent<A>> {
        match &self.last {
            Some(ToggleSide::A(event)) => Some(event),
            _ => None,
        }
    }

    /// The event, if it was a `B`.
    #[must_use]
    pub fn as_b(&self) -> Option<&StoredEvent<B>> {
        match &self.last {
            Some(ToggleSide::B(event)) => Some(event),
            _ => None,
        }
    }
}
