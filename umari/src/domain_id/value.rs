//! Which types can be domain ids.

use std::borrow::Cow;

use uuid::Uuid;

/// A type that can be a domain id.
///
/// A value stands for any number of domain ids of one name: an integer for one, an [`Option`]
/// for none or one. Newtypes of your own implement this by passing on the inner value.
///
/// # Examples
///
/// ```
/// use umari::domain_id::{DomainIdValue, FromDomainIdValue, ParseDomainIdError};
///
/// struct ShopId(u64);
///
/// impl DomainIdValue for ShopId {
///     fn each_domain_id(&self, found: &mut dyn FnMut(String)) {
///         self.0.each_domain_id(found);
///     }
/// }
///
/// impl FromDomainIdValue for ShopId {
///     fn from_domain_id_values(values: &[&str]) -> Result<Self, ParseDomainIdError> {
///         u64::from_domain_id_values(values).map(ShopId)
///     }
/// }
///
/// assert_eq!(ShopId::from_domain_id_values(&["42"])?.0, 42);
/// # Ok::<(), ParseDomainIdError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a domain id",
    label = "not a domain id",
    note = "integers, `bool`, `String`, `&str`, `Uuid` and `Option`s of them can be; for a type of your own implement `umari::domain_id::DomainIdValue`"
)]
pub trait DomainIdValue {
    /// Passes each domain id that this value stands for, as text, to `found`.
    fn each_domain_id(&self, found: &mut dyn FnMut(String));
}

/// A type that can be read back from a domain id, for `#[derive(FromDomainIds)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a domain id",
    label = "cannot be read from a domain id",
    note = "integers, `bool`, `String`, `Uuid` and `Option`s of them can be; for a type of your own implement `umari::domain_id::FromDomainIdValue`, or mark the field `#[from_domain_id(default)]`"
)]
pub trait FromDomainIdValue: Sized {
    /// Reads a value from everything that is bound to one name.
    ///
    /// # Errors
    ///
    /// A [`ParseDomainIdError`] when there are too few or too many values, or one of another type.
    fn from_domain_id_values(values: &[&str]) -> Result<Self, ParseDomainIdError>;
}

/// Why a domain id could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
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
}

/// The only one of `values`.
fn single<'a>(values: &[&'a str], expected: &'static str) -> Result<&'a str, ParseDomainIdError> {
    match values {
        [] => Err(ParseDomainIdError::Missing),
        [value] => Ok(value),
        _ => Err(ParseDomainIdError::Mismatch { expected }),
    }
}

macro_rules! textual {
    ($($type:ty),+ $(,)?) => {$(
        impl DomainIdValue for $type {
            fn each_domain_id(&self, found: &mut dyn FnMut(String)) {
                found(self.to_string());
            }
        }

        impl FromDomainIdValue for $type {
            fn from_domain_id_values(values: &[&str]) -> Result<Self, ParseDomainIdError> {
                let expected = stringify!($type);
                single(values, expected)?
                    .parse()
                    .map_err(|_| ParseDomainIdError::Mismatch { expected })
            }
        }
    )+};
}

textual!(
    u8, u16, u32, u64, u128, usize, i8, i16, i32, i64, i128, isize, bool, char, String, Uuid
);

impl DomainIdValue for str {
    fn each_domain_id(&self, found: &mut dyn FnMut(String)) {
        found(self.to_owned());
    }
}

impl<T: DomainIdValue + ?Sized> DomainIdValue for &T {
    fn each_domain_id(&self, found: &mut dyn FnMut(String)) {
        T::each_domain_id(self, found);
    }
}

impl<T: DomainIdValue + ?Sized> DomainIdValue for Box<T> {
    fn each_domain_id(&self, found: &mut dyn FnMut(String)) {
        T::each_domain_id(self, found);
    }
}

impl DomainIdValue for Cow<'_, str> {
    fn each_domain_id(&self, found: &mut dyn FnMut(String)) {
        found(self.clone().into_owned());
    }
}

impl FromDomainIdValue for Cow<'_, str> {
    fn from_domain_id_values(values: &[&str]) -> Result<Self, ParseDomainIdError> {
        String::from_domain_id_values(values).map(Cow::Owned)
    }
}

impl<T: DomainIdValue> DomainIdValue for Option<T> {
    fn each_domain_id(&self, found: &mut dyn FnMut(String)) {
        if let Some(value) = self {
            value.each_domain_id(found);
        }
    }
}

impl<T: FromDomainIdValue> FromDomainIdValue for Option<T> {
    fn from_domain_id_values(values: &[&str]) -> Result<Self, ParseDomainIdError> {
        if values.is_empty() {
            Ok(None)
        } else {
            T::from_domain_id_values(values).map(Some)
        }
    }
}
