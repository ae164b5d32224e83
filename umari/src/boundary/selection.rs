//! Which events a reader reads.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::domain_id::{DomainIdValues, tag};
use crate::event::EventDomainId;
use crate::fold::FoldError;
use crate::host::{QueryItem, RawEvent};
use crate::limits::QUERY_ITEMS_MAX;

/// One event type with what its events must carry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Selector {
    event_type: &'static str,
    aliases: &'static [&'static str],
    /// Of each of these one tag. Without a tag to choose from, no event fits.
    conditions: Vec<Vec<String>>,
}

impl Selector {
    pub(crate) fn matches(&self, event: &RawEvent) -> bool {
        (self.event_type == event.event_type || self.aliases.contains(&&*event.event_type))
            && self
                .conditions
                .iter()
                .all(|any| any.iter().any(|tag| event.tags.contains(tag)))
    }

    fn types(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.event_type).chain(self.aliases.iter().copied())
    }

    /// How many sets of tags select the same: the product of the choices.
    fn alternatives(&self) -> usize {
        self.conditions
            .iter()
            .fold(1, |product, any| product.saturating_mul(any.len()))
    }

    /// Every way to choose one tag of each condition.
    fn tag_sets(&self) -> Vec<BTreeSet<&str>> {
        let mut sets = vec![BTreeSet::new()];
        for any in &self.conditions {
            let longer = sets.iter().flat_map(|set| {
                any.iter().map(|tag| {
                    let mut set = set.clone();
                    set.insert(tag.as_str());
                    set
                })
            });
            sets = longer.collect();
        }
        sets
    }
}

/// What a fold reads of the events that `ids` describe, given the bindings.
pub(crate) fn select(
    fold: &'static str,
    ids: &EventDomainId,
    bindings: &DomainIdValues,
) -> Result<Selector, FoldError> {
    let event_type = ids.event_type;
    let mut conditions = fixed(ids);
    let mut shared = false;
    for field in ids.dynamic_fields.iter().copied() {
        if !ids.scoped && !bindings.declares(field) {
            continue;
        }
        shared = true;
        let Some(values) = bindings.selecting(field) else {
            return Err(FoldError::MissingBinding {
                fold,
                event_type,
                field,
            });
        };
        conditions.push(values.iter().map(|value| tag(field, value)).collect());
    }
    let names = || bindings.names().collect::<Vec<_>>();
    // Without this, a misspelt domain id would quietly read every event of the type.
    if !ids.scoped && !shared && !ids.dynamic_fields.is_empty() && !names().is_empty() {
        return Err(FoldError::NothingShared {
            fold,
            event_type,
            event_fields: ids.dynamic_fields.join(", "),
            bound_fields: names().join(", "),
        });
    }
    let selector = Selector {
        event_type,
        aliases: ids.aliases,
        conditions,
    };
    if selector.alternatives() > QUERY_ITEMS_MAX {
        return Err(FoldError::TooManyValues {
            fold,
            event_type,
            alternatives: selector.alternatives(),
            limit: QUERY_ITEMS_MAX,
        });
    }
    Ok(selector)
}

/// The conditions of a scope's fixed values.
fn fixed(ids: &EventDomainId) -> Vec<Vec<String>> {
    let fixed = ids.static_fields.iter();
    fixed.map(|(name, value)| vec![tag(name, value)]).collect()
}

/// The query that covers `selectors`: types that share their tags share an item.
pub(crate) fn query<'a>(selectors: impl Iterator<Item = &'a Selector>) -> Vec<QueryItem> {
    let mut items: IndexMap<BTreeSet<&str>, Vec<String>> = IndexMap::new();
    for selector in selectors {
        for tags in selector.tag_sets() {
            let types = items.entry(tags).or_default();
            for name in selector.types() {
                if !types.iter().any(|known| known == name) {
                    types.push(name.to_owned());
                }
            }
        }
    }
    items
        .into_iter()
        .map(|(tags, types)| QueryItem {
            types,
            tags: tags.into_iter().map(str::to_owned).collect(),
        })
        .collect()
}

/// The query of a reader without bindings: by type, and by fixed values.
pub(crate) fn subscription(domain_ids: &[EventDomainId]) -> Vec<QueryItem> {
    let selectors: Vec<_> = domain_ids
        .iter()
        .map(|ids| Selector {
            event_type: ids.event_type,
            aliases: ids.aliases,
            conditions: fixed(ids),
        })
        .collect();
    query(selectors.iter())
}

#[cfg(test)]
mod tests;
