//! Which types can be domain ids.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::fmt::Display;
use std::hash::{BuildHasher, Hash};
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;

/// A type whose values can be domain ids: everything that displays.
///
/// What it displays is the value in the tag, so it must not change between releases. A
/// `#[domain_id]` field may also be an [`Option`], a `Vec`, an array or a set of such a type.
///
/// # Examples
///
/// ```
/// use std::fmt;
/// use umari::prelude::*;
///
/// struct ShopId(u64);
///
/// impl fmt::Display for ShopId {
///     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
///         self.0.fmt(f)
///     }
/// }
///
/// #[derive(DomainIds)]
/// struct Input {
///     #[domain_id]
///     shop_id: ShopId,
///     #[domain_id("product_id")]
///     products: Vec<u32>,
/// }
///
/// let input = Input { shop_id: ShopId(42), products: vec![7, 8] };
/// assert_eq!(input.domain_id_values().tags(), ["shop_id:42", "product_id:7", "product_id:8"]);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a domain id",
    label = "not a domain id",
    note = "a domain id is a type with `Display`, or an `Option`, `Vec`, array or set of one"
)]
pub trait DomainIdValue {
    /// The value as it stands in the tag.
    fn domain_id(&self) -> String;
}

#[diagnostic::do_not_recommend]
impl<T: Display + ?Sized> DomainIdValue for T {
    fn domain_id(&self) -> String {
        self.to_string()
    }
}

/// A type that can be read back from a domain id, for `#[derive(FromDomainIds)]`: everything with
/// [`FromStr`]. A field may also be an [`Option`], a `Vec`, an array or a set of such a type.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a domain id",
    label = "cannot be read from a domain id",
    note = "a domain id is read into a type with `FromStr`, or an `Option`, `Vec`, array or set of one; \
            mark a field that is none `#[from_domain_id(default)]`"
)]
pub trait FromDomainIdValue: Sized {
    /// Reads the value from its text.
    ///
    /// # Errors
    ///
    /// A [`ParseDomainIdError`] when the text is no such value.
    fn from_domain_id(value: &str) -> Result<Self, ParseDomainIdError>;
}

#[diagnostic::do_not_recommend]
impl<T: FromStr> FromDomainIdValue for T {
    fn from_domain_id(value: &str) -> Result<Self, ParseDomainIdError> {
        value
            .parse()
            .map_err(|_| ParseDomainIdError::mismatch::<T>())
    }
}

/// Why a domain id could not be read.
#[cfg_attr(not(target_family = "wasm"), derive(Debug))]
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseDomainIdError {
    /// No value is bound.
    #[error("no value is bound")]
    Missing,
    /// The value has another type.
    #[error("the value is no `{expected}`")]
    Mismatch {
        /// The type that was wanted.
        expected: &'static str,
    },
    /// There are more, or fewer, values than the field holds.
    #[error("{found} values are bound, not {expected}")]
    Count {
        /// How many the field holds.
        expected: usize,
        /// How many there are.
        found: usize,
    },
}

impl ParseDomainIdError {
    pub(crate) fn mismatch<T>() -> Self {
        let name = std::any::type_name::<T>();
        // `alloc::string::String` is `String` to everybody who reads the message.
        // Without a search for `::`, which is more code.
        let expected = match name.rsplit(':').next() {
            Some(last) if !name.contains('<') => last,
            _ => name,
        };
        Self::Mismatch { expected }
    }
}

/// The types besides those with `FromStr` that a field can be read as.
#[doc(hidden)]
pub trait FromDomainIdValues: Sized {
    fn from_values(values: &[String]) -> Result<Self, ParseDomainIdError>;
}

/// The only one of `values`.
pub(crate) fn single<T: FromDomainIdValue>(values: &[String]) -> Result<T, ParseDomainIdError> {
    match values {
        [] => Err(ParseDomainIdError::Missing),
        [value] => T::from_domain_id(value),
        several => Err(ParseDomainIdError::Count {
            expected: 1,
            found: several.len(),
        }),
    }
}

fn each<T: FromDomainIdValue, C: FromIterator<T>>(
    values: &[String],
) -> Result<C, ParseDomainIdError> {
    values
        .iter()
        .map(|value| T::from_domain_id(value))
        .collect()
}

impl<T: FromDomainIdValue> FromDomainIdValues for Option<T> {
    fn from_values(values: &[String]) -> Result<Self, ParseDomainIdError> {
        match values {
            [] => Ok(None),
            values => single(values).map(Some),
        }
    }
}

impl<T: FromDomainIdValue, const N: usize> FromDomainIdValues for [T; N] {
    fn from_values(values: &[String]) -> Result<Self, ParseDomainIdError> {
        let found = values.len();
        each::<T, Vec<T>>(values)?
            .try_into()
            .map_err(|_| ParseDomainIdError::Count { expected: N, found })
    }
}

impl<T: FromDomainIdValue + Eq + Hash, S: BuildHasher + Default> FromDomainIdValues
    for HashSet<T, S>
{
    fn from_values(values: &[String]) -> Result<Self, ParseDomainIdError> {
        each(values)
    }
}

macro_rules! many {
    ($($collection:ty where $($bound:path)?),+ $(,)?) => {$(
        impl<T: FromDomainIdValue $(+ $bound)?> FromDomainIdValues for $collection {
            fn from_values(values: &[String]) -> Result<Self, ParseDomainIdError> {
                each(values)
            }
        }
    )+};
}

many!(Vec<T> where, VecDeque<T> where, BTreeSet<T> where Ord);

macro_rules! texts {
    ($($text:ty),+ $(,)?) => {$(
        impl FromDomainIdValues for $text {
            fn from_values(values: &[String]) -> Result<Self, ParseDomainIdError> {
                single::<String>(values).map(Into::into)
            }
        }
    )+};
}

texts!(Cow<'_, str>, Box<str>, Rc<str>, Arc<str>);
