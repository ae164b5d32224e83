//! Readers on their way through the log.

use std::any::type_name;
use std::borrow::Cow;

use super::resuming::{Hooks, hooks};
use super::selection::{Query, Selection};
use crate::decider::Decider;
use crate::domain_id::{DomainIdValues, DomainIds};
use crate::event::{EventSet, SerializationError, StoredEvent, decode_each};
use crate::fold::{Fold, FoldError};
#[cfg(not(target_family = "wasm"))]
use crate::host::{self, Host};
use crate::host::{KeptState, QueryItem, RawEvent, Transaction};

/// What reads events into a state: a fold, or the reading half of a decider.
pub trait Reader: DomainIds {
    /// What it reads.
    type Events: EventSet + ?Sized;
    /// The state on the way.
    type Partial;
    /// The state at the end.
    type State;

    #[doc(hidden)]
    const MAX_EVENTS: u64;

    /// How many events are read between two states that are kept; `None` where none is.
    #[doc(hidden)]
    const KEPT_AFTER: Option<u64>;

    #[doc(hidden)]
    #[allow(private_interfaces)]
    const HOOKS: Option<&'static Hooks>;

    /// Its type, for messages.
    #[doc(hidden)]
    fn name() -> &'static str;

    #[doc(hidden)]
    fn begin(&self) -> Self::Partial;

    #[doc(hidden)]
    fn read(&self, state: &mut Self::Partial, event: StoredEvent<<Self::Events as EventSet>::Item>);

    #[doc(hidden)]
    fn end(&self, state: Self::Partial) -> Self::State;

    /// What the state depends on besides the events; `None` where it is not kept.
    #[doc(hidden)]
    fn key(&self) -> Option<String>;

    #[doc(hidden)]
    fn encode(state: &Self::Partial) -> Option<String>;

    #[doc(hidden)]
    fn decode(state: &str) -> Option<Self::Partial>;
}

impl<F: Fold> Reader for F {
    type Events = F::Events;
    type Partial = F::State;
    type State = F::State;

    const MAX_EVENTS: u64 = F::MAX_EVENTS;
    const KEPT_AFTER: Option<u64> = F::SNAPSHOT.interval();
    #[allow(private_interfaces)]
    const HOOKS: Option<&'static Hooks> = F::SNAPSHOT.hooks();

    fn name() -> &'static str {
        type_name::<F>()
    }

    fn begin(&self) -> F::State {
        F::State::default()
    }

    fn read(&self, state: &mut F::State, event: StoredEvent<<F::Events as EventSet>::Item>) {
        self.apply(state, event);
    }

    fn end(&self, state: F::State) -> F::State {
        state
    }

    fn key(&self) -> Option<String> {
        F::SNAPSHOT.key(self)
    }

    fn encode(state: &F::State) -> Option<String> {
        F::SNAPSHOT.encode(state)
    }

    fn decode(state: &str) -> Option<F::State> {
        F::SNAPSHOT.decode(state)
    }
}

/// The reading half of a decider.
#[derive(Debug)]
pub struct Evolving<D>(pub(crate) D);

#[diagnostic::do_not_recommend]
impl<D: Decider> DomainIds for Evolving<D> {
    const DOMAIN_ID_FIELDS: &'static [&'static str] = D::DOMAIN_ID_FIELDS;

    fn domain_ids(&self) -> crate::domain_id::DomainIdBindings {
        self.0.domain_ids()
    }

    fn domain_id_values(&self) -> DomainIdValues {
        self.0.domain_id_values()
    }
}

impl<D: Decider> Reader for Evolving<D> {
    type Events = D::Events;
    /// Absent only while an event is applied.
    type Partial = Option<D::State>;
    type State = D::State;

    const MAX_EVENTS: u64 = D::MAX_EVENTS;
    const KEPT_AFTER: Option<u64> = D::SNAPSHOT.interval();
    #[allow(private_interfaces)]
    const HOOKS: Option<&'static Hooks> = D::SNAPSHOT.hooks();

    fn name() -> &'static str {
        type_name::<D>()
    }

    fn begin(&self) -> Option<D::State> {
        Some(self.0.initial())
    }

    fn read(
        &self,
        state: &mut Option<D::State>,
        event: StoredEvent<<D::Events as EventSet>::Item>,
    ) {
        let before = state.take().unwrap_or_else(|| self.0.initial());
        *state = Some(self.0.evolve(before, event));
    }

    fn end(&self, state: Option<D::State>) -> D::State {
        state.unwrap_or_else(|| self.0.initial())
    }

    fn key(&self) -> Option<String> {
        D::SNAPSHOT.key(&self.0)
    }

    fn encode(state: &Option<D::State>) -> Option<String> {
        D::SNAPSHOT.encode(state.as_ref()?)
    }

    fn decode(state: &str) -> Option<Option<D::State>> {
        D::SNAPSHOT.decode(state).map(Some)
    }
}

/// A reader on its way through the log.
pub(crate) struct Running<R: Reader> {
    reader: R,
    state: R::Partial,
    selection: Selection,
    /// The position up to which a kept state stood for its events; 0 without one.
    after: u64,
    /// What it has read since.
    events: u64,
}

impl<R: Reader> Running<R> {
    /// Starts a reader that selects its events by `bindings`.
    pub(crate) fn start(reader: R, bindings: DomainIdValues) -> Self {
        Self {
            selection: Selection::new(R::name(), R::Events::selected_by(), bindings),
            state: reader.begin(),
            reader,
            after: 0,
            events: 0,
        }
    }

