//! A command's own "no", with a word that machines understand.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Why a command's own rules say no, for people and for programs.
///
/// A plain error, by `anyhow::ensure!` or `bail!`, rejects too; its code is then
/// [`Rejection::UNCODED`]. Return a `Rejection` where a caller should be able to act on the reason: over
/// HTTP it is a problem document whose `code` and `details` are the rejection's own.
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
///
/// fn reserve(wanted: u32, free: u32) -> anyhow::Result<u32> {
///     if wanted > free {
///         return Err(Rejection::new("sold-out", format!("only {free} seats are free"))
///             .with("free", free)
///             .into());
///     }
///     Ok(free - wanted)
/// }
///
/// let error = reserve(3, 1).unwrap_err().context("reserving seats");
/// let rejection = error.downcast_ref::<Rejection>().unwrap();
/// assert_eq!(rejection.code, "sold-out");
/// assert_eq!(rejection.details.as_ref().unwrap()["free"], 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rejection {
    /// A stable word for the rule that said no, in lowercase words joined by `-`, as `sold-out`.
    pub code: Cow<'static, str>,
    /// What the rule says, for people.
    pub message: String,
    /// What a program needs to know besides; a JSON object.
    pub details: Option<Map<String, Value>>,
}

impl Rejection {
    /// The code of a rejection that was given none.
    pub const UNCODED: &'static str = "rejected";

    /// A rejection without details.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            details: None,
        }
    }

    /// A rejection by an error that has no code.
    pub(crate) fn uncoded(message: impl Into<String>) -> Self {
        Self::new(Self::UNCODED, message)
    }

    /// Adds a detail.
    ///
    /// # Panics
    ///
    /// Panics where the value cannot be JSON, such as a map whose keys are no text.
    #[must_use]
    #[track_caller]
    pub fn with(mut self, name: impl Into<String>, value: impl Serialize) -> Self {
        let name = name.into();
        match serde_json::to_value(&value) {
            Ok(value) => {
                self.details.get_or_insert_default().insert(name, value);
            }
            Err(error) => panic!("the detail `{name}` of a rejection is no JSON: {error}"),
        }
        self
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Rejection {}
