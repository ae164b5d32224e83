//! A store that is nothing but a list: the oracle that real stores are compared with, what the
//! log's own tests stand on, and the history of a component on trial.

use std::sync::{Mutex, MutexGuard, PoisonError};

use umadb_dcb::{
    DcbAppendCondition, DcbError, DcbEvent, DcbEventStoreSync, DcbQuery, DcbQueryItem,
    DcbReadResponseSync, DcbResult, DcbSequencedEvent, TrackingInfo,
};

/// Events in a list. Every question is answered by looking at all of them.
#[derive(Default)]
pub(super) struct MemoryStore {
    pub(super) state: Mutex<MemoryState>,
}

#[derive(Default)]
pub(super) struct MemoryState {
    pub(super) events: Vec<DcbSequencedEvent>,
    /// What the next append answers instead of appending.
    pub(super) next_failure: Option<DcbError>,
}

impl MemoryStore {
    /// A store that holds `events` already, at these positions, which ascend.
    pub(super) fn with(events: Vec<(u64, DcbEvent)>) -> Self {
        let events = events
            .into_iter()
            .map(|(position, event)| DcbSequencedEvent {
                position,
                event,
                tracking_info: None,
            });
        Self {
            state: Mutex::new(MemoryState {
                events: events.collect(),
                next_failure: None,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, MemoryState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn item_matches(item: &DcbQueryItem, event: &DcbEvent) -> bool {
    (item.types.is_empty() || item.types.contains(&event.event_type))
        && item.tags.iter().all(|tag| event.tags.contains(tag))
}

fn query_matches(query: &DcbQuery, event: &DcbEvent) -> bool {
    query.items.is_empty() || query.items.iter().any(|item| item_matches(item, event))
}

impl DcbEventStoreSync for MemoryStore {
    fn read(
        &self,
        query: Option<DcbQuery>,
        start: Option<u64>,
        backwards: bool,
        limit: Option<u32>,
    ) -> DcbResult<Box<dyn DcbReadResponseSync + Send + 'static>> {
        let state = self.state();
        let query = query.unwrap_or_default();
        let mut events: Vec<_> = state.events.clone();
        if backwards {
            events.reverse();
        }
        events.retain(|stored| {
            start.is_none_or(|start| match backwards {
                false => stored.position >= start,
                true => stored.position <= start,
            }) && query_matches(&query, &stored.event)
        });
        events.truncate(limit.map_or(usize::MAX, |limit| limit as usize));
        let head = match limit {
            None => state.events.last().map(|stored| stored.position),
            Some(_) => events.last().map(|stored| stored.position),
        };
        Ok(Box::new(Response {
            events: events.into(),
            head,
        }))
    }

    fn head(&self) -> DcbResult<Option<u64>> {
        let state = self.state();
        Ok(state.events.last().map(|stored| stored.position))
    }

    fn get_tracking_info(&self, source: &str) -> DcbResult<Option<u64>> {
        let state = self.state();
        let of_source = |stored: &DcbSequencedEvent| match &stored.tracking_info {
            Some(info) if info.source == source => Some(info.position),
            _ => None,
        };
        Ok(state.events.iter().filter_map(of_source).max())
    }

    fn append(
        &self,
        events: Vec<DcbEvent>,
        condition: Option<DcbAppendCondition>,
        tracking_info: Option<TrackingInfo>,
    ) -> DcbResult<u64> {
        if let Some(info) = &tracking_info
            && self
                .get_tracking_info(&info.source)?
                .is_some_and(|last| info.position <= last)
        {
            return Err(DcbError::IntegrityError("tracking position".to_owned()));
        }
        let mut state = self.state();
        if let Some(failure) = state.next_failure.take() {
            return Err(failure);
        }
        if let Some(condition) = condition {
            let after = condition.after.unwrap_or(0);
            let hit = state.events.iter().find(|stored| {
                stored.position > after
                    && query_matches(&condition.fail_if_events_match, &stored.event)
            });
            if let Some(hit) = hit {
                return Err(DcbError::IntegrityError(format!(
                    "position {}",
                    hit.position
                )));
            }
        }
        let mut position = state.events.last().map_or(0, |last| last.position);
        for event in events {
            position += 1;
            let tracking_info = tracking_info.clone();
            state.events.push(DcbSequencedEvent {
                position,
                event,
                tracking_info,
            });
        }
        Ok(position)
    }
}

struct Response {
    events: std::collections::VecDeque<DcbSequencedEvent>,
    head: Option<u64>,
}

impl Iterator for Response {
    type Item = DcbResult<DcbSequencedEvent>;

    fn next(&mut self) -> Option<Self::Item> {
        self.events.pop_front().map(Ok)
    }
}

impl DcbReadResponseSync for Response {
    fn head(&mut self) -> DcbResult<Option<u64>> {
        Ok(self.head)
    }

    fn collect_with_head(&mut self) -> DcbResult<(Vec<DcbSequencedEvent>, Option<u64>)> {
        Ok((self.events.drain(..).collect(), self.head))
    }

    fn next_batch(&mut self) -> DcbResult<Vec<DcbSequencedEvent>> {
        Ok(self.events.drain(..).collect())
    }
}