    /// Starts a reader that selects its events by its own domain ids.
    pub(crate) fn start_bound(reader: R) -> Self {
        let bindings = reader.domain_id_values();
        Self::start(reader, bindings)
    }

    pub(crate) fn into_state(self) -> R::State {
        self.reader.end(self.state)
    }
}

impl<D: Decider> Running<Evolving<D>> {
    pub(crate) fn into_decider(self) -> (D, D::State) {
        let state = self.reader.end(self.state);
        (self.reader.0, state)
    }
}

/// A running reader of whatever type.
pub trait Replay {
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn selection(&self) -> &Selection;

    #[doc(hidden)]
    fn apply(&mut self, event: Cow<'_, RawEvent>) -> Result<(), FoldError>;

    /// How many events it reads between two states that are kept; `None` where none is.
    #[doc(hidden)]
    fn kept_after(&self) -> Option<u64>;

    /// What takes it through a transaction with its state; `None` where it is not kept.
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn hooks(&self) -> Option<&'static Hooks>;

    /// Under which its state is kept.
    #[doc(hidden)]
    fn key(&self) -> Option<String>;

    /// Goes on from a state that was kept; whether it can.
    #[doc(hidden)]
    fn resume(&mut self, kept: &KeptState) -> bool;

    /// The position up to which it was resumed; 0 where it was not.
    #[doc(hidden)]
    fn after(&self) -> u64;

    /// How many events it has read.
    #[doc(hidden)]
    fn events(&self) -> u64;

    #[doc(hidden)]
    fn encode(&self) -> Option<String>;
}

impl<R: Reader> Replay for Running<R> {
    #[allow(private_interfaces)]
    fn selection(&self) -> &Selection {
        &self.selection
    }

    fn apply(&mut self, event: Cow<'_, RawEvent>) -> Result<(), FoldError> {
        self.events += 1;
        if self.events > R::MAX_EVENTS {
            return Err(FoldError::TooManyEvents {
                reader: R::name(),
                limit: R::MAX_EVENTS,
            });
        }
        let decoded: Result<(), SerializationError> =
            decode_each::<R::Events>(event, |event| self.reader.read(&mut self.state, event));
        Ok(decoded?)
    }

    fn kept_after(&self) -> Option<u64> {
        R::KEPT_AFTER
    }

    #[allow(private_interfaces)]
    fn hooks(&self) -> Option<&'static Hooks> {
        R::HOOKS
    }

    fn key(&self) -> Option<String> {
        self.reader.key()
    }

    fn resume(&mut self, kept: &KeptState) -> bool {
        let Some(state) = R::decode(&kept.state) else {
            return false;
        };
        self.state = state;
        self.after = kept.position;
        true
    }

    fn after(&self) -> u64 {
        self.after
    }

    fn events(&self) -> u64 {
        self.events
    }

    fn encode(&self) -> Option<String> {
        R::encode(&self.state)
    }
}

/// Any number of running readers.
pub trait Readers {
    /// Passes each of them to `visit`, in the order of their registration.
    #[doc(hidden)]
    fn each<'a>(&'a mut self, visit: &mut dyn FnMut(&'a mut dyn Replay));
}

/// The query that covers what all of them read, of which the host is told.
///
/// # Errors
///
/// Where bindings cannot mean what was meant.
pub(crate) fn wanted(readers: &mut dyn Readers) -> Result<Vec<QueryItem>, FoldError> {
    #[cfg(not(target_family = "wasm"))]
    host::with(|host| {
        Host::reading(host, &mut || {
            let mut readings = Vec::new();
            readers.each(&mut |reader| readings.push(reader.selection().reading()));
            readings
        });
    });
    let mut query = Query::new();
    let mut covered = Ok(());
    readers.each(&mut |reader| {
        if covered.is_ok() {
            covered = query.cover(reader.selection());
        }
    });
    covered.map(|()| query.into_items())
}

/// Reads `transaction` to its end and offers each event to the readers whose own query it matches
/// and that have no kept state for it.
///
/// `who` is bounded to `max_events` in all.
pub(crate) fn replay(
    transaction: &mut dyn Transaction,
    readers: &mut dyn Readers,
    who: &'static str,
    max_events: u64,
) -> Result<(), FoldError> {
    let hooks = hooks(readers);
    if let Some(hooks) = hooks {
        (hooks.resume)(transaction, readers)?;
    }
    let mut events = 0;
    loop {
        let batch = transaction.next_batch()?;
        if batch.is_empty() {
            if let Some(hooks) = hooks {
                (hooks.keep)(transaction, readers);
            }
            return Ok(());
        }
        for event in batch {
            events += 1;
            if events > max_events {
                return Err(FoldError::TooManyEvents {
                    reader: who,
                    limit: max_events,
                });
            }
            offer(event, readers)?;
        }
    }
}

/// Offers one event to the readers that it is for. The last of them gets it, so that where there
/// is only one nothing is copied.
fn offer(event: RawEvent, readers: &mut dyn Readers) -> Result<(), FoldError> {
    let mut last: Option<&mut dyn Replay> = None;
    let mut offered = Ok(());
    readers.each(&mut |reader| {
        if offered.is_ok()
            && event.position > reader.after()
            && reader.selection().matches(&event)
            && let Some(earlier) = last.replace(reader)
        {
            offered = earlier.apply(Cow::Borrowed(&event));
        }
    });
    offered?;
    match last {
        Some(last) => last.apply(Cow::Owned(event)),
        None => Ok(()),
    }
}
