//! The one seam between the SDK and whatever runs it.
//!
//! Everything that a module asks of the outside (reading and appending events, SQLite, HTTP,
//! configuration, fresh ids) passes through the [`Host`] trait. Compiled to WASM its only
//! implementation is the WIT imports. Natively a test harness installs one for the current
//! thread with [`install`]; `umari-testing` does this for every scenario.
//!
//! Module code never names this module: it is the ground under `Command`, `FoldQuery`,
//! `execute`, `Client` and `env::var`.

use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::command::CommandContext;
use crate::crypto::{ShredError, Shredded};
use crate::sqlite::{ParamList, SqliteError, SqliteValue};

#[cfg(not(target_family = "wasm"))]
mod installed;
#[cfg(target_family = "wasm")]
pub(crate) mod wasm;

#[cfg(not(target_family = "wasm"))]
pub use installed::{Installed, install};

#[cfg(not(target_family = "wasm"))]
pub(crate) use installed::{discard, keep, observe, resume, with};
#[cfg(target_family = "wasm")]
pub(crate) use wasm::{discard, keep, resume, with};

/// What a module may ask of the outside.
///
/// Methods take `&self`: a host is shared by everything that runs on the thread, and calls may
/// nest (an effect that runs a command).
pub trait Host {
    /// Opens a consistency boundary over `query`. `command` names the command for idempotency.
    ///
    /// # Errors
    ///
    /// [`TransactionError::Invalid`] for a query that the store refuses, and
    /// [`TransactionError::Unavailable`] where it cannot be reached.
    fn open(
        &self,
        query: &[QueryItem],
        context: &CommandContext,
        command: &str,
    ) -> Result<Box<dyn Transaction>, TransactionError>;

    /// Opens a read of the past, up to and including `bound`. It cannot commit.
    ///
    /// # Errors
    ///
    /// As [`Host::open`].
    fn open_as_of(
        &self,
        query: &[QueryItem],
        bound: AsOf,
    ) -> Result<Box<dyn Transaction>, TransactionError>;

    /// The module's database.
    fn database(&self) -> &dyn Database;

    /// Sends one HTTP request and waits for the whole response.
    ///
    /// # Errors
    ///
    /// An [`HttpFailure`] when no response arrived. A response with an error status is a response.
    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure>;

    /// Deletes the data keys of the scope `name:value`, and records `reason`, which may be empty.
    ///
    /// # Errors
    ///
    /// See [`ShredError`].
    fn shred(&self, scope: &str, reason: &str) -> Result<Shredded, ShredError>;

    /// The value of a configuration variable, or `None` where it is not set.
    fn env(&self, name: &str) -> Option<String>;

    /// A fresh identifier, for causation and correlation ids.
    fn new_id(&self) -> Uuid;

    /// What each reader is about to read, just before its transaction is opened: for a host that
    /// explains what was read and why. The list is made when it is asked for.
    #[cfg(not(target_family = "wasm"))]
    fn reading(&self, readings: &mut dyn FnMut() -> Vec<Reading>) {
        let _ = readings;
    }

    /// The time that a module decides by. In a component it is the host's wall clock, which stands
    /// still while a command runs; a test harness answers with the clock of its scenario.
    fn now(&self) -> DateTime<Utc> {
        std::time::SystemTime::now().into()
    }

    /// An exported command was entered: the name under which its component exports it, and the path
    /// of the Rust function. Harnesses find the component by it.
    fn entered(&self, name: &'static str, function: &'static str) {
        let _ = (name, function);
    }

    /// Shows a test harness an upcast that was used to read a stored event. Called natively only.
    fn upcasting(&self, upcasting: &Upcasting<'_>) {
        let _ = upcasting;
    }
}

/// An upcast that was used to read a stored event, for harnesses that try what it makes of others.
#[non_exhaustive]
pub struct Upcasting<'a> {
    /// The event type's name, as it is stored.
    pub event_type: &'a str,
    /// The type that reads it. Several modules may read one event type, each by a type of its own.
    pub reader: &'static str,
    /// Version of the shape in which it is stored.
    pub version: u32,
    /// The stored data, as JSON text.
    pub data: &'a str,
    /// Reads other data of this version in the same way, and returns the events that it becomes as
    /// JSON; `None` where it cannot be read.
    pub upcast: &'a dyn Fn(&str) -> Option<Vec<serde_json::Value>>,
}

impl std::fmt::Debug for Upcasting<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upcasting")
            .field("event_type", &self.event_type)
            .field("reader", &self.reader)
            .field("version", &self.version)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

