//! The log itself: reads, conditional appends, and what happens when the store fails.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tracing::field::Empty;
use umadb_dcb::{DcbAppendCondition, DcbError, DcbEvent, DcbEventStoreSync};
use uuid::Uuid;

use super::envelope::{self, Draft};
use super::error::{AppendError, Conflict, Invalid, ReadError, Unavailable};
use super::memory::MemoryStore;
use super::query::Plan;
use super::reader::{Pages, Reader};
use super::rehearsal::Rehearsal;
use super::{Boundary, EventFilter, NewEvent, Provenance, Query, Receipt, RecordedEvent};
use crate::keys::{KeyError, KeyRing};
use crate::limits;
use crate::wall_clock::WallClock;

/// The event log. Clones are handles to the same log.
///
/// Every method may be called from any thread; all of them block, so not from an async one.
#[derive(Clone)]
pub struct EventLog {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<dyn DcbEventStoreSync + Send + Sync>,
    keys: Arc<KeyRing>,
    state: Mutex<State>,
    /// Signals that the head has moved, the store has failed, or someone called `wake`.
    changed: Condvar,
    rehearsal: Option<Rehearsal>,
    clock: WallClock,
    /// The head as it moves, for those who wait without a thread.
    heads: watch::Sender<u64>,
    appends: AtomicU64,
    events: AtomicU64,
}

/// What has been appended through a log since it was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Appended {
    pub(crate) appends: u64,
    pub(crate) events: u64,
}

#[derive(Default)]
struct State {
    /// The highest position that is known to be written.
    head: u64,
    /// How often waiters were told to look at their `stop` again.
    wakes: u64,
    failure: Option<String>,
    on_failure: Vec<FailureHook>,
}

type FailureHook = Box<dyn Fn(&str) + Send + Sync>;

impl std::fmt::Debug for EventLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let state = self.state();
        f.debug_struct("EventLog")
            .field("head", &state.head)
            .field("failure", &state.failure)
            .finish_non_exhaustive()
    }
}

impl EventLog {
    /// The log that lies in `store`, its payloads encrypted with `keys`.
    pub fn new(store: Arc<dyn DcbEventStoreSync + Send + Sync>, keys: Arc<KeyRing>) -> Self {
        Self::with_clock(store, keys, WallClock::default())
    }

    /// The same, dated by another clock.
    pub fn with_clock(
        store: Arc<dyn DcbEventStoreSync + Send + Sync>,
        keys: Arc<KeyRing>,
        clock: WallClock,
    ) -> Self {
        Self::assemble(store, keys, clock, None)
    }

    /// A log in memory that begins with `history` and remembers what is read.
    ///
    /// # Errors
    ///
    /// A payload cannot be encrypted.
    pub(crate) fn rehearsed(
        history: Vec<RecordedEvent>,
        keys: Arc<KeyRing>,
        rehearsal: Rehearsal,
    ) -> Result<Self, KeyError> {
        let history = history
            .into_iter()
            .map(|event| Ok((event.position, envelope::restore(event, &keys)?)))
            .collect::<Result<_, KeyError>>()?;
        let store = Arc::new(MemoryStore::with(history));
        Ok(Self::assemble(
            store,
            keys,
            WallClock::default(),
            Some(rehearsal),
        ))
    }

    fn assemble(
        store: Arc<dyn DcbEventStoreSync + Send + Sync>,
        keys: Arc<KeyRing>,
        clock: WallClock,
        rehearsal: Option<Rehearsal>,
    ) -> Self {
        let (state, changed) = (Mutex::default(), Condvar::new());
        Self {
            inner: Arc::new(Inner {
                store,
                keys,
                state,
                changed,
                rehearsal,
                clock,
                heads: watch::Sender::new(0),
                appends: AtomicU64::new(0),
                events: AtomicU64::new(0),
            }),
        }
    }

    /// The events after `position`, for a log that fits into memory.
    pub(crate) fn everything_after(&self, position: u64) -> Result<Vec<RecordedEvent>, ReadError> {
        let mut reader = Reader::new(
            self.pages(Plan::All, position, u64::MAX),
            Arc::clone(&self.inner.keys),
        );
        let mut events = Vec::new();
        loop {
            let batch = reader.next_batch(limits::STORE_READ_EVENTS)?;
            if batch.is_empty() {
                return Ok(events);
            }
            events.extend(batch);
        }
    }

