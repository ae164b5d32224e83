//! The engine that commands and fold queries share: from folds to a query, from events to states.

use std::any::type_name;
use std::collections::BTreeSet;

use indexmap::IndexMap;
use serde_json::Value;

use crate::domain_id::{DomainIds, tag};
use crate::event::{DecodeError, EventDomainId, EventSet, decode_parsed, parse};
use crate::fold::{Fold, FoldError};
use crate::host::{QueryItem, RawEvent, Transaction};

pub(crate) mod slots;

/// Domain ids that a fold's events are selected by, and where they may come from.
#[derive(Debug, Clone)]
pub(crate) struct Bindings {
    /// Names that the source means to bind, whether or not it does.
    declared: Vec<&'static str>,
    /// Names and values; a list, since a name may come to have several.
    pairs: Vec<(&'static str, String)>,
}

impl Bindings {
    pub(crate) fn of(source: &impl DomainIds) -> Self {
        Self {
            declared: source.declared_domain_ids(),
            pairs: source.domain_id_pairs(),
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.pairs
            .iter()
            .find(|(bound, _)| *bound == name)
            .map(|(_, value)| value.as_str())
    }
}

/// One event type with the tags that its events must carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector {
    event_type: &'static str,
    tags: BTreeSet<String>,
}

impl Selector {
    fn matches(&self, event: &RawEvent) -> bool {
        self.event_type == event.event_type && self.tags.iter().all(|tag| event.tags.contains(tag))
    }
}

/// What a fold reads, given the bindings.
fn select<F: Fold>(bindings: &Bindings) -> Result<Vec<Selector>, FoldError> {
    let fold = type_name::<F>();
    F::Events::event_domain_ids()
        .into_iter()
        .map(|ids| select_one(fold, &ids, bindings))
        .collect()
}

fn select_one(
    fold: &'static str,
    ids: &EventDomainId,
    bindings: &Bindings,
) -> Result<Selector, FoldError> {
    let event_type = ids.event_type;
    let mut tags: BTreeSet<String> = ids
        .static_fields
        .iter()
        .map(|(name, value)| tag(name, value))
        .collect();
    let mut shared = false;
    for field in ids.dynamic_fields.iter().copied() {
        if !ids.scoped && !bindings.declared.contains(&field) {
            continue;
        }
        shared = true;
        let Some(value) = bindings.value(field) else {
            return Err(FoldError::MissingBinding {
                fold,
                event_type,
                field,
            });
        };
        tags.insert(tag(field, value));
    }
    // Without this, a misspelt domain id would quietly read every event of the type.
    if !ids.scoped && !shared && !ids.dynamic_fields.is_empty() && !bindings.declared.is_empty() {
        return Err(FoldError::NothingShared {
            fold,
            event_type,
            event_fields: ids.dynamic_fields.join(", "),
            bound_fields: bindings.declared.join(", "),
        });
    }
    Ok(Selector { event_type, tags })
}

/// The query that covers `selectors`: types that share their tags share an item.
pub(crate) fn query<'a>(selectors: impl Iterator<Item = &'a Selector>) -> Vec<QueryItem> {
    let mut items: IndexMap<&BTreeSet<String>, Vec<String>> = IndexMap::new();
    for selector in selectors {
        let types = items.entry(&selector.tags).or_default();
        if !types.iter().any(|known| known == selector.event_type) {
            types.push(selector.event_type.to_owned());
        }
    }
    items
        .into_iter()
        .map(|(tags, types)| QueryItem {
            types,
            tags: tags.iter().cloned().collect(),
        })
        .collect()
}

/// A fold on its way through the log.
pub(crate) struct Running<F: Fold> {
    fold: F,
    state: F::State,
    selectors: Vec<Selector>,
}

impl<F: Fold> Running<F> {
    pub(crate) fn start(fold: F, bindings: &Bindings) -> Result<Self, FoldError> {
        let selectors = select::<F>(bindings)?;
        Ok(Self {
            fold,
            state: F::State::default(),
            selectors,
        })
    }

    /// Starts a fold that selects its events by its own domain ids.
    pub(crate) fn start_bound(fold: F) -> Result<Self, FoldError> {
        let bindings = Bindings::of(&fold);
        Self::start(fold, &bindings)
    }

    fn into_state(self) -> F::State {
        self.state
    }
}

/// A running fold of whatever type.
pub trait Replay {
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn selectors(&self) -> &[Selector];

    #[doc(hidden)]
    fn apply(&mut self, event: &RawEvent, data: &Value) -> Result<(), DecodeError>;
}

impl<F: Fold> Replay for Running<F> {
    #[allow(private_interfaces)]
    fn selectors(&self) -> &[Selector] {
        &self.selectors
    }

    fn apply(&mut self, event: &RawEvent, data: &Value) -> Result<(), DecodeError> {
        if let Some(event) = decode_parsed::<F::Events>(event, data)? {
            self.fold.apply(&mut self.state, event);
        }
        Ok(())
    }
}

/// Reads `transaction` to its end and offers each event to the folds whose own query it matches.
pub(crate) fn replay(
    transaction: &mut dyn Transaction,
    folds: &mut [&mut dyn Replay],
) -> Result<(), FoldError> {
    loop {
        let batch = transaction.next_batch()?;
        if batch.is_empty() {
            return Ok(());
        }
        for event in &batch {
            offer(event, folds)?;
        }
    }
}

fn offer(event: &RawEvent, folds: &mut [&mut dyn Replay]) -> Result<(), DecodeError> {
    let mut parsed = None;
    for fold in folds {
        if !fold
            .selectors()
            .iter()
            .any(|selector| selector.matches(event))
        {
            continue;
        }
        if parsed.is_none() {
            parsed = parse(event)?;
        }
        let Some(data) = &parsed else { return Ok(()) };
        fold.apply(event, data)?;
    }
    Ok(())
}

/// The query of a reader without bindings: by type, and by fixed values.
pub(crate) fn subscription(domain_ids: &[EventDomainId]) -> Vec<QueryItem> {
    let selectors: Vec<_> = domain_ids
        .iter()
        .map(|ids| Selector {
            event_type: ids.event_type,
            tags: ids
                .static_fields
                .iter()
                .map(|(name, value)| tag(name, value))
                .collect(),
        })
        .collect();
    query(selectors.iter())
}
