//! The module's own SQLite database.
//!
//! The host wraps every call of the module in a transaction. Constraint violations are errors
//! that a module can recover from; everything else that can go wrong with a statement is a bug,
//! and panics, which traps the module.

use crate::host::{self, Host, PreparedStatement, Rows, SqliteFault};

mod error;
mod row;
mod value;

pub use error::{ConstraintViolation, ConstraintViolationKind, SqliteError};
pub use row::{ColumnIndex, ColumnTuple, Row};
pub use value::{FromSqliteValue, Params, SqliteType, SqliteValue};

/// Runs one statement and returns the number of rows it changed.
///
/// # Errors
///
/// A [`SqliteError`] when a constraint says no.
///
/// # Traps
///
/// Panics for anything else: bad SQL, wrong parameters, a full disk.
#[track_caller]
pub fn execute(sql: &str, params: impl Params) -> Result<usize, SqliteError> {
    let outcome = host::with(|host| Host::database(host).execute(sql, params.values()));
    recoverable(outcome, sql).map(row_count)
}

/// Runs statements separated by semicolons, without parameters.
///
/// # Errors
///
/// A [`SqliteError`] when a constraint says no.
///
/// # Traps
///
/// Panics for anything else.
#[track_caller]
pub fn execute_batch(sql: &str) -> Result<(), SqliteError> {
    recoverable(
        host::with(|host| Host::database(host).execute_batch(sql)),
        sql,
    )
}

/// The only row that a query returns.
///
/// # Traps
///
/// Panics where there is no row, or more than one, and where the statement fails.
#[track_caller]
#[must_use]
pub fn query_one(sql: &str, params: impl Params) -> Row {
    let outcome = host::with(|host| Host::database(host).query(sql, params.values(), Some(2)));
    only(trapping(outcome, sql), sql)
}

/// The first row that a query returns, if any.
///
/// # Traps
///
/// Panics where the statement fails.
#[track_caller]
#[must_use]
pub fn query_row(sql: &str, params: impl Params) -> Option<Row> {
    let outcome = host::with(|host| Host::database(host).query(sql, params.values(), Some(1)));
    Row::all(trapping(outcome, sql)).next()
}

/// The rowid of the last successful insert; `None` before the first.
#[track_caller]
#[must_use]
pub fn last_insert_rowid() -> Option<i64> {
    host::with(|host| Host::database(host).last_insert_rowid())
}

/// Parses a statement once, to run it many times.
///
/// # Traps
///
/// Panics where the SQL is wrong.
#[track_caller]
#[must_use]
pub fn prepare(sql: &str) -> Statement {
    let outcome = host::with(|host| Host::database(host).prepare(sql));
    Statement {
        prepared: trapping(outcome, sql),
        sql: sql.into(),
    }
}

/// A statement that was parsed once.
pub struct Statement {
    prepared: Box<dyn PreparedStatement>,
    /// For messages.
    sql: Box<str>,
}

impl std::fmt::Debug for Statement {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Statement").field(&self.sql).finish()
    }
}

impl Statement {
    /// Runs the statement and returns the number of rows it changed.
    ///
    /// # Errors
    ///
    /// A [`SqliteError`] when a constraint says no.
    ///
    /// # Traps
    ///
    /// Panics for anything else.
    #[track_caller]
    pub fn execute(&self, params: impl Params) -> Result<usize, SqliteError> {
        recoverable(self.prepared.execute(params.values()), &self.sql).map(row_count)
    }

    /// Every row.
    ///
    /// # Traps
    ///
    /// Panics where the statement fails.
    #[track_caller]
    #[must_use]
    pub fn query(&self, params: impl Params) -> Vec<Row> {
        Row::all(trapping(
            self.prepared.query(params.values(), None),
            &self.sql,
        ))
        .collect()
    }

    /// The only row.
    ///
    /// # Traps
    ///
    /// Panics where there is no row, or more than one, and where the statement fails.
    #[track_caller]
    #[must_use]
    pub fn query_one(&self, params: impl Params) -> Row {
        only(
            trapping(self.prepared.query(params.values(), Some(2)), &self.sql),
            &self.sql,
        )
    }

    /// The first row, if any.
    ///
    /// # Traps
    ///
    /// Panics where the statement fails.
    #[track_caller]
    #[must_use]
    pub fn query_row(&self, params: impl Params) -> Option<Row> {
        Row::all(trapping(
            self.prepared.query(params.values(), Some(1)),
            &self.sql,
        ))
        .next()
    }
}

/// A host may count further than 32 bits; a module cannot hold as many rows.
fn row_count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

#[track_caller]
fn recoverable<T>(outcome: Result<T, SqliteFault>, sql: &str) -> Result<T, SqliteError> {
    match outcome {
        Ok(value) => Ok(value),
        Err(SqliteFault::Constraint(error)) => Err(error),
        Err(fault @ SqliteFault::Failed { .. }) => failed(&fault, sql),
    }
}

#[track_caller]
fn trapping<T>(outcome: Result<T, SqliteFault>, sql: &str) -> T {
    match outcome {
        Ok(value) => value,
        Err(fault) => failed(&fault, sql),
    }
}

#[track_caller]
#[cold]
fn failed(fault: &SqliteFault, sql: &str) -> ! {
    match fault {
        SqliteFault::Failed { code: 0, message } => panic!("SQLite: {message}, in `{sql}`"),
        SqliteFault::Failed { code, message } => {
            panic!("SQLite: {message} (code {code}), in `{sql}`")
        }
        SqliteFault::Constraint(error) => panic!("SQLite: {error}, in `{sql}`"),
    }
}

#[track_caller]
fn only(rows: Rows, sql: &str) -> Row {
    let found = rows.rows.len();
    let mut rows = Row::all(rows);
    match (rows.next(), found) {
        (Some(row), 1) => row,
        (None, _) => panic!("SQLite: `query_one` found no row, in `{sql}`"),
        _ => panic!("SQLite: `query_one` found more than one row, in `{sql}`"),
    }
}

/// Lists the parameters `?1`, `?2`, .. of a statement.
///
/// Each value is converted by `Into<SqliteValue>`. An unsigned 64-bit integer has no such
/// conversion, as SQLite's are signed: store it as text, or convert it with `i64::try_from`.
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
/// use umari::sqlite::Params;
///
/// let values = params![42_i64, "active", None::<String>,];
/// assert_eq!(values.values()[0], SqliteValue::Integer(42));
/// assert_eq!(values.values()[2], SqliteValue::Null);
/// ```
#[macro_export]
macro_rules! params {
    () => {
        [$crate::sqlite::SqliteValue::Null; 0]
    };
    ($($value:expr),+ $(,)?) => {
        [$(::core::convert::Into::<$crate::sqlite::SqliteValue>::into($value)),+]
    };
}