/// One read of the log, and the append that depends on it.
pub trait Transaction {
    /// The position of the event that already carries the context's idempotency key.
    fn duplicate(&self) -> Option<u64>;

    /// Reads by readers, and returns for each the state that was kept last: its events up to there
    /// come no more. Called at most once, before the first batch, and only where a reader has a
    /// key. A host that keeps nothing returns `None` for each.
    ///
    /// # Errors
    ///
    /// [`TransactionError::Invalid`] for readers that are no part of the query.
    #[cfg(not(target_family = "wasm"))]
    fn resume(
        &mut self,
        readers: &[ReaderQuery],
    ) -> Result<Vec<Option<KeptState>>, TransactionError> {
        Ok(vec![None; readers.len()])
    }

    /// Gives back a state that does not decode: its reader is read from the first event on. Called
    /// before the first batch.
    #[cfg(not(target_family = "wasm"))]
    fn discard(&mut self, reader: usize) {
        let _ = reader;
    }

    /// Offers the state of a reader after the last batch, which the host keeps or does not.
    #[cfg(not(target_family = "wasm"))]
    fn keep(&mut self, reader: usize, state: String) {
        let _ = (reader, state);
    }

    /// Whether every state is offered, however few events led to it: for a harness that tries them.
    #[cfg(not(target_family = "wasm"))]
    fn wants_every_state(&self) -> bool {
        false
    }

    /// The transaction itself. What few modules ask of it is no method here, as each module would
    /// then import it.
    #[cfg(target_family = "wasm")]
    #[doc(hidden)]
    #[allow(private_interfaces)]
    fn import(&self) -> &wasm::bindings::transaction::Transaction;

    /// The next matching events in position order; empty at the end.
    ///
    /// # Errors
    ///
    /// [`TransactionError::Unavailable`] when the store fails or the deadline has passed.
    fn next_batch(&mut self) -> Result<Vec<RawEvent>, TransactionError>;

    /// The position up to which this transaction reads; 0 for an empty log.
    fn head(&self) -> u64;

    /// Appends all of `events`, or none.
    ///
    /// # Errors
    ///
    /// [`TransactionError::Conflict`] when the boundary changed after [`Transaction::head`].
    fn commit(&mut self, events: Vec<NewEvent>) -> Result<Receipt, TransactionError>;
}

/// A module's SQLite database.
///
/// Failures that are no constraint violation are bugs of the module or faults of the host; an
/// implementation reports them with [`SqliteFault::Failed`], and the public API turns them into
/// a trap that shows the SQL.
///
/// Every parameter of a statement gets exactly one value, and every value has a parameter. An
/// implementation refuses anything else with code 0 and a message that names the parameter: a
/// count that is wrong, a name that has no prefix, is not the statement's or comes twice, a
/// parameter that is given no value. SQLite itself would take `NULL` for it.
pub trait Database {
    /// Runs one statement and returns the number of rows it changed.
    ///
    /// # Errors
    ///
    /// See [`SqliteFault`].
    fn execute(&self, sql: &str, params: ParamList<'_>) -> Result<u64, SqliteFault>;

    /// Runs statements separated by semicolons. One that has parameters is refused.
    ///
    /// # Errors
    ///
    /// See [`SqliteFault`].
    fn execute_batch(&self, sql: &str) -> Result<(), SqliteFault>;

    /// Runs one statement and returns at most `max_rows` of its rows.
    ///
    /// # Errors
    ///
    /// See [`SqliteFault`].
    fn query(
        &self,
        sql: &str,
        params: ParamList<'_>,
        max_rows: Option<u32>,
    ) -> Result<Rows, SqliteFault>;

    /// The rowid of the last successful insert; `None` before the first.
    fn last_insert_rowid(&self) -> Option<i64>;

    /// Parses a statement once, for many runs.
    ///
    /// # Errors
    ///
    /// See [`SqliteFault`].
    fn prepare(&self, sql: &str) -> Result<Box<dyn PreparedStatement>, SqliteFault>;
}

/// A statement that was parsed once.
pub trait PreparedStatement {
    /// Runs the statement and returns the number of rows it changed.
    ///
    /// # Errors
    ///
    /// See [`SqliteFault`].
    fn execute(&self, params: ParamList<'_>) -> Result<u64, SqliteFault>;

    /// Runs the statement and returns at most `max_rows` of its rows.
    ///
    /// # Errors
    ///
    /// See [`SqliteFault`].
    fn query(&self, params: ParamList<'_>, max_rows: Option<u32>) -> Result<Rows, SqliteFault>;
}

/// One alternative of an event query: one of `types` (any, if empty), and all of `tags`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QueryItem {
    /// Event type names.
    pub types: Vec<String>,
    /// Domain ids in the form `name:value`.
    pub tags: Vec<String>,
}

/// A part of a query that adds up to one state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReaderQuery {
    /// Under which the state is kept: everything that it depends on besides the module's code,
    /// `query` and the events. `None` where it is not.
    pub key: Option<String>,
    /// What it reads.
    pub query: Vec<QueryItem>,
}

/// A state that a reader had once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptState {
    /// It stands for every event up to here.
    pub position: u64,
    /// As it was given to [`Transaction::keep`].
    pub state: String,
}

