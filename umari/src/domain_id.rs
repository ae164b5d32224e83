//! Domain ids: the names under which events are found again.

use indexmap::IndexMap;

#[doc(hidden)]
pub mod field;
mod value;
mod values;

pub use value::{DomainIdValue, FromDomainIdValue, ParseDomainIdError};
pub(crate) use values::Binding;
pub use values::DomainIdValues;

pub(crate) use value::{FromDomainIdValues, single};

/// Domain ids by name, in the order of their fields, with one value each.
/// [`DomainIdValues`] has them all.
pub type DomainIdBindings = IndexMap<&'static str, String>;

/// A value that names domain ids: an event, a command's input, or a fold.
///
/// Derive it; each field marked `#[domain_id]` becomes a domain id: one value of it for a type that
/// displays, none or one for an `Option`, any number for a `Vec`, an array or a set.
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
///
/// #[derive(DomainIds)]
/// struct Input {
///     #[domain_id]
///     shop_id: u64,
///     #[domain_id("plan_id")]
///     warranty_plan_id: Option<u64>,
///     title: String,
/// }
///
/// let input = Input { shop_id: 42, warranty_plan_id: None, title: "2 years".to_owned() };
/// assert_eq!(Input::DOMAIN_ID_FIELDS, ["shop_id", "plan_id"]);
/// assert_eq!(input.domain_ids()["shop_id"], "42");
/// assert!(!input.domain_ids().contains_key("plan_id"));
/// # let _ = input.title;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say which domain ids it has",
    label = "this type has no `DomainIds`",
    note = "add `DomainIds` to its derives and mark fields with `#[domain_id]`: events, command inputs and folds need it"
)]
pub trait DomainIds {
    /// The names that a value of this type may bind, in the order of its fields.
    const DOMAIN_ID_FIELDS: &'static [&'static str];

    /// The domain ids that this value binds. A field that holds `None` binds nothing.
    fn domain_ids(&self) -> DomainIdBindings;

    /// The same with every value: a plural field gives its name several.
    fn domain_id_values(&self) -> DomainIdValues {
        let mut values = DomainIdValues::new();
        for name in Self::DOMAIN_ID_FIELDS {
            values.declare_single(name);
        }
        for (name, value) in self.domain_ids() {
            values.push(name, value);
        }
        values
    }
}

/// A fold that can be built from the domain ids of a command's input.
///
/// Derive it. Fields marked `#[domain_id]` are read from the bindings, fields marked
/// `#[from_domain_id(default)]` get their default, and the others are the arguments of
/// [`Command::fold_args`](crate::command::Command::fold_args): one such field makes `Args` its
/// type, several make it a tuple in the order of the fields.
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
///
/// #[derive(DomainIds, FromDomainIds)]
/// struct SoldSince {
///     #[domain_id]
///     shop_id: u64,
///     since: u32,
/// }
///
/// let mut bindings = DomainIdBindings::new();
/// bindings.insert("shop_id", "42".to_owned());
/// let fold = SoldSince::from_domain_ids(2024, &bindings)?;
/// assert_eq!((fold.shop_id, fold.since), (42, 2024));
/// # Ok::<(), FromDomainIdsError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be built from domain ids",
    label = "this fold has no `FromDomainIds`",
    note = "add `FromDomainIds` to its derives, or build it yourself with `.fold_with(|input| ..)`"
)]
pub trait FromDomainIds: Sized {
    /// What is needed besides the domain ids; `()` for nothing.
    type Args;

    /// Builds the value from `bindings`.
    ///
    /// # Errors
    ///
    /// A [`FromDomainIdsError`] when a domain id is not bound, or its value has another type.
    fn from_domain_ids(
        args: Self::Args,
        bindings: &DomainIdBindings,
    ) -> Result<Self, FromDomainIdsError>;

    /// Builds the value from names that may have several values each.
    ///
    /// # Errors
    ///
    /// As [`FromDomainIds::from_domain_ids`], and where several values meet a field for one.
    fn from_domain_id_values(
        args: Self::Args,
        values: &DomainIdValues,
    ) -> Result<Self, FromDomainIdsError> {
        Self::from_domain_ids(args, &values.into())
    }
}

/// Why a value could not be built from domain ids.
#[cfg_attr(not(target_family = "wasm"), derive(Debug))]
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FromDomainIdsError {
    /// Nothing is bound to a domain id that is needed.
    #[error("domain id `{field}` is not bound")]
    Missing {
        /// Its name.
        field: &'static str,
    },
    /// What is bound cannot be read as the field's type.
    #[error("domain id `{field}` is `{value}`, which is no `{expected}`")]
    Mismatch {
        /// Its name.
        field: &'static str,
        /// What is bound.
        value: String,
        /// The field's type.
        expected: &'static str,
    },
    /// A field for some number of values meets another number.
    #[error(
        "domain id `{field}` has {found} values where the fold holds {expected}; \
         one fold for each value is registered with `fold_iter`"
    )]
    Count {
        /// Its name.
        field: &'static str,
        /// How many the field holds.
        expected: usize,
        /// How many are bound.
        found: usize,
    },
}

impl FromDomainIdsError {
    /// The domain id concerned.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            Self::Missing { field } | Self::Mismatch { field, .. } | Self::Count { field, .. } => {
                field
            }
        }
    }
}

/// A tag as the event store holds it.
pub(crate) fn tag(name: &str, value: &str) -> String {
    let mut tag = String::with_capacity(name.len() + 1 + value.len());
    tag.push_str(name);
    tag.push(':');
    tag.push_str(value);
    tag
}

/// Whether a tag is that of `name` and `value`.
pub(crate) fn is_tag(tag: &str, name: &str, value: &str) -> bool {
    let (tag, name) = (tag.as_bytes(), name.as_bytes());
    tag.len() == name.len() + 1 + value.len()
        && tag[name.len()] == b':'
        // What differs between tags of one name is their end.
        && tag.ends_with(value.as_bytes())
        && tag.starts_with(name)
}

/// Names or values one after the other, for messages.
pub(crate) fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let mut list = String::new();
    for word in words {
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(word);
    }
    list
}
