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
