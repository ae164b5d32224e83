//! How much a statement does where nothing can stop it.
//!
//! SQLite looks at the deadline where its program jumps back, and so never in a straight line of
//! operations, however many functions with long values are called there. How many there can be
//! is counted in the program itself, which has what triggers, indexes, generated columns and
//! checks add to the SQL.

use std::fmt;

use rusqlite::{Connection, Statement};

use crate::limits;

/// Calls that a match against a pattern counts as: it takes as many passes over its text as the
/// pattern has bytes, short ones.
const PATTERN_CALLS: u32 = 20;

/// A statement that does too much at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyCalls {
    calls: u32,
}

impl fmt::Display for TooManyCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the statement has {} calls of functions, with those of triggers and generated \
             columns, and {PATTERN_CALLS} for each LIKE and GLOB: at most {} are allowed; split it",
            self.calls,
            limits::SQLITE_FUNCTION_CALLS
        )
    }
}

/// Looks at the program of `statement`, whose text is `sql`.
pub(crate) fn check(
    connection: &Connection,
    statement: &Statement<'_>,
    sql: &str,
) -> rusqlite::Result<Result<(), TooManyCalls>> {
    if statement.is_explain() != 0 {
        return Ok(Ok(()));
    }
    let mut program = connection.prepare(&format!("EXPLAIN {sql}"))?;
    // It has the parameters of the statement, and no use for them.
    let mut operations = program.raw_query();
    let mut calls: u32 = 0;
    while let Some(operation) = operations.next()? {
        let opcode = operation.get_ref(1)?.as_str()?;
        let is_call = opcode == "PureFunc" || opcode == "Function" || opcode.starts_with("Agg");
        if is_call {
            let function = operation.get_ref(5)?.as_str_or_null()?.unwrap_or_default();
            let is_pattern = function.starts_with("like(") || function.starts_with("glob(");
            calls = calls.saturating_add(if is_pattern { PATTERN_CALLS } else { 1 });
        }
    }
    Ok(if calls > limits::SQLITE_FUNCTION_CALLS {
        Err(TooManyCalls { calls })
    } else {
        Ok(())
    })
}

#[cfg(test)]
mod tests;
