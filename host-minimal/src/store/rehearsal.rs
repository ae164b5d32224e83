//! What makes a log repeat itself, for a component on trial.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Query;

/// The world of a log that does the same each time.
#[derive(Debug)]
pub(crate) struct Rehearsal {
    now: DateTime<Utc>,
    event_ids: Uuid,
    queries: Mutex<Vec<Query>>,
}

impl Rehearsal {
    /// The clock shows `now` at every append, and the event at position n has `event_ids` plus n
    /// as its id.
    pub(crate) fn new(now: DateTime<Utc>, event_ids: Uuid) -> Self {
        let queries = Mutex::default();
        Self {
            now,
            event_ids,
            queries,
        }
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        self.now
    }

    pub(super) fn event_id(&self, position: u64) -> Uuid {
        Uuid::from_u128(self.event_ids.as_u128().wrapping_add(position.into()))
    }

    pub(super) fn remember(&self, query: &Query) {
        let mut queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        queries.push(query.clone());
    }

    /// What was read, in order.
    pub(super) fn queries(&self) -> Vec<Query> {
        let queries = self.queries.lock().unwrap_or_else(PoisonError::into_inner);
        queries.clone()
    }
}
