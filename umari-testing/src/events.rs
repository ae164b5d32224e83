//! Lists of events of different types.

use serde_json::Value;
use umari::event::{Event, SingleEvent, decode, encode};
use umari::host::{NewEvent, RawEvent};
use umari::prelude::{DateTime, Utc};
use uuid::Uuid;

use crate::event_lock::Kind;
use crate::metadata::Metadata;
use crate::report::diff::Fields;
use crate::report::{Report, Shown, Verdict};

/// Events in order, of any types; written with [`events!`](crate::events).
///
/// Each is serialised by the SDK's own code at once, so the list needs no enum over its types.
#[derive(Clone, Default)]
#[must_use]
pub struct Events {
    facts: Vec<Fact>,
}

impl Events {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an event.
    ///
    /// # Panics
    ///
    /// Panics where the event's `Serialize` fails.
    #[track_caller]
    pub fn with<E: Event>(mut self, event: E) -> Self {
        self.facts.push(Fact::new(&event));
        self
    }

    /// Adds an event as an earlier release stored it: under the name, in the version of its shape and
    /// with the tags that it had then. Upcasts are proven with it, and what they ignore is found by
    /// [`UPCAST_LOSS`](crate::check::UPCAST_LOSS).
    ///
    /// # Examples
    ///
    /// ```
    /// use umari::prelude::*;
    /// use umari_testing::prelude::*;
    ///
    /// #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// #[event_type("plan.created", version = 2)]
    /// #[upcast(version = 1, with = in_cents)]
    /// struct PlanCreated {
    ///     #[domain_id]
    ///     plan_id: u64,
    ///     cents: u64,
    /// }
    ///
    /// fn in_cents(mut plan: serde_json::Value) -> serde_json::Value {
    ///     plan["cents"] = (plan["price"].as_u64().unwrap_or(0) * 100).into();
    ///     plan
    /// }
    ///
    /// let old = json!({ "plan_id": 7, "price": 49 });
    /// let plan = given(Events::new().with_stored("plan.created", 1, ["plan_id:7"], &old))
    ///     .fold(LatestEvent::<PlanCreated>::new())
    ///     .expect("a plan");
    /// assert_eq!(plan.data.cents, 4900);
    /// ```
    pub fn with_stored(
        self,
        event_type: &str,
        version: u32,
        tags: impl IntoIterator<Item = impl Into<String>>,
        data: &Value,
    ) -> Self {
        self.with_fact(Fact::stored(NewEvent {
            event_type: event_type.to_owned(),
            schema_version: version,
            tags: tags.into_iter().map(Into::into).collect(),
            encryption_scope: None,
            payload: data.to_string(),
        }))
    }

    /// Adds what is serialised already.
    pub(crate) fn with_fact(mut self, fact: Fact) -> Self {
        self.facts.push(fact);
        self
    }

    /// Sets the correlation id of these events: they belong to the user action `id`.
    ///
    /// # Examples
    ///
    /// Whatever is said of a list applies to the events that it holds so far. What is not said is as
    /// for [`given`](crate::given): each event the end of a call of its own, at the scenario's time.
    ///
    /// ```
    /// # use umari::prelude::*;
    /// # use umari_testing::prelude::*;
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct ShopConnected { #[domain_id] shop_id: u64 }
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct ShopClosed { #[domain_id] shop_id: u64 }
    /// let (order, call) = (Uuid::from_u128(1), Uuid::from_u128(2));
    /// let noon: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
    /// let history = given(
    ///     events![ShopConnected { shop_id: 42 }, ShopClosed { shop_id: 42 }]
    ///         .correlated(order)
    ///         .caused_by(call)
    ///         .at(noon)
    ///         .with_gap(7),
    /// );
    /// let closed = history.fold(LatestEvent::<ShopClosed>::new()).unwrap();
    /// assert_eq!(closed.correlation_id, order);
    /// assert_eq!((closed.timestamp, closed.position), (noon, 9));
    /// ```
    pub fn correlated(self, id: Uuid) -> Self {
        self.say(|metadata| metadata.correlated(id))
    }

    /// Sets the causation id of these events: the execution `execution` wrote them.
    pub fn caused_by(self, execution: Uuid) -> Self {
        self.say(|metadata| metadata.caused_by(execution))
    }

    /// Sets the triggering event of these events: its effect called the command that wrote them.
    pub fn triggered_by(self, event: impl Into<Option<Uuid>>) -> Self {
        let event = event.into();
        self.say(|metadata| metadata.triggered_by(event))
    }

    /// Sets the idempotency key under which these events were written.
    ///
    /// A command that is called with this key finds it where its folds read one of the events.
    pub fn with_key(self, key: impl Into<Option<Uuid>>) -> Self {
        let key = key.into();
        self.say(|metadata| metadata.with_key(key))
    }

    /// Sets the time at which these events were appended, whatever the scenario's clock shows.
    pub fn at(self, time: DateTime<Utc>) -> Self {
        self.say(|metadata| metadata.at(time))
    }

    /// Leaves `positions` positions free before the first of these events, as if events of others
    /// lay there.
    ///
    /// The log of production is shared: what a module reads is hardly ever at consecutive positions,
    /// and code that counts positions instead of events passes no test that has a gap.
    pub fn with_gap(mut self, positions: u32) -> Self {
        if let Some(first) = self.facts.first_mut() {
            first.gap = positions;
        }
        self
    }

    fn say(mut self, say: impl Fn(Metadata) -> Metadata) -> Self {
        for fact in &mut self.facts {
            fact.metadata = say(std::mem::take(&mut fact.metadata));
        }
        self
    }

    pub(crate) fn facts(&self) -> &[Fact] {
        &self.facts
    }

    pub(crate) fn shown(&self) -> Vec<Shown> {
        self.facts.iter().map(Fact::shown).collect()
    }
}

impl std::fmt::Debug for Events {
    /// Each event as its name, its domain ids and its payload.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let facts = self.facts.iter().map(|fact| {
            let (label, payload) = (fact.shown().label(), &fact.new.payload);
            Verbatim(format!("{label} {payload}"))
        });
        f.debug_list().entries(facts).finish()
    }
}

