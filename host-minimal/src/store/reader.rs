//! Reading the log in pages.

use std::sync::Arc;

use umadb_dcb::{DcbEventStoreSync, DcbSequencedEvent};

use super::RecordedEvent;
use super::envelope;
use super::error::{Invalid, ReadError};
use super::query::Plan;
use crate::keys::KeyRing;
use crate::limits;

/// The events that a query matches, in position order, up to a position that was fixed before.
///
/// The log only grows at its end and never changes, so what a reader returns does not depend on
/// how long it takes or what is appended meanwhile.
pub struct Reader {
    pages: Pages,
    keys: Arc<KeyRing>,
    refused: Option<Invalid>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            pages,
            keys: _,
            refused,
        } = self;
        f.debug_struct("Reader")
            .field("next", &pages.next)
            .field("up_to", &pages.up_to)
            .field("refused", refused)
            .finish_non_exhaustive()
    }
}

impl Reader {
    pub(super) fn new(pages: Pages, keys: Arc<KeyRing>) -> Self {
        Self {
            pages,
            keys,
            refused: None,
        }
    }

    /// A reader that returns nothing but the reason for it.
    pub(super) fn refused(pages: Pages, keys: Arc<KeyRing>, reason: Invalid) -> Self {
        Self {
            pages,
            keys,
            refused: Some(reason),
        }
    }

    /// The next events, `max` of them at the most and fewer where payloads are large. An empty
    /// answer is the end.
    ///
    /// # Errors
    ///
    /// The query is not valid, the store cannot be read, or the next event is not as it was
    /// written. The reader returns all events before such an event and never moves past it.
    pub fn next_batch(&mut self, max: usize) -> Result<Vec<RecordedEvent>, ReadError> {
        if let Some(reason) = &self.refused {
            return Err(reason.clone().into());
        }
        let page = self.pages.next(max)?;
        let mut events = Vec::with_capacity(page.len());
        for stored in page {
            let position = stored.position;
            match envelope::open(stored, &self.keys) {
                Ok(event) => events.push(event),
                Err(error) => {
                    self.pages.back_to(position);
                    if events.is_empty() {
                        return Err(error);
                    }
                    break;
                }
            }
        }
        Ok(events)
    }
}

/// The same without envelopes: stored events, page by page.
pub(crate) struct Pages {
    store: Arc<dyn DcbEventStoreSync + Send + Sync>,
    plan: Plan,
    /// The position at which the next page begins.
    next: u64,
    up_to: u64,
    /// How many events the next read may bring, from the sizes of the last.
    events_per_read: usize,
    done: bool,
}

impl Pages {
    /// How much the first read may bring, before anything is known about sizes.
    const FIRST_READ_EVENTS: usize = 64;

    /// Every event after position `after`, up to and including `up_to`.
    pub(crate) fn everything(
        store: Arc<dyn DcbEventStoreSync + Send + Sync>,
        after: u64,
        up_to: u64,
    ) -> Self {
        Self::new(store, Plan::All, after, up_to)
    }

    pub(super) fn new(
        store: Arc<dyn DcbEventStoreSync + Send + Sync>,
        plan: Plan,
        after: u64,
        up_to: u64,
    ) -> Self {
        let next = after.saturating_add(1);
        let done = matches!(plan, Plan::Nothing);
        Self {
            store,
            plan,
            next,
            up_to,
            events_per_read: Self::FIRST_READ_EVENTS,
            done,
        }
    }

    /// Returns to an event of the last page.
    fn back_to(&mut self, position: u64) {
        self.next = position;
        self.done = false;
    }

    /// The next page; an empty one is the end.
    pub(crate) fn next(&mut self, max: usize) -> Result<Vec<DcbSequencedEvent>, ReadError> {
        if self.done || self.next > self.up_to {
            return Ok(Vec::new());
        }
        let query = match &self.plan {
            Plan::Nothing => return Ok(Vec::new()),
            Plan::All => None,
            Plan::Matching(query) => Some(query.clone()),
        };
        let limit = self.events_per_read.min(max).max(1);
        let (mut events, _) = self
            .store
            .read_with_head(query, Some(self.next), false, u32::try_from(limit).ok())
            .map_err(ReadError::Store)?;
        self.done = events.len() < limit;
        // Positions ascend, so all that lies past the end is at the end.
        let inside = events.partition_point(|stored| stored.position <= self.up_to);
        self.done |= inside < events.len();
        events.truncate(inside);
        if let Some(last) = events.last() {
            self.next = last.position.saturating_add(1);
            let bytes: usize = events.iter().map(|stored| stored.event.data.len()).sum();
            let fitting = limits::STORE_READ_TARGET_BYTES / (bytes / events.len()).max(1);
            self.events_per_read = fitting.clamp(1, limits::STORE_READ_EVENTS);
        }
        Ok(events)
    }
}
