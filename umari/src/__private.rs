//! What the macros write into module crates. Not part of the public API.

use std::marker::PhantomData;

pub use serde_json::Value;

use crate::command::CommandContext;
use crate::domain_id::{
    DomainIdBindings, DomainIdValue, FromDomainIdValue, FromDomainIdsError, ParseDomainIdError, tag,
};
use crate::event::EventSet;

mod record;
#[cfg(target_family = "wasm")]
mod wasm;

pub use record::Record;
#[cfg(target_family = "wasm")]
pub use wasm::*;

/// Enters an exported command.
#[must_use]
pub fn enter_command(context: CommandContext, name: &'static str) -> CommandContext {
    context.named(name)
}

/// Whether two texts are equal, at compile time.
#[must_use]
pub const fn same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len() != b.len() {
        return false;
    }
    let mut index = 0;
    while index < a.len() {
        if a[index] != b[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Whether `fields` has `field`, at compile time.
#[must_use]
pub const fn contains(fields: &[&str], field: &str) -> bool {
    let mut index = 0;
    while index < fields.len() {
        if same(fields[index], field) {
            return true;
        }
        index += 1;
    }
    false
}

/// Finds the JSON Schema of `T` if it has one: the method of a value is found before that of a
/// reference to it.
#[derive(Debug)]
pub struct SchemaOf<T>(PhantomData<fn() -> T>);

impl<T> SchemaOf<T> {
    #[must_use]
    #[expect(clippy::new_without_default, reason = "written by a macro alone")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// For inputs with a schema.
#[cfg(feature = "schemars")]
pub trait KnownSchema {
    fn schema(&self) -> Option<String>;
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> KnownSchema for SchemaOf<T> {
    fn schema(&self) -> Option<String> {
        serde_json::to_string(&schemars::schema_for!(T)).ok()
    }
}

/// For all others.
pub trait UnknownSchema {
    fn schema(&self) -> Option<String>;
}

impl<T> UnknownSchema for &SchemaOf<T> {
    fn schema(&self) -> Option<String> {
        None
    }
}

/// Reads one field of a fold from the bindings.
pub fn bound<T: FromDomainIdValue>(
    field: &'static str,
    bindings: &DomainIdBindings,
) -> Result<T, FromDomainIdsError> {
    let value = bindings.get(field).map(String::as_str);
    T::from_domain_id_values(value.as_slice()).map_err(|error| match error {
        ParseDomainIdError::Missing => FromDomainIdsError::Missing { field },
        ParseDomainIdError::Mismatch { expected } => FromDomainIdsError::Mismatch {
            field,
            value: value.unwrap_or_default().to_owned(),
            expected,
        },
    })
}

/// The encryption scope that one field gives its event.
#[must_use]
pub fn encryption_scope(name: &str, value: &impl DomainIdValue) -> Option<String> {
    let mut scope = None;
    value.each_domain_id(&mut |value| scope = Some(tag(name, &value)));
    scope
}

/// Refuses event sets that a reader without bindings cannot read.
pub const fn assert_no_bindings<S: EventSet>() {
    assert!(
        !S::NEEDS_BINDINGS,
        "projectors and effects have no domain ids to bind: a `#[scope(field)]` in their event \
         set needs a value, as in `#[scope(topic = \"orders/paid\")]`"
    );
}
