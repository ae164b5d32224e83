//! The query that is built selects exactly the events that the scopes describe.

use proptest::collection::{btree_map, btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select as one_of, subsequence};

use super::*;

const TYPES: [&str; 4] = ["opened", "closed", "moved", "was.moved"];
const NAMES: [&str; 4] = ["shop", "plan", "order", "topic"];
const VALUES: [&str; 3] = ["1", "2", "3"];

/// One variant of an event set.
fn variant() -> impl Strategy<Value = EventDomainId> {
    (
        one_of(&TYPES[..3]),
        subsequence(NAMES.to_vec(), 0..=3),
        btree_map(one_of(&NAMES[..]), one_of(&VALUES[..]), 0..=1),
        any::<bool>(),
    )
        .prop_map(
            |(event_type, dynamic_fields, fixed, scoped)| EventDomainId {
                event_type,
                aliases: if event_type == "moved" {
                    &["was.moved"]
                } else {
                    &[]
                },
                // Leaked, since in an event set they are constants.
                dynamic_fields: dynamic_fields.leak(),
                // Only a scope can fix a value.
                static_fields: if scoped {
                    fixed.into_iter().collect::<Vec<_>>().leak()
                } else {
                    &[]
                },
                scoped,
            },
        )
}

/// Bindings as an input or a fold may have them: single, plural, or forgotten.
fn bindings() -> impl Strategy<Value = DomainIdValues> {
    let values = (btree_set(one_of(&VALUES[..]), 0..=3), any::<bool>());
    btree_map(one_of(&NAMES[..]), values, 0..=4).prop_map(|names| {
        let mut bindings = DomainIdValues::new();
        for (name, (values, plural)) in names {
            bindings.declare_single(name);
            if plural {
                bindings.declare_plural(name);
            }
            values
                .into_iter()
                .for_each(|value| bindings.push(name, value));
        }
        bindings
    })
}

fn event() -> impl Strategy<Value = RawEvent> {
    let tags = btree_set((one_of(&NAMES[..]), one_of(&VALUES[..])), 0..=6);
    (one_of(&TYPES[..]), tags).prop_map(|(event_type, tags)| RawEvent {
        id: uuid::Uuid::nil(),
        position: 1,
        event_type: event_type.to_owned(),
        tags: tags
            .into_iter()
            .map(|(name, value)| tag(name, value))
            .collect(),
        timestamp: chrono::DateTime::UNIX_EPOCH,
        correlation_id: uuid::Uuid::nil(),
        causation_id: uuid::Uuid::nil(),
        triggering_event_id: None,
        idempotency_key: None,
        encryption_scope: None,
        encryption_key_id: None,
        schema_version: 1,
        payload: None,
    })
}

/// The names that a variant selects by, as its documentation says it.
fn names<'a>(ids: &'a EventDomainId, bindings: &'a DomainIdValues) -> Vec<&'a str> {
    let bound = |name: &&&str| bindings.names().any(|bound| bound == **name);
    let names = ids.dynamic_fields.iter();
    names
        .filter(|name| ids.scoped || bound(name))
        .copied()
        .collect()
}

/// Whether the scopes make sense with these bindings.
fn is_answerable(ids: &EventDomainId, bindings: &DomainIdValues) -> bool {
    let names = names(ids, bindings);
    let has_values = names
        .iter()
        .all(|name| !bindings.get(name).is_empty() || bindings.entry_is_plural(name));
    let shares = ids.scoped
        || !names.is_empty()
        || ids.dynamic_fields.is_empty()
        || bindings.names().next().is_none();
    has_values && shares
}

/// The matcher that everybody would write.
fn accepts(ids: &EventDomainId, bindings: &DomainIdValues, event: &RawEvent) -> bool {
    let carries = |name: &str, value: &str| event.tags.contains(&format!("{name}:{value}"));
    let of_the_type =
        ids.event_type == event.event_type || ids.aliases.contains(&event.event_type.as_str());
    of_the_type
        && ids
            .static_fields
            .iter()
            .all(|(name, value)| carries(name, value))
        && names(ids, bindings)
            .iter()
            .all(|name| bindings.get(name).iter().any(|value| carries(name, value)))
}

fn selected(query: &[QueryItem], event: &RawEvent) -> bool {
    query.iter().any(|item| {
        (item.types.is_empty() || item.types.contains(&event.event_type))
            && item.tags.iter().all(|tag| event.tags.contains(tag))
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_query_selects_exactly_what_the_scopes_describe(
        set in vec(variant(), 1..=4),
        bindings in bindings(),
        events in vec(event(), 1..=20),
        aimed in vec((any::<Index>(), any::<Index>()), 8),
    ) {
        let selections: Vec<_> = set
            .iter()
            .map(|ids| Selection::new("fold", vec![*ids].into(), bindings.clone()))
            .collect();
        let mut query = Query::new();
        let mut answerable = Vec::new();
        for (ids, selection) in set.iter().zip(&selections) {
            let covered = query.cover(selection);
            prop_assert_eq!(covered.is_ok(), is_answerable(ids, &bindings), "{:?}", covered);
            if covered.is_ok() {
                answerable.push((ids, selection));
            }
        }
        let query = query.into_items();
        // Events at random seldom fit; these have the tags of an alternative.
        let aimed = aimed.iter().filter(|_| !query.is_empty()).map(|(item, base)| {
            let mut event = events[base.index(events.len())].clone();
            let item = &query[item.index(query.len())];
            event.event_type.clone_from(&item.types[0]);
            event.tags.extend(item.tags.iter().cloned());
            event
        });
        for event in events.iter().cloned().chain(aimed) {
            for (ids, selection) in &answerable {
                prop_assert_eq!(selection.matches(&event), accepts(ids, &bindings, &event));
            }
            let accepted = answerable.iter().any(|(ids, _)| accepts(ids, &bindings, &event));
            prop_assert_eq!(selected(&query, &event), accepted, "{:?} and {:?}", query, event);
        }
    }
}
