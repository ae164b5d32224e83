//! Which value each of a statement's parameters is bound to.
//!
//! SQLite takes NULL for a parameter that nobody bound; a module is told instead.

use std::collections::{HashMap, HashSet};

use rusqlite::{Error, Statement};

use super::values::refused;
use crate::bindings::sqlite_wit as wit;

/// The values in the order of the statement's parameters, one for each.
pub(super) fn order<'a>(
    statement: &Statement<'_>,
    params: &'a wit::Params,
) -> Result<Vec<&'a wit::Value>, Error> {
    match params {
        wit::Params::Positional(values) => by_position(statement, values),
        wit::Params::Named(values) => {
            let named = values
                .iter()
                .map(|named| (named.name.as_str(), &named.value));
            by_name(statement, named)
        }
    }
    .map_err(refused)
}

/// A statement of a batch, which nothing can be bound to.
pub(super) fn none(statement: &Statement<'_>) -> Result<(), Error> {
    match statement.parameter_count() {
        0 => Ok(()),
        _ => Err(refused(
            "a batch has no parameters; run the statement that has them with `execute`".to_owned(),
        )),
    }
}

/// Positional values, of which there must be as many as there are parameters.
pub(crate) fn by_position<'a, T>(
    statement: &Statement<'_>,
    values: &'a [T],
) -> Result<Vec<&'a T>, String> {
    let count = statement.parameter_count();
    if values.len() == count {
        return Ok(values.iter().collect());
    }
    Err(format!(
        "the statement has {}, but {} given",
        match count {
            0 => "no parameters".to_owned(),
            1 => "1 parameter".to_owned(),
            count => format!("{count} parameters"),
        },
        match values.len() {
            0 => "no value is".to_owned(),
            1 => "1 value is".to_owned(),
            count => format!("{count} values are"),
        },
    ))
}

/// Values by the parameters' names, with the prefix that the statement gives them.
pub(crate) fn by_name<'a, T>(
    statement: &Statement<'_>,
    values: impl IntoIterator<Item = (&'a str, &'a T)>,
) -> Result<Vec<&'a T>, String> {
    let mut names = Vec::new();
    for index in 1..=statement.parameter_count() {
        match statement.parameter_name(index) {
            Some(name) if has_prefix(name) => names.push(name),
            _ => {
                return Err(format!(
                    "parameter {index} of the statement has no name; write it as `:name`, or give \
                     the values by position"
                ));
            }
        }
    }
    let mut given = HashMap::new();
    let mut in_order = Vec::new();
    for (name, value) in values {
        if !has_prefix(name) {
            return Err(format!(
                "the parameter name `{name}` has no prefix; write it as the statement does, with \
                 its `:`, `@` or `$`"
            ));
        }
        if given.insert(name, value).is_some() {
            return Err(format!("the parameter `{name}` is given twice"));
        }
        in_order.push(name);
    }
    // A misspelt name is also a parameter without a value; its own spelling says more.
    let known: HashSet<_> = names.iter().copied().collect();
    if let Some(name) = in_order.into_iter().find(|name| !known.contains(name)) {
        return Err(format!(
            "the statement has no parameter `{name}`; it has: {}",
            if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            }
        ));
    }
    names
        .iter()
        .map(|name| {
            given
                .get(name)
                .copied()
                .ok_or_else(|| format!("the parameter `{name}` of the statement is given no value"))
        })
        .collect()
}

/// Whether a name is one that a statement can use; SQLite calls `?1` a name too.
fn has_prefix(name: &str) -> bool {
    name.starts_with([':', '@', '$'])
}