/// Text without the quotes and escapes of its `Debug`.
struct Verbatim(String);

impl std::fmt::Debug for Verbatim {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl<E: Event> FromIterator<E> for Events {
    fn from_iter<I: IntoIterator<Item = E>>(events: I) -> Self {
        events.into_iter().fold(Self::new(), Self::with)
    }
}

impl<E: Event> From<Vec<E>> for Events {
    fn from(events: Vec<E>) -> Self {
        events.into_iter().collect()
    }
}

/// A list of events, of one type or of many.
///
/// # Examples
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// use umari::prelude::*;
/// use umari_testing::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// struct ShopConnected {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// struct ShopClosed {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// let nothing = events![];
/// let history = events![ShopConnected { shop_id: 42 }, ShopClosed { shop_id: 42 }];
/// # given(nothing).and(history);
/// ```
#[macro_export]
macro_rules! events {
    ($($event:expr),* $(,)?) => {
        $crate::Events::new()$(.with($event))*
    };
}

/// One event, serialised, that remembers how to come back.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) new: NewEvent,
    /// Absent where the test gave no type.
    round_trip: Option<RoundTrip>,
    /// As above.
    kind: Option<Kind>,
    pub(crate) metadata: Metadata,
    /// How many positions before it are free.
    pub(crate) gap: u32,
}

/// Decodes a stored event as one type and encodes it again.
pub(crate) type RoundTrip = fn(&RawEvent) -> Result<Option<NewEvent>, String>;

impl Fact {
    #[track_caller]
    pub(crate) fn new<E: Event>(event: &E) -> Self {
        let new = encode(event).unwrap_or_else(|error| panic!("{}", chain(&error)));
        Self {
            new,
            round_trip: Some(round_trip::<E>),
            kind: Some(Kind::of::<E>()),
            metadata: Metadata::new(),
            gap: 0,
        }
    }

    /// An event as the log holds it, of whatever type.
    pub(crate) fn stored(new: NewEvent) -> Self {
        Self {
            new,
            round_trip: None,
            kind: None,
            metadata: Metadata::new(),
            gap: 0,
        }
    }

    pub(crate) fn shown(&self) -> Shown {
        Shown::new(
            &self.new.event_type,
            &self.new.tags,
            Some(&self.new.payload),
        )
    }

    pub(crate) fn round_trip(&self) -> Option<RoundTrip> {
        self.round_trip
    }

    pub(crate) fn kind(&self) -> Option<Kind> {
        self.kind
    }
}

fn round_trip<E: Event>(raw: &RawEvent) -> Result<Option<NewEvent>, String> {
    // An earlier version comes back as the present one, and is to differ.
    if raw.schema_version != E::SCHEMA_VERSION {
        return Ok(None);
    }
    let events = decode::<SingleEvent<E>>(raw).map_err(|error| chain(&error))?;
    let again = events.first().map(|event| encode(&event.data));
    again.transpose().map_err(|error| chain(&error))
}

/// Check 6: what is stored comes back as it was.
pub(crate) fn check_round_trip(raw: &RawEvent, round_trip: RoundTrip) -> Verdict {
    if raw.payload.is_none() {
        return Ok(());
    }
    let name = &raw.event_type;
    let again = match round_trip(raw) {
        Ok(Some(again)) => again,
        Ok(None) => return Ok(()),
        Err(error) => {
            return Err(Box::new(
                Report::new(format!("`{name}` cannot be read back from its own JSON"))
                    .section("stored", raw.payload.clone().unwrap_or_default())
                    .cause(error)
                    .fix(
                        "make `Serialize` and `Deserialize` of this type agree: look for \
                         `#[serde(..)]` on one side only",
                    ),
            ));
        }
    };
    let stored = Shown::from(raw);
    let back = Shown::new(&again.event_type, &again.tags, Some(&again.payload));
    if stored == back {
        return Ok(());
    }
    let with_tags =
        |event: &Shown| serde_json::json!({ "payload": event.payload, "tags": event.tags });
    let fields = Fields::compare(&with_tags(&stored), &with_tags(&back));
    Err(Box::new(
        Report::new(format!("`{name}` changes when it is stored and read back"))
            .section("fields (- stored, + read back)", fields.render())
            .fix("make `Serialize` and `Deserialize` of this type inverse to each other"),
    ))
}

/// An error with its causes on one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

/// JSON text as a value; text that is no JSON stays text.
pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}
