//! From the wire to a command's input, and what is said about input that does not fit.

use std::error::Error;
use std::fmt;

use serde::de::DeserializeOwned;

use super::{CommandContext, CommandError, ExecuteError, ExecuteOutput};
use crate::fold::FoldError;

mod path;
#[cfg(feature = "validator")]
mod validation;

/// Input that is not what a command takes.
#[cfg_attr(not(target_family = "wasm"), derive(Debug))]
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct InvalidInput {
    /// Everything that is wrong; never empty.
    pub violations: Vec<Violation>,
}

/// One thing that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Violation {
    /// Path of the field from the input's root, such as `lines[2].price`; empty for the input as
    /// a whole.
    pub field: String,
    /// A stable word for the broken rule, such as `length` or `missing`.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

impl fmt::Display for InvalidInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("invalid input")?;
        for (index, violation) in self.violations.iter().enumerate() {
            f.write_str(if index == 0 { ": " } else { "; " })?;
            if !violation.field.is_empty() {
                write!(f, "{}: ", violation.field)?;
            }
            f.write_str(&violation.message)?;
        }
        Ok(())
    }
}

impl Error for InvalidInput {}

impl InvalidInput {
    fn one(field: impl Into<String>, code: &str, message: impl Into<String>) -> Self {
        let violation = Violation {
            field: field.into(),
            code: code.to_owned(),
            message: message.into(),
        };
        Self {
            violations: vec![violation],
        }
    }

    /// What `cause` says about the input, if that is what it is about.
    pub(super) fn find(cause: &(dyn Error + 'static)) -> Option<Self> {
        #[cfg(feature = "validator")]
        if let Some(errors) = cause.downcast_ref::<validator::ValidationErrors>() {
            return Some(validation::flatten(errors));
        }
        if let Some(invalid) = cause.downcast_ref::<Self>() {
            return Some(invalid.clone());
        }
        let fold = match cause.downcast_ref::<CommandError>() {
            Some(CommandError::Invalid(invalid)) => return Some(invalid.clone()),
            Some(CommandError::Fold(fold)) => fold,
            Some(_) => return None,
            None => cause.downcast_ref::<FoldError>()?,
        };
        match fold {
            FoldError::MissingBinding { field, .. } => {
                Some(Self::one(*field, "missing", fold.to_string()))
            }
            FoldError::Build { source, .. } => Some(Self::one(
                source.field(),
                "domain_id",
                format!("{fold}: {source}"),
            )),
            FoldError::NothingShared { .. } => Some(Self::one("", "domain_id", fold.to_string())),
            _ => None,
        }
    }
}

/// Reads a command's input from JSON text.
///
/// # Errors
///
/// [`CommandError::Invalid`] with the path of the field that does not fit.
///
/// # Examples
///
/// ```
/// use umari::command::{CommandError, decode_input};
///
/// #[derive(Debug, serde::Deserialize)]
/// struct Line { price: u32 }
/// #[derive(Debug, serde::Deserialize)]
/// struct Input { lines: Vec<Line> }
///
/// let Err(CommandError::Invalid(invalid)) =
///     decode_input::<Input>(r#"{"lines": [{"price": 1}, {"price": "two"}]}"#)
/// else {
///     panic!("a price is a number");
/// };
/// assert_eq!(invalid.violations[0].field, "lines[1].price");
/// ```
pub fn decode_input<I: DeserializeOwned>(json: &str) -> Result<I, CommandError> {
    let read = |text: &str| serde_json::from_str::<I>(text);
    read(json).map_err(|error| does_not_fit(&error, json, &mut |text| read(text).err()).into())
}

fn does_not_fit(
    error: &serde_json::Error,
    json: &str,
    read: &mut dyn FnMut(&str) -> Option<serde_json::Error>,
) -> InvalidInput {
    if !error.is_data() {
        return InvalidInput::one("", "json", error.to_string());
    }
    let path = path::of(error, json, read);
    let text = error.to_string();
    // The place in the text helps nobody who is told the path.
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = text.strip_suffix(&place).unwrap_or(&text);
    // serde names a missing field in its message alone.
    let missing = message
        .strip_prefix("missing field `")
        .and_then(|rest| rest.strip_suffix('`'));
    match missing {
        Some(field) if path.is_empty() => InvalidInput::one(field, "missing", message),
        Some(field) => InvalidInput::one(format!("{path}.{field}"), "missing", message),
        None if message.starts_with("unknown field") => InvalidInput::one(path, "unknown", message),
        None => InvalidInput::one(path, "type", message),
    }
}

/// Executes a command as its exported form does: decodes the input, calls, and sorts the error.
///
/// # Errors
///
/// An [`ExecuteError`] with the class that the caller over the wire is told.
pub fn execute_json<I: DeserializeOwned>(
    json: &str,
    context: CommandContext,
    command: impl FnOnce(I, CommandContext) -> anyhow::Result<ExecuteOutput>,
) -> Result<ExecuteOutput, ExecuteError> {
    decode_input(json)
        .map_err(anyhow::Error::from)
        .and_then(|input| command(input, context))
        .map_err(|error| ExecuteError::classify(&error))
}
