//! The domain ids of one value, with all their values.

use std::fmt;
use std::sync::Arc;

use super::{DomainIdBindings, tag};

/// Domain ids by name, in the order of their fields, with every value that each has.
///
/// A plural field, such as `Vec<Uuid>`, gives its name several values, and so do two fields that
/// share a name. In a query several values mean "any of these".
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
///
/// #[derive(DomainIds)]
/// struct Rename {
///     #[domain_id("username")]
///     from: String,
///     #[domain_id("username")]
///     to: String,
/// }
///
/// let rename = Rename { from: "ann".to_owned(), to: "bea".to_owned() };
/// assert_eq!(rename.domain_id_values().get("username"), ["ann", "bea"]);
/// // As a map, which has room for one, it is the first.
/// assert_eq!(rename.domain_ids()["username"], "ann");
/// ```
#[derive(Clone, Default)]
pub struct DomainIdValues {
    /// Shared, since each fold of a command reads by those of its input; absent while there is
    /// none.
    entries: Option<Arc<Vec<Entry>>>,
}

/// What a name selects by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Binding<'a> {
    /// Nobody meant to select by it.
    Undeclared,
    /// It should have a value and has none.
    Missing,
    /// Any of these; none only of a plural name, which then selects nothing.
    AnyOf(&'a [String]),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    name: &'static str,
    values: Values,
    /// Whether having no value means "none of them" rather than "forgotten".
    plural: bool,
}

/// Mostly one.
#[derive(Debug, Clone)]
enum Values {
    One(String),
    Many(Vec<String>),
}

impl Values {
    const NONE: Self = Self::Many(Vec::new());

    fn all(&self) -> &[String] {
        match self {
            Self::One(value) => std::slice::from_ref(value),
            Self::Many(values) => values,
        }
    }

    /// Adds a value that is not there.
    fn push(&mut self, value: String) {
        *self = match std::mem::replace(self, Self::NONE) {
            Self::One(first) => Self::Many(vec![first, value]),
            Self::Many(values) if values.is_empty() => Self::One(value),
            Self::Many(mut values) => {
                values.push(value);
                Self::Many(values)
            }
        };
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.all() == other.all()
    }
}

impl Eq for Values {}

impl DomainIdValues {
    /// No domain ids.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: None }
    }

    /// None yet, and room for those of `fields`.
    #[doc(hidden)]
    #[must_use]
    pub fn for_fields(fields: &[&'static str]) -> Self {
        Self {
            entries: Some(Arc::new(Vec::with_capacity(fields.len()))),
        }
    }

    fn entries(&self) -> &[Entry] {
        self.entries.as_ref().map_or(&[], |entries| entries)
    }

    /// Adds a value to those of `name`. One that is there already is not added again.
    pub fn push(&mut self, name: &'static str, value: impl Into<String>) {
        let value = value.into();
        let entries = self.entries_mut();
        match entries.iter_mut().find(|entry| is_name(entry.name, name)) {
            Some(entry) if entry.values.all().contains(&value) => {}
            Some(entry) => entry.values.push(value),
            None => entries.push(Entry {
                name,
                values: Values::One(value),
                plural: false,
            }),
        }
    }

    /// Says that there may be any number of values of `name`: a reader by a plural name without
    /// values reads nothing, where one by a name that was forgotten is refused.
    pub fn declare_plural(&mut self, name: &'static str) {
        self.declare(name).plural = true;
    }

    fn declare(&mut self, name: &'static str) -> &mut Entry {
        let entries = self.entries_mut();
        let known = entries.iter().position(|entry| is_name(entry.name, name));
        let place = known.unwrap_or(entries.len());
        if known.is_none() {
            entries.push(Entry {
                name,
                values: Values::NONE,
                plural: false,
            });
        }
        &mut entries[place]
    }

    fn entries_mut(&mut self) -> &mut Vec<Entry> {
        Arc::make_mut(self.entries.get_or_insert_default())
    }

    /// Says that `name` is meant to be bound, even where it has no value.
    pub(crate) fn declare_single(&mut self, name: &'static str) {
        self.declare(name);
    }

    /// Every value of `name`; empty where there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &[String] {
        self.find(name).map_or(&[], |entry| entry.values.all())
    }

    /// Each name with each of its values.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.entries().iter().flat_map(|entry| {
            entry
                .values
                .all()
                .iter()
                .map(|value| (entry.name, value.as_str()))
        })
    }

    /// Each name with each of its values as a tag, `name:value`.
    #[must_use]
    pub fn tags(&self) -> Vec<String> {
        self.iter().map(|(name, value)| tag(name, value)).collect()
    }

    /// The names that are meant to be bound, whether or not they have a value.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.entries().iter().map(|entry| entry.name)
    }

    /// What `name` selects by.
    pub(crate) fn binding(&self, name: &str) -> Binding<'_> {
        match self.find(name) {
            None => Binding::Undeclared,
            Some(entry) => match entry.values.all() {
                [] if !entry.plural => Binding::Missing,
                values => Binding::AnyOf(values),
            },
        }
    }

    #[cfg(test)]
    pub(crate) fn entry_is_plural(&self, name: &str) -> bool {
        self.find(name).is_some_and(|entry| entry.plural)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries().is_empty()
    }

    /// Only what `names` has.
    pub(crate) fn restricted(&self, names: &[&str]) -> Self {
        let mut kept = self.clone();
        let is_kept = |entry: &Entry| names.iter().any(|name| is_name(entry.name, name));
        if let Some(entries) = &mut kept.entries
            && !entries.iter().all(is_kept)
        {
            *entries = Arc::new(
                entries
                    .iter()
                    .filter(|entry| is_kept(entry))
                    .cloned()
                    .collect(),
            );
        }
        kept
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        self.entries()
            .iter()
            .find(|entry| is_name(entry.name, name))
    }
}

/// Whether two names are the same. They are looked up several times for each query, mostly in
/// vain or as the very same literal, so both are told before anything is called.
fn is_name(one: &str, other: &str) -> bool {
    let begins_alike = || one.as_bytes().first() == other.as_bytes().first();
    std::ptr::eq(one, other) || (one.len() == other.len() && begins_alike() && one == other)
}

impl PartialEq for DomainIdValues {
    fn eq(&self, other: &Self) -> bool {
        self.entries() == other.entries()
    }
}

impl Eq for DomainIdValues {}

impl fmt::Debug for DomainIdValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.entries().iter();
        f.debug_map()
            .entries(entries.map(|entry| (entry.name, entry.values.all())))
            .finish()
    }
}

/// Each name with its first value.
impl From<&DomainIdValues> for DomainIdBindings {
    fn from(values: &DomainIdValues) -> Self {
        let first = |entry: &Entry| Some((entry.name, entry.values.all().first()?.clone()));
        values.entries().iter().filter_map(first).collect()
    }
}

impl From<&DomainIdBindings> for DomainIdValues {
    fn from(bindings: &DomainIdBindings) -> Self {
        let mut values = Self::new();
        for (name, value) in bindings {
            values.push(name, value);
        }
        values
    }
}
