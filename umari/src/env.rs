//! Configuration: the variables that an operator sets for a module.

use crate::host::{self, Host};

/// The value of a variable.
///
/// # Errors
///
/// A [`VarError`] where it is not set.
#[track_caller]
pub fn var(name: impl AsRef<str>) -> Result<String, VarError> {
    let name = name.as_ref();
    host::with(|host| Host::env(host, name)).ok_or_else(|| VarError {
        name: name.to_owned(),
    })
}

/// A variable that is not set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("environment variable `{name}` is not set")]
#[non_exhaustive]
pub struct VarError {
    /// Its name.
    pub name: String,
}
