//! Which events a reader reads.

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
    conditions: Vec<Condition>,
}

/// One tag that an event must carry.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    One(String),
    /// Any of these; without one to choose from, no event fits.
    Any(Vec<String>),
}

impl Condition {
    fn of(name: &str, values: &[String]) -> Self {
        match values {
            [value] => Self::One(tag(name, value)),
            values => Self::Any(values.iter().map(|value| tag(name, value)).collect()),
        }
    }

    fn choices(&self) -> &[String] {
        match self {
            Self::One(tag) => std::slice::from_ref(tag),
            Self::Any(tags) => tags,
        }
    }
}

impl Selector {
    pub(crate) fn matches(&self, event: &RawEvent) -> bool {
        (self.event_type == event.event_type || self.aliases.contains(&&*event.event_type))
            && self.conditions.iter().all(|condition| {
                let mut choices = condition.choices().iter();
                choices.any(|tag| event.tags.contains(tag))
            })
    }

    fn types(&self) -> impl Iterator<Item = &'static str> {
        std::iter::once(self.event_type).chain(self.aliases.iter().copied())
    }

    /// How many sets of tags select the same: the product of the choices.
    fn alternatives(&self) -> usize {
        let choices = self
            .conditions
            .iter()
            .map(|condition| condition.choices().len());
        choices.fold(1, usize::saturating_mul)
    }

    /// Passes every way to choose one tag of each condition to `found`, sorted and each tag once.
    fn each_choice(&self, found: &mut dyn FnMut(&[&str])) {
        choose(
            &self.conditions,
            &mut Vec::with_capacity(self.conditions.len()),
            found,
        );
    }
}

fn choose<'a>(
    conditions: &'a [Condition],
    chosen: &mut Vec<&'a str>,
    found: &mut dyn FnMut(&[&str]),
) {
    let Some((condition, rest)) = conditions.split_first() else {
        // Inserted one by one: there are few, and a sort is more code than the rest of this file.
        let mut tags = Vec::with_capacity(chosen.len());
        for tag in chosen.iter().copied() {
            if let Err(place) = tags.binary_search(&tag) {
                tags.insert(place, tag);
            }
        }
        found(&tags);
        return;
    };
    for tag in condition.choices() {
        chosen.push(tag);
        choose(rest, chosen, found);
        chosen.pop();
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
        conditions.push(Condition::of(field, values));
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
fn fixed(ids: &EventDomainId) -> Vec<Condition> {
    let fixed = ids.static_fields.iter();
    fixed
        .map(|(name, value)| Condition::One(tag(name, value)))
        .collect()
}

/// The query that covers `selectors`: types that share their tags share an item.
pub(crate) fn query<'a>(selectors: impl Iterator<Item = &'a Selector>) -> Vec<QueryItem> {
    // Few enough that looking through them costs less than a map.
    let mut items: Vec<QueryItem> = Vec::new();
    for selector in selectors {
        selector.each_choice(&mut |tags| {
            let place = match items.iter().position(|item| item.tags == tags) {
                Some(place) => place,
                None => {
                    items.push(QueryItem {
                        types: Vec::new(),
                        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
                    });
                    items.len() - 1
                }
            };
            let types = &mut items[place].types;
            for name in selector.types() {
                if !types.iter().any(|known| known == name) {
                    types.push(name.to_owned());
                }
            }
        });
    }
    items
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
