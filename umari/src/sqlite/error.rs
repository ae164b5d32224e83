//! What a module can recover from, and how the rest is worded.

use std::fmt;

use super::SqliteType;
use crate::host::SqliteFault;
use crate::limits::SQL_SHOWN_CHARS_MAX;

/// A failure of a statement that a module can recover from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// A constraint said no. The statement had no effect; the transaction goes on.
    #[error("{0}")]
    ConstraintViolation(ConstraintViolation),
}

/// A constraint that said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintViolation {
    /// Which sort of constraint.
    pub kind: ConstraintViolationKind,
    /// SQLite's own message.
    pub message: String,
}

impl fmt::Display for ConstraintViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Sorts of constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConstraintViolationKind {
    /// `UNIQUE`.
    Unique,
    /// `PRIMARY KEY`.
    PrimaryKey,
    /// `NOT NULL`.
    NotNull,
    /// `REFERENCES`.
    ForeignKey,
    /// `CHECK`.
    Check,
    /// Any other.
    Other,
}

/// Why a column cannot be read; see [`Row::try_get`](super::Row::try_get).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ColumnError {
    /// The row has no such column.
    #[error("the row has no column {column}; it has: {}{}", .columns.join(", "), In(.sql))]
    #[non_exhaustive]
    NoSuchColumn {
        /// The column that was asked for, in words: its name in backticks, or its place.
        column: String,
        /// The names of the columns that there are.
        columns: Vec<String>,
        /// The beginning of the statement; empty for a row that no statement returned.
        sql: String,
    },
    /// The value has another type, or is out of the type's range.
    #[error(
        "column {column} is {actual}, which cannot be read as `{expected}`{}; the columns are: {}{}",
        After(.hint), .columns.join(", "), In(.sql)
    )]
    #[non_exhaustive]
    Mismatch {
        /// The column that was asked for, in words: its name in backticks, or its place.
        column: String,
        /// The type of its value.
        actual: SqliteType,
        /// The Rust type that was asked for.
        expected: &'static str,
        /// What can be done, or what is wrong with the value.
        hint: Option<String>,
        /// The names of the columns that there are.
        columns: Vec<String>,
        /// The beginning of the statement; empty for a row that no statement returned.
        sql: String,
    },
}

struct After<'a>(&'a Option<String>);

impl fmt::Display for After<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// Where it happened, unless that is nowhere.
struct In<'a>(&'a str);

impl fmt::Display for In<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            "" => Ok(()),
            sql => write!(f, ", in `{sql}`"),
        }
    }
}

/// The beginning of a text that may be longer than anyone wants to read in a message.
pub(super) struct Shown<'a>(pub(super) &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(SQL_SHOWN_CHARS_MAX) {
            None => f.write_str(self.0),
            Some((end, _)) => {
                let left_out = self.0[end..].chars().count();
                write!(f, "{}.. ({left_out} more characters)", &self.0[..end])
            }
        }
    }
}

/// The outcome of a statement whose constraints the module looks after.
#[track_caller]
pub(super) fn recoverable<T>(outcome: Result<T, SqliteFault>, sql: &str) -> Result<T, SqliteError> {
    match outcome {
        Ok(value) => Ok(value),
        Err(SqliteFault::Constraint(error)) => Err(error),
        Err(fault @ SqliteFault::Failed { .. }) => failed(&fault, sql),
    }
}

/// The outcome of a statement that can only fail by a bug.
#[track_caller]
pub(super) fn trapping<T>(outcome: Result<T, SqliteFault>, sql: &str) -> T {
    match outcome {
        Ok(value) => value,
        Err(fault) => failed(&fault, sql),
    }
}

#[track_caller]
#[cold]
fn failed(fault: &SqliteFault, sql: &str) -> ! {
    let sql = Shown(sql);
    match fault {
        // The host's own refusals have no code, and 1 is SQLite's for what has no other.
        SqliteFault::Failed {
            code: 0 | 1,
            message,
        } => {
            panic!("SQLite: {}, in `{sql}`", Shown(message))
        }
        SqliteFault::Failed { code, message } => {
            panic!("SQLite: {} (code {code}), in `{sql}`", Shown(message))
        }
        SqliteFault::Constraint(error) => panic!("SQLite: {error}, in `{sql}`"),
    }
}

/// How many rows [`query_one`](super::query_one) found instead of one.
#[track_caller]
#[cold]
pub(super) fn not_one(found: &str, sql: &str) -> ! {
    panic!("SQLite: `query_one` found {found}, in `{}`", Shown(sql))
}
