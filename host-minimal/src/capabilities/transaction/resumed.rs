//! Reading by readers, from the states that were kept for them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::wit;
use crate::limits;
use crate::snapshots::{Counts, Found, Offer, ScopeHash, SnapshotKey, Snapshots};
use crate::store::{EventLog, MergedReader, Query, RecordedEvent};

/// The readers of one transaction.
#[derive(Debug)]
pub(super) struct Resumed {
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    query: Query,
    /// `None` where its state is not kept.
    key: Option<SnapshotKey>,
    /// The position up to which its state stands for its events; 0 without one.
    after: u64,
    /// When the latest event was written that its state or this transaction knows.
    latest_micros: i64,
    /// Of what was read since.
    scopes: BTreeSet<ScopeHash>,
}

/// Up to where a transaction reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bound {
    pub(super) head: u64,
    pub(super) until: Option<DateTime<Utc>>,
}

impl Bound {
    fn allows(self, found: &Found) -> bool {
        let is_past = |until: DateTime<Utc>| found.latest_micros <= until.timestamp_micros();
        found.position <= self.head && self.until.is_none_or(is_past)
    }
}

impl Resumed {
    /// Looks for the states of `readers`, which are all a part of `whole`.
    pub(super) fn look_up(
        snapshots: &Snapshots,
        component: &[u8; 32],
        whole: &Query,
        bound: Bound,
        readers: Vec<wit::Reader>,
    ) -> Result<(Self, Vec<Option<wit::Snapshot>>), wit::Error> {
        if readers.len() > limits::QUERY_ITEMS {
            return Err(wit::Error::Invalid(format!(
                "{} readers: at most {} are allowed",
                readers.len(),
                limits::QUERY_ITEMS
            )));
        }
        let (mut parts, mut states) = (Vec::new(), Vec::new());
        for (reader, place) in readers.into_iter().zip(0..) {
            let query = super::to_query(reader.query);
            if !query.items.iter().all(|item| whole.covers(item)) {
                return Err(wit::Error::Invalid(format!(
                    "reader {place} reads what the query of its transaction does not match"
                )));
            }
            let key = reader.key;
            let key = key.map(|key| SnapshotKey::new(component, &key, &query));
            let found = key.and_then(|key| find(snapshots, &key, bound));
            parts.push(Part {
                query,
                key,
                after: found.as_ref().map_or(0, |found| found.position),
                latest_micros: found.as_ref().map_or(i64::MIN, |it| it.latest_micros),
                scopes: BTreeSet::new(),
            });
            states.push(found.map(
                |Found {
                     position, state, ..
                 }| wit::Snapshot { position, state },
            ));
        }
        Ok((Self { parts }, states))
    }

    /// Reads a reader from its first event on.
    pub(super) fn discard(&mut self, snapshots: &Snapshots, reader: u32) -> wasmtime::Result<()> {
        let part = self.part(reader)?;
        if part.after > 0 {
            (part.after, part.latest_micros) = (0, i64::MIN);
            snapshots.counts(Counts::ignored);
        }
        Ok(())
    }

    /// What the readers have no states for; `None` where that is everything.
    pub(super) fn start(
        &self,
        snapshots: &Snapshots,
        log: &EventLog,
        head: u64,
    ) -> Option<MergedReader> {
        let resumed = self.parts.iter().filter(|part| part.after > 0).count();
        if resumed == 0 {
            return None;
        }
        snapshots.counts(|counts| counts.hit(resumed));
        let mut by_position: BTreeMap<u64, Vec<&Query>> = BTreeMap::new();
        for part in &self.parts {
            by_position.entry(part.after).or_default().push(&part.query);
        }
        let read =
            |(after, queries): (u64, Vec<&Query>)| log.read(&Query::any_of(queries), after, head);
        Some(MergedReader::new(by_position.into_iter().map(read)))
    }

    /// The guest gets this event.
    pub(super) fn saw(&mut self, event: &RecordedEvent) {
        let scope = event.encryption_scope.as_ref();
        // What has been shredded is in no state.
        let scope = scope.filter(|_| !event.is_shredded());
        let scope = scope.map(|scope| ScopeHash::of(scope));
        for part in self.parts.iter_mut().filter(|part| part.key.is_some()) {
            let micros = event.timestamp.timestamp_micros();
            part.latest_micros = part.latest_micros.max(micros);
            if let Some(scope) = scope
                && event.position > part.after
                && part.query.matches(&event.event_type, &event.tags)
            {
                part.scopes.insert(scope);
            }
        }
    }

    /// Offers the state of a reader that has read everything up to `head`.
    pub(super) fn offer(
        &mut self,
        snapshots: &Snapshots,
        reader: u32,
        state: String,
        head: u64,
        shreddings: u64,
    ) -> wasmtime::Result<()> {
        let part = self.part(reader)?;
        let Some(key) = part.key else {
            return Err(wasmtime::format_err!(
                "reader {reader} has no key under which its state could be kept"
            ));
        };
        snapshots.offer(Offer {
            key,
            grown: part.after > 0,
            position: head,
            latest_micros: part.latest_micros,
            scopes: std::mem::take(&mut part.scopes),
            shreddings,
            state,
        });
        // A reader offers its state once.
        part.key = None;
        Ok(())
    }

    fn part(&mut self, reader: u32) -> wasmtime::Result<&mut Part> {
        let part = usize::try_from(reader).ok();
        part.and_then(|place| self.parts.get_mut(place))
            .ok_or_else(|| wasmtime::format_err!("there is no reader {reader}"))
    }
}

fn find(snapshots: &Snapshots, key: &SnapshotKey, bound: Bound) -> Option<Found> {
    let Some(found) = snapshots.find(key) else {
        snapshots.counts(Counts::missed);
        return None;
    };
    if !bound.allows(&found) {
        snapshots.counts(Counts::ignored);
        return None;
    }
    Some(found)
}
