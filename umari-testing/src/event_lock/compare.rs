//! What is registered, held against what is locked.

use umari::host::{NewEvent, RawEvent};
use umari::prelude::{DateTime, Uuid};

use super::advice;
use super::file::{Entry, Golden, LockFile};
use super::kind::Kind;
use super::shape::{Change, Shape};
use crate::events::{Fact, chain};
use crate::panics;
use crate::report::diff::Fields;
use crate::report::{Report, Verdict};

/// The events of the crate.
pub(crate) struct Registered {
    pub(crate) samples: Vec<Sample>,
    /// Events of earlier releases, from before there was a lock.
    stored: Vec<Entry>,
}

/// An event type with a sample of it.
pub(crate) struct Sample {
    pub(crate) kind: Kind,
    pub(crate) fact: Fact,
    golden: Golden,
    crypto_scope: Option<String>,
}

/// What a comparison comes to.
pub(crate) struct Comparison {
    /// The lock with everything that can be added to it.
    pub(crate) next: LockFile,
    /// What no update can heal.
    pub(crate) faults: Vec<Report>,
    /// What an update would add.
    pub(crate) pending: Vec<Report>,
}

impl Registered {
    pub(crate) fn new(facts: &[Fact]) -> Verdict<Self> {
        let mut samples: Vec<Sample> = Vec::new();
        let mut stored = Vec::new();
        for fact in facts {
            let new = &fact.new;
            let golden = Golden::new(&new.tags, &new.payload);
            let Some(kind) = fact.kind() else {
                let names = golden.tag_names();
                stored.push(Entry::new(
                    &new.event_type,
                    new.schema_version,
                    names,
                    None,
                    golden,
                ));
                continue;
            };
            if let Some(report) = samples
                .iter()
                .find_map(|other| collision(&other.kind, &kind))
            {
                return Err(Box::new(report));
            }
            let scope = new.encryption_scope.as_deref();
            samples.push(Sample {
                kind,
                fact: fact.clone(),
                golden,
                crypto_scope: scope.and_then(|scope| scope.split(':').next().map(str::to_owned)),
            });
        }
        if samples.is_empty() {
            return Err(Box::new(advice::no_events()));
        }
        Ok(Self { samples, stored })
    }

    /// Whose events are, or were, stored under this name.
    pub(crate) fn sample_of(&self, event_type: &str) -> Option<&Sample> {
        self.samples
            .iter()
            .find(|sample| sample.kind.is_named(event_type))
    }
}

/// Two types must not claim one name.
fn collision(one: &Kind, other: &Kind) -> Option<Report> {
    if one.event_type == other.event_type {
        return Some(advice::registered_twice(one.event_type));
    }
    let mut names = one.aliases.iter().chain([&one.event_type]);
    let name = names.find(|name| other.is_named(name))?;
    Some(advice::name_shared(name, one.event_type, other.event_type))
}

pub(crate) fn compare(registered: &Registered, locked: &LockFile) -> Comparison {
    let mut found = Comparison {
        next: locked.clone(),
        faults: Vec::new(),
        pending: Vec::new(),
    };
    for entry in &registered.stored {
        found.lock_stored(entry);
    }
    for entry in found.next.clone().entries() {
        let Some(sample) = registered.sample_of(&entry.event_type) else {
            let heir = registered.samples.iter().find(|sample| {
                locked
                    .get(sample.kind.event_type, sample.kind.version)
                    .is_none()
                    && Shape::of(&sample.golden.data) == entry.shape()
            });
            let heir = heir.map(|sample| sample.kind.event_type);
            found.faults.push(advice::not_registered(entry, heir));
            continue;
        };
        found.faults.extend(payload_fault(sample, entry));
    }
    for sample in &registered.samples {
        found.lock_sample(sample);
    }
    found
}

impl Comparison {
    fn lock_stored(&mut self, entry: &Entry) {
        if self.next.get(&entry.event_type, entry.version).is_none() {
            self.pending
                .push(advice::not_locked(&entry.event_type, entry.version));
            self.next.insert(entry.clone());
        }
    }

