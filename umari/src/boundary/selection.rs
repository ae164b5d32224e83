//! Which events a reader reads.

use std::borrow::Cow;
use std::iter;

use crate::domain_id::{Binding, DomainIdValues, is_tag, listed, tag};
use crate::event::EventDomainId;
use crate::fold::FoldError;
use crate::host::{QueryItem, RawEvent};
#[cfg(not(target_family = "wasm"))]
use crate::host::{Reading, Selected};
use crate::limits::QUERY_ITEMS_MAX;

/// The events that a reader reads: those of its event set that carry what its bindings say.
#[derive(Debug)]
pub(crate) struct Selection {
    /// Whose it is, for messages.
    reader: &'static str,
    set: Cow<'static, [EventDomainId]>,
    bindings: DomainIdValues,
}

impl Selection {
    pub(crate) fn new(
        reader: &'static str,
        set: Cow<'static, [EventDomainId]>,
        bindings: DomainIdValues,
    ) -> Self {
        Self {
            reader,
            set,
            bindings,
        }
    }

    pub(crate) fn matches(&self, event: &RawEvent) -> bool {
        self.selectors().any(|selector| selector.matches(event))
    }

    /// The same for people.
    #[cfg(not(target_family = "wasm"))]
    pub(crate) fn reading(&self) -> Reading {
        Reading {
            reader: self.reader,
            selected: self.selectors().map(Selector::selected).collect(),
        }
    }

    fn selectors(&self) -> impl Iterator<Item = Selector<'_>> {
        self.set.iter().map(|ids| Selector {
            ids,
            bindings: &self.bindings,
        })
    }
}

/// One event type with what its events must carry.
///
/// It looks up in the bindings what it needs, each time. That is cheaper than to write it down:
/// there are a handful of names, and most selectors are asked once.
#[derive(Debug, Clone, Copy)]
struct Selector<'a> {
    ids: &'a EventDomainId,
    bindings: &'a DomainIdValues,
}

/// One domain id that an event must carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Condition<'a> {
    name: &'static str,
    values: Values<'a>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Values<'a> {
    One(&'a str),
    /// Any of these; without one to choose from, no event fits.
    Any(&'a [String]),
    /// There should be one.
    Missing,
}

impl<'a> Condition<'a> {
    fn one(name: &'static str, value: &'a str) -> Self {
        let values = Values::One(value);
        Self { name, values }
    }

    /// How many tags there are to choose from.
    fn choices(self) -> usize {
        match self.values {
            Values::One(_) => 1,
            Values::Any(values) => values.len(),
            Values::Missing => 0,
        }
    }

    /// Whether `tag` is one of them.
    fn is_met_by(self, tag: &str) -> bool {
        match self.values {
            Values::One(value) => is_tag(tag, self.name, value),
            Values::Any(values) => values.iter().any(|value| is_tag(tag, self.name, value)),
            Values::Missing => false,
        }
    }
}

impl<'a> Selector<'a> {
    fn matches(self, event: &RawEvent) -> bool {
        let carries = |condition: Condition<'_>| {
            let mut tags = event.tags.iter();
            tags.any(|tag| condition.is_met_by(tag))
        };
        self.types().any(|name| name == event.event_type) && self.conditions().all(carries)
    }

    fn types(self) -> impl Iterator<Item = &'static str> {
        iter::once(self.ids.event_type).chain(self.ids.aliases.iter().copied())
    }

    fn conditions(self) -> impl Iterator<Item = Condition<'a>> {
        self.fixed().chain(self.bound())
    }

    /// The fixed values of a scope.
    fn fixed(self) -> impl Iterator<Item = Condition<'a>> {
        let fixed = self.ids.static_fields.iter();
        fixed.map(|(name, value)| Condition::one(name, value))
    }

    /// What the bindings have of the fields.
    fn bound(self) -> impl Iterator<Item = Condition<'a>> {
        let fields = self.ids.dynamic_fields.iter().copied();
        fields.filter_map(move |name| {
            let values = match self.bindings.binding(name) {
                Binding::AnyOf([value]) => Values::One(value),
                Binding::AnyOf(values) => Values::Any(values),
                Binding::Undeclared if !self.ids.scoped => return None,
                Binding::Undeclared | Binding::Missing => Values::Missing,
            };
            Some(Condition { name, values })
        })
    }

    #[cfg(not(target_family = "wasm"))]
    fn selected(self) -> Selected {
        let domain_ids = self.conditions().map(|condition| {
            let values = match condition.values {
                Values::One(value) => vec![value.to_owned()],
                Values::Any(values) => values.to_vec(),
                Values::Missing => Vec::new(),
            };
            (condition.name, values)
        });
        Selected {
            event_types: self.types().collect(),
            domain_ids: domain_ids.collect(),
            scoped: self.ids.scoped,
        }
    }

    /// Collects the conditions, each once, and refuses bindings that cannot mean what was meant.
    fn resolve(
        self,
        fold: &'static str,
        conditions: &mut Vec<Condition<'a>>,
    ) -> Result<(), FoldError> {
        let Self { ids, bindings } = self;
        let event_type = ids.event_type;
        conditions.clear();
        conditions.extend(self.fixed());
        let mut shared = false;
        // How many sets of tags select the same: the product of the choices.
        let mut alternatives = 1_usize;
        for condition in self.bound() {
            if condition.values == Values::Missing {
                return Err(FoldError::MissingBinding {
                    fold,
                    event_type,
                    field: condition.name,
                });
            }
            shared = true;
            alternatives = alternatives.saturating_mul(condition.choices());
            if !conditions.contains(&condition) {
                conditions.push(condition);
            }
        }
        // Without this, a misspelt domain id would quietly read every event of the type.
        if !ids.scoped && !shared && !ids.dynamic_fields.is_empty() && !bindings.is_empty() {
            return Err(FoldError::NothingShared {
                fold,
                event_type,
                event_fields: listed(ids.dynamic_fields.iter().copied()),
                bound_fields: listed(bindings.names()),
            });
        }
        if alternatives > QUERY_ITEMS_MAX {
            return Err(FoldError::TooManyValues {
                fold,
                event_type,
                alternatives,
                limit: QUERY_ITEMS_MAX,
            });
        }
        Ok(())
    }
}

