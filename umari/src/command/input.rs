//! From the wire to a command's input, and what is said about input that does not fit.

use std::error::Error;
use std::fmt;

use serde::de::DeserializeOwned;

use super::{CommandContext, CommandError, ExecuteError, ExecuteOutput};
use crate::fold::FoldError;

/// Input that is not what a command takes.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let input = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        does_not_fit(if path == "." { "" } else { &path }, error.inner())
    })?;
    deserializer
        .end()
        .map_err(|error| does_not_fit("", &error))?;
    Ok(input)
}

fn does_not_fit(path: &str, error: &serde_json::Error) -> InvalidInput {
    if !error.is_data() {
        return InvalidInput::one("", "json", error.to_string());
    }
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

#[cfg(feature = "validator")]
mod validation {
    //! Flattens what the `validator` crate found into paths.

    use std::collections::BinaryHeap;

    use serde_json::Value;
    use validator::{ValidationError, ValidationErrors, ValidationErrorsKind};

    use super::{InvalidInput, Violation};

    pub(super) fn flatten(errors: &ValidationErrors) -> InvalidInput {
        // The crate keeps fields in a hash map. Sorting by a heap is a fraction of the code of
        // `sort`, and every command carries it.
        let mut violations = BinaryHeap::new();
        collect("", errors, &mut violations);
        InvalidInput {
            violations: violations.into_sorted_vec(),
        }
    }

    fn collect(path: &str, errors: &ValidationErrors, into: &mut BinaryHeap<Violation>) {
        for (field, kind) in errors.errors() {
            // The name that `#[validate(schema(..))]` gives to the struct as a whole.
            let field = match (path, &**field) {
                (path, "__all__") => path.to_owned(),
                ("", field) => field.to_owned(),
                (path, field) => format!("{path}.{field}"),
            };
            match kind {
                ValidationErrorsKind::Struct(inner) => collect(&field, inner, into),
                ValidationErrorsKind::List(items) => {
                    for (index, inner) in items {
                        collect(&format!("{field}[{index}]"), inner, into);
                    }
                }
                ValidationErrorsKind::Field(errors) => {
                    into.extend(errors.iter().map(|error| Violation {
                        field: field.clone(),
                        code: error.code.clone().into_owned(),
                        message: message(error),
                    }));
                }
            }
        }
    }

    /// The rule in words. The value itself is left out: it may be a secret.
    fn message(error: &ValidationError) -> String {
        if let Some(message) = &error.message {
            return message.clone().into_owned();
        }
        let limit = |name: &str| match error.params.get(name)? {
            Value::Number(limit) => Some(limit.to_string()),
            Value::String(limit) => Some(limit.clone()),
            _ => None,
        };
        let subject = if error.code == "length" {
            "length must be"
        } else {
            "must be"
        };
        match (limit("equal"), limit("min"), limit("max")) {
            (Some(equal), _, _) => format!("{subject} {equal}"),
            (None, Some(min), Some(max)) => format!("{subject} between {min} and {max}"),
            (None, Some(min), None) => format!("{subject} at least {min}"),
            (None, None, Some(max)) => format!("{subject} at most {max}"),
            (None, None, None) => format!("breaks the rule `{}`", error.code),
        }
    }
}
