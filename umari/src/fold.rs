//! Folds: state that is derived from the log on every call.

use crate::domain_id::{DomainIds, FromDomainIdsError};
use crate::event::{EventSet, SerializationError, StoredEvent, Yields};
use crate::host::TransactionError;
use crate::snapshot::Snapshot;

mod builtin;

pub use builtin::{
    EventCounter, EventFold, EventState, EventToggle, LatestEvent, ToggleEvents, ToggleSide,
    ToggleState,
};

/// A reduction over events: which ones to read, and how each changes the state.
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
///     shop_id: u64,
/// }
///
/// #[derive(DomainIds, FromDomainIds)]
/// struct ShopExistsFold {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// impl Fold for ShopExistsFold {
///     type Events = SingleEvent<ShopConnected>;
///     type State = bool;
///
///     fn apply(&self, exists: &mut bool, _event: StoredEvent<ShopConnected>) {
///         *exists = true;
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a fold",
    label = "not a fold",
    note = "implement `umari::fold::Fold`, or use `EventFold<E>`, `LatestEvent<E>`, `EventCounter<E>` or `EventToggle<A, B>`"
)]
pub trait Fold: DomainIds + 'static {
    /// The events to read.
    type Events: EventSet + ?Sized;

    /// What they add up to. It starts as its default.
    type State: Default + 'static;

    /// How many events it may read. One more is a [`FoldError::TooManyEvents`], so that a history
    /// which grows without bound is noticed before it is slow.
    const MAX_EVENTS: u64 = u64::MAX;

    /// Whether its state is kept between calls, so that one need not read its whole history. With a
    /// snapshot, [`MAX_EVENTS`](Self::MAX_EVENTS) bounds what comes after it.
    const SNAPSHOT: Snapshot<Self> = Snapshot::NEVER;

    /// Applies one event. Events come in the order of the log; one whose data key has been
    /// deleted does not come at all.
    fn apply(&self, state: &mut Self::State, event: StoredEvent<<Self::Events as Yields>::Yielded>);
}

/// Why folds could not be run.
#[cfg_attr(not(target_family = "wasm"), derive(Debug))]
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum FoldError {
    /// A fold selects its events by a domain id that has no value.
    #[error("fold `{fold}` selects `{event_type}` by `{field}`, which is not bound")]
    MissingBinding {
        /// The fold's type.
        fold: &'static str,
        /// The event type's name.
        event_type: &'static str,
        /// The domain id's name.
        field: &'static str,
    },
    /// An event type has domain ids, but none of them is among the bindings.
    #[error(
        "fold `{fold}` would read every `{event_type}`: its domain ids ({event_fields}) are not \
         among the bound ones ({bound_fields}); say `#[scope()]` if it should"
    )]
    NothingShared {
        /// The fold's type.
        fold: &'static str,
        /// The event type's name.
        event_type: &'static str,
        /// The names that the event type has.
        event_fields: String,
        /// The names that are bound.
        bound_fields: String,
    },
    /// A fold selects by so many values of several domain ids that no store would answer.
    #[error(
        "fold `{fold}` selects `{event_type}` by {alternatives} combinations of values, more than {limit}: \
         scope it by fewer domain ids, or read in parts"
    )]
    TooManyValues {
        /// The fold's type.
        fold: &'static str,
        /// The event type's name.
        event_type: &'static str,
        /// How many combinations there are.
        alternatives: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A fold, a command or a query read as many events as it may, and there are more.
    #[error(
        "`{reader}` reads more than its limit of {limit} events: \
         narrow its scope, raise the limit, or let a snapshot stand for its past"
    )]
    TooManyEvents {
        /// The fold's type, or `command` or `query`.
        reader: &'static str,
        /// How many it may read.
        limit: u64,
    },
    /// A fold could not be built from the input's domain ids.
    #[error("fold `{fold}` cannot be built from the input")]
    Build {
        /// The fold's type.
        fold: &'static str,
        /// Which domain id is wrong.
        #[source]
        source: FromDomainIdsError,
    },
    /// A stored event does not have the shape of its type.
    #[error(transparent)]
    Decode(#[from] SerializationError),
    /// The host could not read.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
}