    /// What was read from a rehearsed log so far, in order.
    pub(crate) fn rehearsed_queries(&self) -> Vec<Query> {
        let rehearsal = self.inner.rehearsal.as_ref();
        rehearsal.map(Rehearsal::queries).unwrap_or_default()
    }

    /// The position of the last event, 0 for an empty log.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn head(&self) -> Result<u64, ReadError> {
        Ok(self
            .inner
            .store
            .head()
            .map_err(ReadError::Store)?
            .unwrap_or(0))
    }

    /// The events that `query` matches after position `after`, up to and including `up_to`.
    /// Mistakes in the query come with the first batch.
    pub fn read(&self, query: &Query, after: u64, up_to: u64) -> Reader {
        if let Some(rehearsal) = &self.inner.rehearsal {
            rehearsal.remember(query);
        }
        let keys = Arc::clone(&self.inner.keys);
        match query.check() {
            Ok(()) => Reader::new(self.pages(query.plan(), after, up_to), keys),
            Err(reason) => Reader::refused(self.pages(Plan::Nothing, after, up_to), keys, reason),
        }
    }

    /// The position of the last event up to `up_to` that was written under the idempotency key
    /// `key` and that `query` matches or `command` wrote.
    ///
    /// The cost depends on how many events carry the key, not on the length of the log.
    ///
    /// # Errors
    ///
    /// The query is not valid, or the store cannot be read.
    pub fn find_duplicate(
        &self,
        key: Uuid,
        command: &str,
        query: &Query,
        up_to: u64,
    ) -> Result<Option<u64>, ReadError> {
        query.check()?;
        let mut pages = self.pages(Plan::tagged(envelope::key_tag(key)), 0, up_to);
        let mut found = None;
        loop {
            let page = pages.next(limits::STORE_READ_EVENTS)?;
            if page.is_empty() {
                return Ok(found);
            }
            for stored in page {
                let (event, _) = envelope::read(stored)?;
                if event.author.command == command || query.matches(&event.event_type, &event.tags)
                {
                    found = Some(event.position);
                }
            }
        }
    }

    /// Appends all of `events`, or none where an event that the boundary's query matches, or that
    /// carries the same idempotency key, came after the boundary was read. What it acknowledges
    /// is durable.
    ///
    /// # Errors
    ///
    /// See [`AppendError`]: only [`AppendError::OutcomeUnknown`] may have written anything.
    pub fn append(
        &self,
        events: Vec<NewEvent>,
        provenance: &Provenance,
        boundary: &Boundary,
    ) -> Result<Receipt, AppendError> {
        if let Some(reason) = self.failure() {
            return Err(AppendError::Unavailable(Unavailable::Failed { reason }));
        }
        let drafts = drafts(events, provenance, |index| self.event_id(index))?;
        boundary.query.check()?;
        let head = self
            .head()
            .map_err(|e| AppendError::Unavailable(Unavailable::Head(e)))?;
        if boundary.after > head {
            return Err(Invalid::AfterBeyondHead {
                after: boundary.after,
                head,
            }
            .into());
        }
        let count = drafts.len() as u64;
        let span = tracing::info_span!("append", events = count, position = Empty).entered();
        let ids = drafts.iter().map(Draft::id).collect();
        let timestamp = self.now();
        // Until the events are in the log, so that no key is deleted between them and it.
        let _keys_stay = drafts
            .iter()
            .any(Draft::is_encrypted)
            .then(|| self.inner.keys.keep_while_sealing());
        let sealed: Vec<DcbEvent> = drafts
            .into_iter()
            .map(|draft| draft.seal(timestamp, provenance, &self.inner.keys))
            .collect::<Result<_, _>>()
            .map_err(|e| AppendError::Unavailable(Unavailable::Keys(e)))?;
        let plan = condition(provenance, boundary);
        match self
            .inner
            .store
            .append(sealed, to_store(&plan, boundary.after), None)
        {
            Ok(position) => {
                span.record("position", position);
                self.inner.appends.fetch_add(1, Ordering::Relaxed);
                self.inner.events.fetch_add(count, Ordering::Relaxed);
                self.publish(position);
                Ok(Receipt {
                    position,
                    ids,
                    timestamp,
                })
            }
            Err(error) => Err(self.refused(error, plan, boundary.after)),
        }
    }

    /// Takes the payload away from an event that was read some time ago, where its data key has
    /// been shredded since.
    ///
    /// # Errors
    ///
    /// The data key cannot be read.
    pub(crate) fn redact(&self, event: &mut RecordedEvent) -> Result<(), ReadError> {
        let (Some(_), Some(scope), Some(key_id)) = (
            &event.payload,
            &event.encryption_scope,
            event.encryption_key_id,
        ) else {
            return Ok(());
        };
        let readable = self.inner.keys.is_readable(key_id, scope);
        let readable = readable.map_err(|source| ReadError::Keys {
            id: event.id,
            position: event.position,
            source,
        })?;
        if !readable {
            event.payload = None;
        }
        Ok(())
    }

    /// What has been appended since the log was opened.
    pub(crate) fn appended(&self) -> Appended {
        Appended {
            appends: self.inner.appends.load(Ordering::Relaxed),
            events: self.inner.events.load(Ordering::Relaxed),
        }
    }

    /// The event with this id.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or the event is not as it was written.
    pub fn event(&self, id: Uuid) -> Result<Option<RecordedEvent>, ReadError> {
        let mut pages = self.pages(Plan::tagged(envelope::id_tag(id)), 0, u64::MAX);
        let stored = pages.next(1)?.pop();
        stored
            .map(|stored| envelope::open(stored, &self.inner.keys))
            .transpose()
    }

    /// The id of the event at `position`, where the log has come so far.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or the event is not as it was written.
    pub(crate) fn id_at(&self, position: u64) -> Result<Option<Uuid>, ReadError> {
        let stored = self
            .pages(Plan::All, position.saturating_sub(1), position)
            .next(1)?
            .pop();
        Ok(stored
            .map(envelope::read)
            .transpose()?
            .map(|(event, _)| event.id))
    }

    /// The first events after `after` that meet the filter, `limit` of them and
    /// [`limits::SEARCH_EVENTS`] at the most. A filter without conditions is met by all events.
    ///
    /// # Errors
    ///
    /// The filter is not valid, the store cannot be read, or an event is not as it was written.
    pub fn search(
        &self,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        let limit = limit.min(limits::SEARCH_EVENTS);
        let query = filter.query();
        query.check()?;
        // A causal chain is short, and the index leads to it: the rest is compared here.
        let plan = match filter.correlation_id {
            Some(id) => Plan::tagged(envelope::correlation_tag(id)),
            None => query.plan(),
        };
        let mut pages = self.pages(plan, after, u64::MAX);
        let mut found = Vec::new();
        while found.len() < limit {
            let page = pages.next(limit - found.len())?;
            if page.is_empty() {
                break;
            }
            for stored in page {
                let event = envelope::open(stored, &self.inner.keys)?;
                if query.matches(&event.event_type, &event.tags) {
                    found.push(event);
                }
            }
        }
        Ok(found)
    }

    /// Shows the envelope of each event that was encrypted under `scope`, shredded or not, in
    /// order, until `see` has seen enough.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or an envelope is not as it was written.
    pub(crate) fn encrypted_under(
        &self,
        scope: &str,
        see: &mut dyn FnMut(&RecordedEvent) -> bool,
    ) -> Result<(), ReadError> {
        let mut pages = self.pages(Plan::tagged(scope.to_owned()), 0, u64::MAX);
        loop {
            let page = pages.next(limits::STORE_READ_EVENTS)?;
            if page.is_empty() {
                return Ok(());
            }
            for stored in page {
                let (event, _) = envelope::read(stored)?;
                if event.encryption_scope.as_deref() == Some(scope) && !see(&event) {
                    return Ok(());
                }
            }
        }
    }

    /// Waits until the log's head is beyond `position`, which is `true`, or `stop` says so, which
    /// is `false`. `stop` is asked first, and again after each [`wake`](Self::wake).
    pub fn wait_beyond(&self, position: u64, stop: &dyn Fn() -> bool) -> bool {
        // Later appends through this log are announced; earlier ones are found here. A store
        // that cannot be read says so to whoever reads next.
        if let Ok(head) = self.head() {
            self.publish(head);
        }
        loop {
            let wakes = self.state().wakes;
            if stop() {
                return false;
            }
            let mut state = self.state();
            while state.wakes == wakes {
                if state.head > position {
                    return true;
                }
                state = self
                    .inner
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// The head as it moves, for async code: each append through this log is announced. Whoever
    /// subscribes first and reads the log then misses nothing.
    pub fn heads(&self) -> watch::Receiver<u64> {
        self.inner.heads.subscribe()
    }

    /// Makes all who wait look at their `stop` again.
    pub fn wake(&self) {
        self.state().wakes += 1;
        self.inner.changed.notify_all();
    }

    /// Why the log takes no more events. It is set once, when the store fails during an append,
    /// and stays: only a restart, which reads what is really durable, can tell what was written.
    pub fn failure(&self) -> Option<String> {
        self.state().failure.clone()
    }

    /// Has `f` called when the store fails: once, with the reason, on the thread whose append
    /// failed; at once where it has failed already.
    pub fn on_failure(&self, f: Box<dyn Fn(&str) + Send + Sync>) {
        let mut state = self.state();
        match state.failure.clone() {
            None => state.on_failure.push(f),
            Some(reason) => {
                drop(state);
                f(&reason);
            }
        }
    }

    /// The id of the event that comes `index` events after the next one.
    fn event_id(&self, index: u64) -> Uuid {
        match &self.inner.rehearsal {
            None => Uuid::now_v7(),
            Some(rehearsal) => rehearsal.event_id(self.head().unwrap_or(0) + 1 + index),
        }
    }

    /// The wall clock, in the precision that events keep.
    fn now(&self) -> DateTime<Utc> {
        let rehearsal = self.inner.rehearsal.as_ref();
        let now = rehearsal.map_or_else(|| self.inner.clock.now(), Rehearsal::now);
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    fn pages(&self, plan: Plan, after: u64, up_to: u64) -> Pages {
        Pages::new(Arc::clone(&self.inner.store), plan, after, up_to)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn publish(&self, head: u64) {
        let mut state = self.state();
        if head > state.head {
            state.head = head;
            self.inner.heads.send_replace(head);
            drop(state);
            self.inner.changed.notify_all();
        }
    }

    /// What the store's answer means, and what follows from it.
    fn refused(&self, error: DcbError, plan: Plan, after: u64) -> AppendError {
        match error {
            // The store's text holds whole events; ours names one.
            DcbError::IntegrityError(_) => {
                let first = self.pages(plan, after, u64::MAX).next(1);
                let by = first.ok().and_then(|mut page| page.pop());
                let by = by.map(|stored| (stored.position, stored.event.event_type));
                AppendError::Conflict(Conflict { after, by })
            }
            DcbError::InvalidArgument(reason) => Invalid::Store { reason }.into(),
            // The one error that stores give before they look at a request.
            DcbError::InitializationError(reason) => {
                AppendError::Unavailable(Unavailable::Refused { reason })
            }
            error => {
                self.fail(&error);
                AppendError::OutcomeUnknown(error)
            }
        }
    }

    fn fail(&self, error: &DcbError) {
        let reason = error.to_string();
        let hooks = {
            let mut state = self.state();
            if state.failure.is_some() {
                return;
            }
            state.failure = Some(reason.clone());
            state.wakes += 1;
            std::mem::take(&mut state.on_failure)
        };
        self.inner.changed.notify_all();
        for hook in hooks {
            hook(&reason);
        }
    }
}

/// Checks the events, each and all together, and gives them their ids and tags. `id` gives the id
/// of the event at an index.
fn drafts(
    events: Vec<NewEvent>,
    provenance: &Provenance,
    id: impl Fn(u64) -> Uuid,
) -> Result<Vec<Draft>, Invalid> {
    let count = events.len();
    if count == 0 {
        return Err(Invalid::NoEvents);
    }
    if count > limits::APPEND_EVENTS {
        return Err(Invalid::TooManyEvents { count });
    }
    let drafts: Vec<Draft> = events
        .into_iter()
        .zip(0..)
        .map(|(event, index)| Draft::new(event, id(index), provenance))
        .collect::<Result<_, _>>()?;
    let bytes = drafts.iter().map(Draft::payload_bytes).sum();
    if bytes > limits::APPEND_PAYLOAD_BYTES {
        return Err(Invalid::AppendTooLarge { bytes });
    }
    Ok(drafts)
}

/// What must not have come after the boundary was read.
fn condition(provenance: &Provenance, boundary: &Boundary) -> Plan {
    let plan = boundary.query.plan();
    match provenance.idempotency_key {
        Some(key) => plan.or_tagged(envelope::key_tag(key)),
        None => plan,
    }
}

fn to_store(plan: &Plan, after: u64) -> Option<DcbAppendCondition> {
    let query = match plan {
        Plan::Nothing => return None,
        // To the store, a query without items is all events.
        Plan::All => umadb_dcb::DcbQuery::new(),
        Plan::Matching(query) => query.clone(),
    };
    Some(DcbAppendCondition {
        fail_if_events_match: query,
        after: Some(after),
    })
}
