//! How a `#[domain_id]` field is read and written, by what its type can do.
//!
//! A derive sees the tokens of a type, not its traits. It writes `(&&&&Probe::of(..)).kind()`, and the
//! compiler takes the first of these traits that fits, since a method of a value is found before
//! that of what it refers to. The last one fits every type and asks for what the type does not have,
//! so that a field of a wrong type is one error, in our words. All this is here rather than among the
//! private items because messages name it.

use std::collections::HashSet;
use std::marker::PhantomData;

use crate::domain_id::{
    DomainIdValue, DomainIdValues, FromDomainIdValue, FromDomainIdValues, FromDomainIdsError,
    ParseDomainIdError, listed, single, tag,
};

/// Stands for a type.
#[derive(Debug)]
pub struct Probe<T: ?Sized>(PhantomData<fn(&T)>);

impl<T: ?Sized> Probe<T> {
    /// Stands for the type of a value.
    #[must_use]
    pub const fn of(_: &T) -> Self {
        Self(PhantomData)
    }

    #[must_use]
    #[expect(clippy::new_without_default, reason = "written by a macro alone")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// One value.
#[derive(Debug)]
pub struct One;

/// None or one.
#[derive(Debug)]
pub struct Optional;

/// Any number, in an order that is not the same twice.
#[derive(Debug)]
pub struct Unordered;

/// Any number.
#[derive(Debug)]
pub struct Many;

/// Nothing that can be a domain id.
#[derive(Debug)]
pub struct Unfit;

pub trait OneKind {
    fn kind(&self) -> One;
}

impl<T: DomainIdValue + ?Sized> OneKind for &&&Probe<T> {
    fn kind(&self) -> One {
        One
    }
}

pub trait KnownKind {
    type Kind;
    fn kind(&self) -> Self::Kind;
}

impl<T: DomainIdValue> KnownKind for &&Probe<Option<T>> {
    type Kind = Optional;
    fn kind(&self) -> Optional {
        Optional
    }
}

impl<T: DomainIdValue, S> KnownKind for &&Probe<HashSet<T, S>> {
    type Kind = Unordered;
    fn kind(&self) -> Unordered {
        Unordered
    }
}

pub trait ManyKind {
    fn kind(&self) -> Many;
}

impl<C: ?Sized> ManyKind for &Probe<C>
where
    for<'a> &'a C: IntoIterator<Item: DomainIdValue>,
{
    fn kind(&self) -> Many {
        Many
    }
}

pub trait UnfitKind {
    fn kind(&self) -> Unfit;
}

impl<T: ?Sized> UnfitKind for Probe<T> {
    fn kind(&self) -> Unfit {
        Unfit
    }
}

/// What `#[from_domain_id(default)]` makes: the default of a field.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no default, which `#[from_domain_id(default)]` asks for",
    label = "no `Default`",
    note = "add `Default` to the derives of `{Self}`, or leave the attribute out: the field is then an argument of `.fold_args(..)`"
)]
pub trait DefaultField {
    fn by_default() -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: Default> DefaultField for T {
    fn by_default() -> T {
        T::default()
    }
}

/// Asked for where an encryption scope has more than one value; nothing has it.
#[diagnostic::on_unimplemented(
    message = "an event is encrypted under one scope, and `{Self}` has any number of values",
    label = "more than one value",
    note = "mark a domain id with one value `#[crypto_scope]`"
)]
pub trait EncryptionScopeField {}

impl One {
    pub fn bind<T: DomainIdValue + ?Sized>(
        self,
        value: &T,
        name: &'static str,
        into: &mut DomainIdValues,
    ) {
        into.push(name, value.domain_id());
    }

    #[must_use]
    pub fn scope<T: DomainIdValue + ?Sized>(self, value: &T, name: &str) -> Option<String> {
        Some(tag(name, &value.domain_id()))
    }
}

impl Optional {
    pub fn bind<T: DomainIdValue>(
        self,
        value: &Option<T>,
        name: &'static str,
        into: &mut DomainIdValues,
    ) {
        into.declare_single(name);
        if let Some(value) = value {
            into.push(name, value.domain_id());
        }
    }

    #[must_use]
    pub fn scope<T: DomainIdValue>(self, value: &Option<T>, name: &str) -> Option<String> {
        Some(tag(name, &value.as_ref()?.domain_id()))
    }
}

impl Unordered {
    pub fn bind<T: DomainIdValue, S>(
        self,
        values: &HashSet<T, S>,
        name: &'static str,
        into: &mut DomainIdValues,
    ) {
        let mut texts: Vec<_> = values.iter().map(DomainIdValue::domain_id).collect();
        texts.sort_unstable();
        into.declare_plural(name);
        for text in texts {
            into.push(name, text);
        }
    }

    #[must_use]
    pub fn scope<C: EncryptionScopeField>(self, _: &C, _: &str) -> Option<String> {
        None
    }
}

impl Many {
    pub fn bind<'a, C: ?Sized>(self, values: &'a C, name: &'static str, into: &mut DomainIdValues)
    where
        &'a C: IntoIterator<Item: DomainIdValue>,
    {
        into.declare_plural(name);
        for value in values {
            into.push(name, value.domain_id());
        }
    }

    #[must_use]
    pub fn scope<C: EncryptionScopeField + ?Sized>(self, _: &C, _: &str) -> Option<String> {
        None
    }
}

impl Unfit {
    pub fn bind<T: DomainIdValue + ?Sized>(self, _: &T, _: &'static str, _: &mut DomainIdValues) {}

    /// The field's derive of `DomainIds` reports the type.
    #[must_use]
    pub fn scope<T: ?Sized>(self, _: &T, _: &str) -> Option<String> {
        None
    }
}

pub trait ReadOne<T> {
    fn read(&self, values: &[String]) -> Result<T, ParseDomainIdError>;
}

impl<T: FromDomainIdValue> ReadOne<T> for &&Probe<T> {
    fn read(&self, values: &[String]) -> Result<T, ParseDomainIdError> {
        single(values)
    }
}

pub trait ReadMany<T> {
    fn read(&self, values: &[String]) -> Result<T, ParseDomainIdError>;
}

impl<T: FromDomainIdValues> ReadMany<T> for &Probe<T> {
    fn read(&self, values: &[String]) -> Result<T, ParseDomainIdError> {
        T::from_values(values)
    }
}

pub trait ReadNothing<T> {
    fn read(&self, values: &[String]) -> Result<T, ParseDomainIdError>
    where
        T: FromDomainIdValue;
}

impl<T> ReadNothing<T> for Probe<T> {
    fn read(&self, _: &[String]) -> Result<T, ParseDomainIdError>
    where
        T: FromDomainIdValue,
    {
        Err(ParseDomainIdError::Missing)
    }
}

/// Says which field could not be read.
pub fn bound<T>(
    read: Result<T, ParseDomainIdError>,
    field: &'static str,
    values: &DomainIdValues,
) -> Result<T, FromDomainIdsError> {
    read.map_err(|error| match error {
        ParseDomainIdError::Missing => FromDomainIdsError::Missing { field },
        ParseDomainIdError::Mismatch { expected } => FromDomainIdsError::Mismatch {
            field,
            value: listed(values.get(field).iter().map(String::as_str)),
            expected,
        },
        ParseDomainIdError::Count { expected, found } => FromDomainIdsError::Count {
            field,
            expected,
            found,
        },
    })
}
