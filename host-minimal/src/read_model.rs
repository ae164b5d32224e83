//! Questions to a projector's read model, from outside: SQL that only reads.
//!
//! Each question has a connection of its own that is opened for reading, runs in one transaction
//! that also reads the projector's position, and may do nothing but read (see `guards`). So an
//! answer is the state of one moment, and says of which.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, OpenFlags, Statement, ffi, params_from_iter};
use serde_json::Value;

mod guards;
mod values;

#[cfg(test)]
mod tests;

use self::guards::ReadGuards;
use self::values::{Bound, Size};
use crate::capabilities::sqlite::guards::check_length;
use crate::capabilities::sqlite::{parameters, program};
use crate::limits;
use crate::modules::{ModuleName, ModuleStoreError};

/// A question to a read model.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadModelQuery {
    /// One statement that reads.
    pub sql: String,
    /// The values of its parameters.
    pub params: QueryParams,
    /// The answer must know everything up to this position.
    pub min_position: Option<u64>,
    /// How long the answer may take, waiting for the position included; at most
    /// [`limits::QUERY_TIMEOUT_CAP`].
    pub timeout: Duration,
    /// How many rows are wanted; at most [`limits::QUERY_ROWS`].
    pub max_rows: usize,
}

/// The values of a query's parameters.
///
/// `null`, numbers and strings are SQLite's NULL, INTEGER or REAL, and TEXT; `true` and `false`
/// are 1 and 0; a BLOB is written `{"base64": "…"}`.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryParams {
    /// In the order of the parameters.
    Positional(Vec<Value>),
    /// By name, with the prefix that the statement gives it, as in `:name`.
    Named(Vec<(String, Value)>),
}

impl Default for QueryParams {
    fn default() -> Self {
        Self::Positional(Vec::new())
    }
}

impl ReadModelQuery {
    /// A question without parameters that is content with whatever is there.
    pub fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            params: QueryParams::default(),
            min_position: None,
            timeout: limits::QUERY_TIMEOUT,
            max_rows: limits::QUERY_ROWS,
        }
    }
}

/// What a read model answered.
///
/// An INTEGER is a JSON number with all its digits: a client whose numbers are doubles, as in
/// JavaScript, loses some beyond 2^53 and should ask for `CAST(x AS TEXT)`. A BLOB, and a TEXT
/// that is not UTF-8, is `{"base64": "…"}`; an infinite REAL is `{"real": "Infinity"}` or
/// `{"real": "-Infinity"}`.
#[derive(Debug, Clone, PartialEq)]
pub struct ReadModelAnswer {
    /// The columns' names.
    pub columns: Vec<String>,
    /// The rows, each with a value for each column.
    pub rows: Vec<Vec<Value>>,
    /// What the read model knew: everything up to here.
    pub position: u64,
    /// Whether there were more rows than were wanted or allowed.
    pub truncated: bool,
}

/// Why a read model did not answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// No projector of this name is stored.
    #[error("there is no projector {0}")]
    Unknown(ModuleName),
    /// No version of the projector is active.
    #[error("the projector {0} is not active: activate one of its versions")]
    NotActive(ModuleName),
    /// The projector has not made its read model yet.
    #[error("the projector {name} has no read model yet: {reason}")]
    NotReady {
        /// Its name.
        name: ModuleName,
        /// What it does instead.
        reason: String,
    },
    /// The projector did not reach the position in time.
    #[error(
        "the projector {name} is at position {position} and did not reach {min_position} in time{}",
        because(.failure.as_deref())
    )]
    Behind {
        /// Its name.
        name: ModuleName,
        /// Where it is.
        position: u64,
        /// Where it should have been.
        min_position: u64,
        /// Why it stands still, if it does.
        failure: Option<String>,
    },
    /// SQLite does not understand the statement, or failed while it ran it.
    #[error("SQLite: {message}")]
    Sql {
        /// SQLite's message.
        message: String,
        /// Where in the statement the mistake is, in bytes, as far as SQLite knows.
        offset: Option<usize>,
    },
    /// The values do not fit the statement's parameters.
    #[error("{0}")]
    Params(String),
    /// The statement does something else than reading.
    #[error(
        "a query may only read, and this one asks for {0}: a read model is written by its projector \
         alone"
    )]
    ReadOnly(String),
    /// A limit was asked for that is beyond the host's.
    #[error("{what} is {given}: at most {limit} is allowed")]
    BeyondLimit {
        /// The limit's name.
        what: &'static str,
        /// What was asked for.
        given: u64,
        /// What is allowed.
        limit: u64,
    },
    /// One row is larger than an answer may be.
    #[error(
        "row {row} alone is larger than the {} bytes that an answer may have: ask for fewer \
         columns, or for a part of them with substr()",
        limits::QUERY_BYTES
    )]
    RowTooLarge {
        /// Which one, counted from 1.
        row: usize,
    },
    /// The statement ran for too long.
    #[error("the query took longer than {} ms: narrow it, add an index, or allow more time", timeout.as_millis())]
    TooSlow {
        /// How long it was allowed.
        timeout: Duration,
    },
    /// As many queries as may run at once did so all the time.
    #[error(
        "{} queries ran already and none ended in time: try again",
        limits::CONCURRENT_QUERIES
    )]
    Busy,
    /// The module store cannot be read.
    #[error(transparent)]
    Modules(#[from] ModuleStoreError),
}