    /// Compares a sample with the locked entry of its version, and with the latest one.
    fn lock_sample(&mut self, sample: &Sample) {
        let kind = &sample.kind;
        let latest = self
            .next
            .entries()
            .filter(|entry| kind.is_named(&entry.event_type))
            .max_by_key(|entry| (entry.version, entry.event_type == kind.event_type));
        if let Some(latest) = latest {
            let gone: Vec<_> = without(&latest.domain_ids, &kind.domain_ids());
            let new: Vec<_> = without(&kind.domain_ids(), &latest.domain_ids);
            if !gone.is_empty() || !new.is_empty() {
                self.pending.push(advice::domain_ids(latest, &gone, &new));
            }
            if latest.crypto_scope != sample.crypto_scope {
                let now = sample.crypto_scope.as_deref();
                self.pending.push(advice::crypto_scope(latest, now));
            }
        }
        let Some(entry) = self.next.get(kind.event_type, kind.version) else {
            self.pending
                .push(advice::not_locked(kind.event_type, kind.version));
            self.next.insert(sample.entry());
            return;
        };
        let shape = entry.shape();
        let mut changes = shape.changes(&Shape::of(&sample.golden.data));
        // A field that the sample does not show is still written, or the round trip of a locked
        // payload would have said so.
        changes.retain(|change| !matches!(change, Change::Removed { .. }));
        let mut entry = entry.clone();
        if !changes.is_empty() {
            self.pending.push(advice::says_more(&entry, &changes));
            entry.add(sample.golden.clone());
        }
        entry.domain_ids = kind.domain_ids();
        entry.crypto_scope.clone_from(&sample.crypto_scope);
        self.next.insert(entry);
    }
}

impl Sample {
    fn entry(&self) -> Entry {
        Entry::new(
            self.kind.event_type,
            self.kind.version,
            self.kind.domain_ids(),
            self.crypto_scope.clone(),
            self.golden.clone(),
        )
    }
}

/// What is wrong with the first payload of `entry` that today's code does not read, or does not
/// write again as it was.
fn payload_fault(sample: &Sample, entry: &Entry) -> Option<Report> {
    let kind = &sample.kind;
    let is_present = entry.version == kind.version;
    entry.payloads.iter().find_map(|golden| {
        let raw = raw_event(entry, golden);
        let error = match panics::catch(|| (kind.read)(&raw)) {
            Ok(Ok(written)) if is_present => {
                return rewritten(kind, entry, golden, written.first()?);
            }
            Ok(Ok(_)) => return None,
            Ok(Err(error)) => chain(&error.cause),
            Err(panic) => format!("its reading panicked: {panic}"),
        };
        let changes = entry.shape().changes(&Shape::of(&sample.golden.data));
        Some(advice::unreadable(kind, entry, golden, &changes, &error))
    })
}

/// What is read and written in one version has to stay as it was, but for what is added.
fn rewritten(kind: &Kind, entry: &Entry, golden: &Golden, written: &NewEvent) -> Option<Report> {
    let now = crate::events::json(&written.payload);
    let changes = Shape::of(&golden.data).changes(&Shape::of(&now));
    if !changes.iter().all(Change::only_adds) {
        return Some(advice::lost(kind, entry, golden, &changes));
    }
    let fields = Fields::compare(&golden.data, &shared(&golden.data, &now));
    fields
        .differs()
        .then(|| advice::written_otherwise(kind, entry, &fields.render()))
}

/// `now` without what `was` has not, and with what of `was` is `null` and gone.
fn shared(was: &serde_json::Value, now: &serde_json::Value) -> serde_json::Value {
    use serde_json::Value;
    match (was, now) {
        (Value::Object(was), Value::Object(now)) => {
            let members = was.iter().filter_map(|(name, was)| {
                let now = match now.get(name) {
                    Some(now) => shared(was, now),
                    None if was.is_null() => Value::Null,
                    None => return None,
                };
                Some((name.clone(), now))
            });
            Value::Object(members.collect())
        }
        (Value::Array(was), Value::Array(now)) if was.len() == now.len() => was
            .iter()
            .zip(now)
            .map(|(was, now)| shared(was, now))
            .collect(),
        _ => now.clone(),
    }
}

fn without(names: &[String], others: &[String]) -> Vec<String> {
    names
        .iter()
        .filter(|name| !others.contains(name))
        .cloned()
        .collect()
}

/// A locked payload as a store holds it.
fn raw_event(entry: &Entry, golden: &Golden) -> RawEvent {
    RawEvent {
        id: Uuid::nil(),
        position: 1,
        event_type: entry.event_type.clone(),
        tags: golden.tags.clone(),
        timestamp: DateTime::default(),
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        triggering_event_id: None,
        idempotency_key: None,
        encryption_scope: None,
        encryption_key_id: None,
        schema_version: entry.version,
        payload: Some(golden.data.to_string()),
    }
}