/// What one reader reads: one of the folds of a command or query, or its decider.
#[cfg(not(target_family = "wasm"))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// The type of the reader.
    pub reader: &'static str,
    /// One for each event type in its set.
    pub selected: Vec<Selected>,
}

/// Which events of one type a reader reads.
#[cfg(not(target_family = "wasm"))]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The names of the type: its own, and its aliases.
    pub event_types: Vec<&'static str>,
    /// The domain ids that an event must carry, each with the values of which it must have one.
    pub domain_ids: Vec<(&'static str, Vec<String>)>,
    /// Whether a `#[scope(..)]` chose them.
    pub scoped: bool,
}

/// Where a read of the past ends, inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// The last position that is read.
    Position(u64),
    /// The last moment that is read.
    Time(DateTime<Utc>),
}

/// An event as the log holds it, before its payload is decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEvent {
    /// Minted by the host at commit.
    pub id: Uuid,
    /// Place in the global log, from 1, without gaps.
    pub position: u64,
    /// The event type's name.
    pub event_type: String,
    /// Domain ids in the form `name:value`.
    pub tags: Vec<String>,
    /// The host's wall clock at commit.
    pub timestamp: DateTime<Utc>,
    /// The user action at the start of the causal chain.
    pub correlation_id: Uuid,
    /// The command execution that wrote this event.
    pub causation_id: Uuid,
    /// The event whose effect called that command.
    pub triggering_event_id: Option<Uuid>,
    /// The key under which that command was called.
    pub idempotency_key: Option<Uuid>,
    /// `name:value` of the domain id whose data key encrypts the payload.
    pub encryption_scope: Option<String>,
    /// The data key that encrypted the payload.
    pub encryption_key_id: Option<Uuid>,
    /// Version of the payload's shape, from 1.
    pub schema_version: u32,
    /// The event's data as JSON text; `None` when its data key has been deleted.
    pub payload: Option<String>,
}

/// An event to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// The event type's name.
    pub event_type: String,
    /// Version of the payload's shape, from 1.
    pub schema_version: u32,
    /// Domain ids in the form `name:value`.
    pub tags: Vec<String>,
    /// `name:value` of the domain id whose data key is to encrypt the payload.
    pub encryption_scope: Option<String>,
    /// The event's data as JSON text.
    pub payload: String,
}

/// What the host gave the events that it appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Position of the last event.
    pub position: u64,
    /// One id for each event, in their order.
    pub ids: Vec<Uuid>,
    /// When they were appended.
    pub timestamp: DateTime<Utc>,
}

/// Why a boundary could not be read or appended to.
#[cfg_attr(not(target_family = "wasm"), derive(Debug))]
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransactionError {
    /// Another writer changed the boundary after it was read.
    #[error("conflict: {0}")]
    Conflict(String),
    /// The request can never be valid.
    #[error("invalid: {0}")]
    Invalid(String),
    /// The store cannot be reached, or the deadline has passed.
    #[error("event store unavailable: {0}")]
    Unavailable(String),
}

/// What [`Database`] calls fail with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteFault {
    /// A constraint said no; module code can recover.
    #[error(transparent)]
    Constraint(SqliteError),
    /// Anything else; a trap.
    #[error("{message}")]
    Failed {
        /// SQLite's extended result code, or 0 where the host itself refused.
        code: i32,
        /// What happened.
        message: String,
    },
}

/// What a query returned.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Rows {
    /// Column names, in order.
    pub columns: Vec<String>,
    /// As many values in each row as there are columns.
    pub rows: Vec<Vec<SqliteValue>>,
}

/// An HTTP request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `POST`, ...
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Names and values, in order; names may repeat.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// How long to wait for a connection.
    pub connect_timeout: Option<Duration>,
    /// How long to wait for the first byte of the response.
    pub timeout: Option<Duration>,
}

/// An HTTP response, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// Names and values, in order; names may repeat.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Why no response arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HttpFailure {
    /// A stable word, such as `connection-refused` or `timeout`.
    pub code: String,
    /// What happened, for people.
    pub message: String,
}
