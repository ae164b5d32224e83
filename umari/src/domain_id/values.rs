//! The domain ids of one value, with all their values.

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
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DomainIdValues {
    entries: Vec<Entry>,
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
        Self {
            entries: Vec::new(),
        }
    }

    /// Adds a value to those of `name`. One that is there already is not added again.
    pub fn push(&mut self, name: &'static str, value: impl Into<String>) {
        let entry = self.declare(name);
        let value = value.into();
        if !entry.values.all().contains(&value) {
            entry.values.push(value);
        }
    }

    /// Says that there may be any number of values of `name`: a reader by a plural name without
    /// values reads nothing, where one by a name that was forgotten is refused.
    pub fn declare_plural(&mut self, name: &'static str) {
        self.declare(name).plural = true;
    }

    fn declare(&mut self, name: &'static str) -> &mut Entry {
        let place = match self.entries.iter().position(|entry| entry.name == name) {
            Some(place) => place,
            None => {
                self.entries.push(Entry {
                    name,
                    values: Values::NONE,
                    plural: false,
                });
                self.entries.len() - 1
            }
        };
        &mut self.entries[place]
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
        self.entries.iter().flat_map(|entry| {
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
        self.entries.iter().map(|entry| entry.name)
    }

    /// What `name` selects by: its values (none only for a plural name), or nothing where it has
    /// none and should.
    pub(crate) fn selecting(&self, name: &str) -> Option<&[String]> {
        let entry = self.find(name)?;
        let values = entry.values.all();
        (entry.plural || !values.is_empty()).then_some(values)
    }

    #[cfg(test)]
    pub(crate) fn entry_is_plural(&self, name: &str) -> bool {
        self.find(name).is_some_and(|entry| entry.plural)
    }

    pub(crate) fn declares(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Only what `names` has.
    pub(crate) fn restricted(&self, names: &[&str]) -> Self {
        let kept = self
            .entries
            .iter()
            .filter(|entry| names.contains(&entry.name));
        Self {
            entries: kept.cloned().collect(),
        }
    }

    fn find(&self, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name == name)
    }
}

/// Each name with its first value.
impl From<&DomainIdValues> for DomainIdBindings {
    fn from(values: &DomainIdValues) -> Self {
        let first = |entry: &Entry| Some((entry.name, entry.values.all().first()?.clone()));
        values.entries.iter().filter_map(first).collect()
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
