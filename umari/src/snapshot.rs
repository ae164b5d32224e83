//! Snapshots: a state that stands for the events which led to it.
//!
//! A fold reads its whole history on each call. Where that is long, it can opt in to snapshots: the
//! host then keeps its state, and the next call reads only what came after. A snapshot is a cache
//! and no source: which events a command depends on, what it decides and what conflicts are the same
//! with it and without it, and deleting all of them costs nothing but time.
//!
//! A state is kept for one component, one type of fold with the values of all its fields, and the
//! events that it selects. Code that was built anew, and a fold with another value in any field,
//! begin at the first event.
//!
//! Where events are encrypted, the states that they led to are deleted with their data keys.

use std::any::{Any, TypeId, type_name};
use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::boundary::resuming::{HOOKS, Hooks};
use crate::decider::Decider;
use crate::fold::Fold;
use crate::limits;

/// Whether a [`Fold`] or a [`Decider`] has snapshots, and how often one is taken.
///
/// # Examples
///
/// Seats of a show that sells for years. A call reads at most about a hundred sales.
///
/// ```
/// use umari::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("seat.sold")]
/// struct SeatSold {
///     #[domain_id]
///     show_id: u64,
///     seats: u32,
/// }
///
/// #[derive(DomainIds, FromDomainIds, Serialize)]
/// struct SeatsSold {
///     #[domain_id]
///     show_id: u64,
/// }
///
/// #[derive(Default, Serialize, Deserialize)]
/// struct Sold {
///     seats: u32,
/// }
///
/// impl Fold for SeatsSold {
///     type Events = SingleEvent<SeatSold>;
///     type State = Sold;
///
///     const SNAPSHOT: Snapshot<Self> = Snapshot::after(100);
///
///     fn apply(&self, sold: &mut Sold, event: StoredEvent<SeatSold>) {
///         sold.seats += event.data.seats;
///     }
/// }
/// # use umari_testing::prelude::*;
/// # let sold = given(events![SeatSold { show_id: 7, seats: 2 }]).fold(SeatsSold { show_id: 7 });
/// # assert_eq!(sold.seats, 2);
/// ```
///
/// What is not in the fold's JSON is not part of what its state is kept under, and what is not in
/// the state's is lost: so no `#[serde(skip)]` in either. `umari-testing` tries each state that a test
/// leads to, at every event.
pub struct Snapshot<F: ?Sized> {
    codec: Option<Codec<F>>,
}

/// How a state is kept. Functions by their address, so that a module without snapshots has none of
/// them.
struct Codec<F: ?Sized> {
    after: u64,
    key: fn(&F) -> Option<String>,
    encode: fn(&dyn Any) -> Option<String>,
    decode: fn(&str) -> Option<Box<dyn Any>>,
    hooks: &'static Hooks,
}

impl<F: ?Sized> Snapshot<F> {
    /// Every call reads from the first event.
    pub const NEVER: Self = Self { codec: None };
}

impl<F> Snapshot<F> {
    /// The state is kept by a call that read at least `events` events since the last one that was.
    /// 0 is taken for 1.
    ///
    /// Keeping costs about what it takes to write the state as JSON, on the call that does it, and every
    /// call after it reads that JSON: small states and hundreds of events gain the most.
    #[must_use]
    pub const fn after<Kind>(events: u64) -> Self
    where
        F: Keepable<Kind>,
    {
        Self {
            codec: Some(Codec {
                after: if events == 0 { 1 } else { events },
                key: key::<F>,
                encode: encode::<F::State>,
                decode: decode::<F::State>,
                hooks: &HOOKS,
            }),
        }
    }
}

impl<F: ?Sized> Snapshot<F> {
    /// How many events are read between two snapshots; `None` for never.
    pub(crate) const fn interval(&self) -> Option<u64> {
        match &self.codec {
            Some(codec) => Some(codec.after),
            None => None,
        }
    }

    pub(crate) const fn hooks(&self) -> Option<&'static Hooks> {
        match &self.codec {
            Some(codec) => Some(codec.hooks),
            None => None,
        }
    }

    /// The same of a wrapper, of which `key` says what its state depends on.
    #[doc(hidden)]
    #[must_use]
    pub const fn wrapped<W>(&self, key: fn(&W) -> Option<String>) -> Snapshot<W> {
        let codec = match &self.codec {
            Some(codec) => Some(Codec {
                after: codec.after,
                key,
                encode: codec.encode,
                decode: codec.decode,
                hooks: codec.hooks,
            }),
            None => None,
        };
        Snapshot { codec }
    }

    /// What the state of `fold` depends on besides its events.
    #[doc(hidden)]
    pub fn key(&self, fold: &F) -> Option<String> {
        self.codec.as_ref().and_then(|codec| (codec.key)(fold))
    }

    pub(crate) fn encode<S: 'static>(&self, state: &S) -> Option<String> {
        self.codec.as_ref().and_then(|codec| (codec.encode)(state))
    }

    pub(crate) fn decode<S: 'static>(&self, state: &str) -> Option<S> {
        let state = self
            .codec
            .as_ref()
            .and_then(|codec| (codec.decode)(state))?;
        state.downcast().ok().map(|state| *state)
    }
}

/// The name of a type is not one type's alone; its id is, in one build.
fn key<F: Serialize + 'static>(fold: &F) -> Option<String> {
    let fields = serde_json::to_string(fold).ok()?;
    let (name, id) = (type_name::<F>(), TypeId::of::<F>());
    let fits = fields.len() <= limits::SNAPSHOT_FIELDS_BYTES_MAX;
    fits.then(|| format!("{name} {id:?} {fields}"))
}

fn encode<S: Serialize + 'static>(state: &dyn Any) -> Option<String> {
    let state = serde_json::to_string(state.downcast_ref::<S>()?).ok()?;
    (state.len() <= limits::SNAPSHOT_STATE_BYTES_MAX).then_some(state)
}

fn decode<S: DeserializeOwned + 'static>(state: &str) -> Option<Box<dyn Any>> {
    let state: S = serde_json::from_str(state).ok()?;
    Some(Box::new(state))
}

impl<F: ?Sized> fmt::Debug for Snapshot<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.interval() {
            None => f.write_str("Snapshot::NEVER"),
            Some(events) => write!(f, "Snapshot::after({events})"),
        }
    }
}

/// A fold or decider whose state can be kept. `Kind` says which of the two it is, and is found by the
/// compiler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot have snapshots",
    label = "its state can be kept only as JSON, under the JSON of its fields",
    note = "derive `Serialize` for `{Self}`, and `Serialize` and `Deserialize` for its `State`"
)]
pub trait Keepable<Kind>: Serialize + 'static {
    /// What is kept.
    type State: Serialize + DeserializeOwned + 'static;
}

/// The kind of a [`Fold`].
#[derive(Debug)]
pub struct OfFold(());

/// The kind of a [`Decider`].
#[derive(Debug)]
pub struct OfDecider(());

#[diagnostic::do_not_recommend]
impl<F> Keepable<OfFold> for F
where
    F: Fold + Serialize,
    F::State: Serialize + DeserializeOwned,
{
    type State = F::State;
}

#[diagnostic::do_not_recommend]
impl<D> Keepable<OfDecider> for D
where
    D: Decider + Serialize,
    D::State: Serialize + DeserializeOwned,
{
    type State = D::State;
}
