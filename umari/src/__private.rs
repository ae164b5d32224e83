//! What the macros write into module crates. Not part of the public API.

use std::marker::PhantomData;

pub use anyhow;
pub use serde_json::Value;

mod event_set;
mod never;
mod record;
#[cfg(target_family = "wasm")]
mod wasm;

pub use event_set::*;
pub use never::Never;
pub use record::Record;
#[cfg(target_family = "wasm")]
pub use wasm::*;

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

/// For inputs with a schema: none, without the feature.
pub trait KnownSchema {
    fn schema(&self) -> Option<String>;
}

#[cfg(feature = "schemars")]
impl<T: schemars::JsonSchema> KnownSchema for SchemaOf<T> {
    fn schema(&self) -> Option<String> {
        // As a plain value: the schema's own serialiser orders its keywords, for more code.
        Some(schemars::schema_for!(T).as_value().to_string())
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

/// Whether this is how a statement names a parameter, at compile time.
#[must_use]
pub const fn names_parameter(name: &str) -> bool {
    matches!(name.as_bytes(), [b':' | b'@' | b'$', _, ..])
}