fn because(failure: Option<&str>) -> String {
    failure.map_or_else(String::new, |failure| {
        format!(", because it fails: {failure}")
    })
}

/// What the file itself has to say.
#[derive(Debug)]
pub(crate) enum FileError {
    /// There is no read model in it.
    NotReady(String),
    /// The question cannot be answered.
    Query(QueryError),
}

impl From<QueryError> for FileError {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

/// Answers from the file at `path`. `reached` is a position that the projector had reached before
/// this call; the file may say a later one.
pub(crate) fn answer(
    path: &Path,
    query: &ReadModelQuery,
    reached: u64,
    deadline: Instant,
) -> Result<ReadModelAnswer, FileError> {
    let (mut connection, position) = open(path).map_err(|error| not_ready(&error))?;
    let read_guards =
        ReadGuards::install(&mut connection, deadline).map_err(|error| sql(&error))?;
    let explain = |error: rusqlite::Error| read_guards.explain(&error, query.timeout);
    check_length(&query.sql).map_err(no_offset)?;
    let mut statement = connection.prepare(&query.sql).map_err(explain)?;
    // VACUUM asks no authorizer.
    if !statement.readonly() {
        return Err(QueryError::ReadOnly("a write".to_owned()).into());
    }
    if statement.column_count() == 0 {
        return Err(no_offset("the statement has no columns: write a SELECT".to_owned()).into());
    }
    program::check(&connection, &statement, &query.sql)
        .map_err(explain)?
        .map_err(|too_many| no_offset(too_many.to_string()))?;
    let bound = bind(&statement, &query.params)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut found = statement.query(params_from_iter(bound)).map_err(explain)?;
    let mut rows = Vec::new();
    let mut size = Size::default();
    let mut truncated = false;
    while let Some(row) = found.next().map_err(explain)? {
        if rows.len() == query.max_rows {
            truncated = true;
            break;
        }
        let read = values::read_row(row, columns.len(), &mut size).map_err(explain)?;
        let Some(read) = read else {
            if rows.is_empty() {
                return Err(QueryError::RowTooLarge { row: 1 }.into());
            }
            truncated = true;
            break;
        };
        rows.push(read);
    }
    Ok(ReadModelAnswer {
        columns,
        rows,
        position: position.max(reached),
        truncated,
    })
}

/// Opens the file for reading and begins the transaction; the position that it sees.
fn open(path: &Path) -> rusqlite::Result<(Connection, u64)> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(limits::SQLITE_BUSY)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.execute_batch("BEGIN")?;
    let position = crate::subscriptions::last_position(&connection)?;
    Ok((connection, position))
}

fn bind(statement: &Statement<'_>, params: &QueryParams) -> Result<Vec<Bound>, QueryError> {
    let ordered = match params {
        QueryParams::Positional(values) => parameters::by_position(statement, values),
        QueryParams::Named(values) => {
            let named = values.iter().map(|(name, value)| (name.as_str(), value));
            parameters::by_name(statement, named)
        }
    };
    ordered
        .and_then(|values| values.into_iter().map(values::bind).collect())
        .map_err(QueryError::Params)
}

/// A file that is not there, or has no position, belongs to a projector that has not begun.
fn not_ready(error: &rusqlite::Error) -> FileError {
    let missing = matches!(error, rusqlite::Error::QueryReturnedNoRows)
        || error.sqlite_error_code() == Some(ErrorCode::CannotOpen)
        // The general error is that of a table that is missing.
        || error.sqlite_error().is_some_and(|it| it.extended_code == ffi::SQLITE_ERROR);
    if missing {
        FileError::NotReady("it has not started".to_owned())
    } else {
        sql(error)
    }
}

fn sql(error: &rusqlite::Error) -> FileError {
    FileError::Query(no_offset(error.to_string()))
}

fn no_offset(message: String) -> QueryError {
    QueryError::Sql {
        message,
        offset: None,
    }
}
