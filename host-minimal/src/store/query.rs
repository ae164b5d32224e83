//! What to read: queries, their rules, and what they look like to the store.

use std::collections::{BTreeMap, BTreeSet};

use umadb_dcb::{DcbQuery, DcbQueryItem};
use uuid::Uuid;

use super::envelope;
use super::error::Invalid;
use crate::limits;

/// Which events: those that match at least one item. A query without items matches nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// The alternatives.
    pub items: Vec<QueryItem>,
}

/// One alternative of a query: an event of one of `types` that carries every one of `tags`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct QueryItem {
    /// Event types; empty for any type.
    pub types: Vec<String>,
    /// Domain ids in the form `name:value`; empty for any.
    pub tags: Vec<String>,
}

/// Which events a search shows: those that meet every condition that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Event types; empty for any type.
    pub types: Vec<String>,
    /// Domain ids in the form `name:value`, all of which an event must carry.
    pub tags: Vec<String>,
    /// The causal chain that an event must belong to.
    pub correlation_id: Option<Uuid>,
}

impl Query {
    /// Whether an event of this type with these tags matches.
    pub fn matches(&self, event_type: &str, tags: &[String]) -> bool {
        self.items.iter().any(|item| item.matches(event_type, tags))
    }

    /// Whether whatever `item` matches is matched by an item of this query too.
    pub(crate) fn covers(&self, item: &QueryItem) -> bool {
        self.items.iter().any(|own| {
            let every = own.types.is_empty()
                || (!item.types.is_empty() && item.types.iter().all(|it| own.types.contains(it)));
            every && own.tags.iter().all(|tag| item.tags.contains(tag))
        })
    }

    /// What any of `queries` matches, with one item for all types that go with the same tags.
    pub(crate) fn any_of<'a>(queries: impl IntoIterator<Item = &'a Self>) -> Self {
        let mut by_tags: BTreeMap<BTreeSet<&String>, Option<BTreeSet<&String>>> = BTreeMap::new();
        for item in queries.into_iter().flat_map(|query| &query.items) {
            let types = by_tags
                .entry(item.tags.iter().collect())
                .or_insert_with(|| Some(BTreeSet::new()));
            match types {
                // Any type.
                _ if item.types.is_empty() => *types = None,
                Some(types) => types.extend(&item.types),
                None => {}
            }
        }
        let item = |(tags, types): (BTreeSet<&String>, Option<BTreeSet<&String>>)| QueryItem {
            types: types.into_iter().flatten().cloned().collect(),
            tags: tags.into_iter().cloned().collect(),
        };
        Self {
            items: by_tags.into_iter().map(item).collect(),
        }
    }

    /// Checks the query against the rules and limits of queries.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        let count = self.items.len();
        if count > limits::QUERY_ITEMS {
            return Err(Invalid::TooManyQueryItems { count });
        }
        let mut terms = 0_usize;
        for item in &self.items {
            item.types.iter().try_for_each(|t| check_type(t))?;
            item.tags.iter().try_for_each(|t| check_tag(t))?;
            terms = terms.saturating_add(
                item.types
                    .len()
                    .max(1)
                    .saturating_mul(item.tags.len().max(1)),
            );
        }
        if terms > limits::QUERY_TERMS {
            return Err(Invalid::TooManyQueryTerms { count: terms });
        }
        Ok(())
    }

    /// The same question in the store's terms.
    pub(super) fn plan(&self) -> Plan {
        if self
            .items
            .iter()
            .any(|item| item.types.is_empty() && item.tags.is_empty())
        {
            return Plan::All;
        }
        if self.items.is_empty() {
            return Plan::Nothing;
        }
        Plan::Matching(DcbQuery {
            items: self.items.iter().flat_map(QueryItem::plan).collect(),
        })
    }
}

impl QueryItem {
    fn matches(&self, event_type: &str, tags: &[String]) -> bool {
        (self.types.is_empty() || self.types.iter().any(|t| t == event_type))
            && self.tags.iter().all(|tag| tags.contains(tag))
    }

    /// One item for each type, because the store has an index of tags and none of types: a tag
    /// that names the type, or type and tag, leads straight to the events.
    ///
    /// The types stay in the item. The store compares them after it has loaded an event, so a
    /// type that looks like another type with a tag finds nothing that is not its own.
    fn plan(&self) -> Vec<DcbQueryItem> {
        if self.types.is_empty() {
            return vec![DcbQueryItem {
                types: Vec::new(),
                tags: self.tags.clone(),
            }];
        }
        let item = |event_type: &String| DcbQueryItem {
            types: vec![event_type.clone()],
            tags: if self.tags.is_empty() {
                vec![envelope::type_tag(event_type)]
            } else {
                self.tags
                    .iter()
                    .map(|tag| envelope::pair_tag(event_type, tag))
                    .collect()
            },
        };
        self.types.iter().map(item).collect()
    }
}

impl EventFilter {
    /// The filter without its correlation id, as a query.
    pub(super) fn query(&self) -> Query {
        Query {
            items: vec![QueryItem {
                types: self.types.clone(),
                tags: self.tags.clone(),
            }],
        }
    }
}

/// A query in the store's terms. To the store, a query without items is all events.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    Nothing,
    All,
    Matching(DcbQuery),
}

impl Plan {
    /// Everything that carries this one tag, reserved or not.
    pub(super) fn tagged(tag: String) -> Self {
        Self::Matching(DcbQuery {
            items: vec![DcbQueryItem {
                types: Vec::new(),
                tags: vec![tag],
            }],
        })
    }

    /// What this plan or the given tag matches.
    pub(super) fn or_tagged(self, tag: String) -> Self {
        match self {
            Self::Nothing => Self::tagged(tag),
            Self::All => Self::All,
            Self::Matching(mut query) => {
                query.items.push(DcbQueryItem {
                    types: Vec::new(),
                    tags: vec![tag],
                });
                Self::Matching(query)
            }
        }
    }
}

/// Checks the name of an event type.
pub(super) fn check_type(event_type: &str) -> Result<(), Invalid> {
    if event_type.is_empty() {
        return Err(Invalid::EmptyType);
    }
    if event_type.len() > limits::EVENT_TYPE_BYTES {
        return Err(Invalid::TypeTooLong {
            text: shorten(event_type),
            bytes: event_type.len(),
        });
    }
    check_characters(event_type)
}

/// Checks a tag that came from outside of the host.
pub(crate) fn check_tag(tag: &str) -> Result<(), Invalid> {
    if envelope::is_reserved(tag) {
        return Err(Invalid::ReservedTag { tag: shorten(tag) });
    }
    if tag.split_once(':').is_none_or(|(name, _)| name.is_empty()) {
        return Err(Invalid::MalformedTag { tag: shorten(tag) });
    }
    if tag.len() > limits::TAG_BYTES {
        return Err(Invalid::TagTooLong {
            tag: shorten(tag),
            bytes: tag.len(),
        });
    }
    check_characters(tag)
}

fn check_characters(text: &str) -> Result<(), Invalid> {
    if text.chars().any(char::is_control) {
        return Err(Invalid::ControlCharacter {
            text: shorten(text),
        });
    }
    Ok(())
}

/// As much of a guest's text as an error message should carry.
pub(super) fn shorten(text: &str) -> String {
    const SHOWN_CHARS: usize = 80;
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