/// A query in the making: types that share their tags share an item.
#[derive(Debug)]
pub(crate) struct Query<'a> {
    items: Vec<QueryItem>,
    /// Those of the selector at hand.
    conditions: Vec<Condition<'a>>,
}

impl<'a> Query<'a> {
    pub(crate) fn new() -> Self {
        Self {
            items: Vec::with_capacity(4),
            conditions: Vec::with_capacity(4),
        }
    }

    /// Asks for what `selection` reads too.
    pub(crate) fn cover(&mut self, selection: &'a Selection) -> Result<(), FoldError> {
        for selector in selection.selectors() {
            selector.resolve(selection.reader, &mut self.conditions)?;
            self.ask(selector);
        }
        Ok(())
    }

    pub(crate) fn into_items(self) -> Vec<QueryItem> {
        self.items
    }

    /// Asks for the types of `selector` with every way to choose one tag of each condition.
    fn ask(&mut self, selector: Selector<'_>) {
        let Self { items, conditions } = self;
        if conditions.iter().all(|condition| condition.choices() == 1) {
            ask(items, conditions, selector);
        } else {
            let chosen = &mut Vec::with_capacity(conditions.len());
            choose(conditions, chosen, &mut |tags| ask(items, tags, selector));
        }
    }
}

/// Passes every way to choose one value of each condition to `found`, each tag once.
fn choose<'a>(
    conditions: &[Condition<'a>],
    chosen: &mut Vec<Condition<'a>>,
    found: &mut dyn FnMut(&[Condition<'a>]),
) {
    let Some((condition, rest)) = conditions.split_first() else {
        found(chosen);
        return;
    };
    let mut with = |choice| {
        let before = chosen.len();
        if !chosen.contains(&choice) {
            chosen.push(choice);
        }
        choose(rest, chosen, found);
        chosen.truncate(before);
    };
    match condition.values {
        Values::One(_) => with(*condition),
        Values::Any(values) => values
            .iter()
            .for_each(|value| with(Condition::one(condition.name, value))),
        Values::Missing => {}
    }
}

/// Asks for the types of `selector` with these tags, of one value each.
fn ask(items: &mut Vec<QueryItem>, tags: &[Condition<'_>], selector: Selector<'_>) {
    let is_asked = |condition: &Condition<'_>, item: &QueryItem| {
        let mut tags = item.tags.iter();
        tags.any(|tag| condition.is_met_by(tag))
    };
    let same = |item: &QueryItem| {
        item.tags.len() == tags.len() && tags.iter().all(|tag| is_asked(tag, item))
    };
    // Few enough that looking through them costs less than a map.
    let place = match items.iter().position(same) {
        Some(place) => place,
        None => {
            items.push(QueryItem {
                types: Vec::with_capacity(4),
                tags: written(tags),
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
}

fn written(conditions: &[Condition<'_>]) -> Vec<String> {
    let mut tags = Vec::with_capacity(conditions.len());
    for condition in conditions {
        if let Values::One(value) = condition.values {
            tags.push(tag(condition.name, value));
        }
    }
    tags
}

/// The query of a reader without bindings: by type, and by fixed values.
pub(crate) fn subscription(set: &[EventDomainId]) -> Vec<QueryItem> {
    let bindings = &DomainIdValues::new();
    let mut query = Query::new();
    for ids in set {
        let selector = Selector { ids, bindings };
        query.conditions.clear();
        query.conditions.extend(selector.fixed());
        query.ask(selector);
    }
    query.items
}

#[cfg(test)]
mod tests;
