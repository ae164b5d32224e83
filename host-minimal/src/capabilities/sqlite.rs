//! A module's own SQLite database.
//!
//! The host owns the connection and its transactions; a guest's statements run under guards
//! that keep it inside both (see [`guards`]).

use std::cell::{Cell, RefCell};
use std::path::Path;
use std::time::Instant;

use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::{Batch, CachedStatement, Connection, ErrorCode, Statement, params_from_iter};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

pub(crate) mod functions;
pub(crate) mod guards;
pub(crate) mod parameters;
pub(crate) mod program;
pub(crate) mod spill;
mod values;

use self::guards::Guards;
use self::spill::Spill;
use crate::bindings::sqlite_wit as wit;
use crate::engine::guest::GuestState;
use crate::engine::trap::DeadlineExceeded;
use crate::limits;
use crate::modules::settings::SqliteAllowance;

pub(crate) use self::guards::RESERVED_PREFIX;

/// When the host begins the transaction that surrounds a guest's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Begin {
    /// The host begins it before the call: projectors.
    BeforeCall,
    /// With the first statement that writes: effects. No lock is held across an HTTP call
    /// unless the handler wrote first, and what was read before the first write can never make
    /// that write fail as stale.
    AtFirstWrite,
}

/// What the host keeps for one instance with a database.
#[derive(Debug)]
pub(crate) struct SqliteContext {
    connection: Connection,
    guards: Guards,
    begin: Begin,
    allowance: SqliteAllowance,
    /// Whether the guest's call is one that may write.
    may_write: Cell<bool>,
    /// Set when SQLite itself has ended the host's transaction.
    undone: RefCell<Option<TransactionUndone>>,
}

/// A statement of the guest failed in a way that made SQLite undo the whole transaction.
///
/// The guest must not go on: whatever it wrote next would be durable at once, without the event
/// that it belongs to.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum TransactionUndone {
    /// By a clause in the SQL.
    #[error(
        "{0}, and SQLite undid the whole transaction; write OR ABORT in place of OR ROLLBACK, and \
         RAISE(ABORT, ..) in triggers"
    )]
    Constraint(String),
    /// By the end of the call's time.
    #[error(transparent)]
    Deadline(DeadlineExceeded),
    /// By a full disk, for instance.
    #[error("{0}, and SQLite undid the whole transaction")]
    Failure(String),
}

impl TransactionUndone {
    fn by(error: &rusqlite::Error, no_room: Option<String>) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::ConstraintViolation) => Self::Constraint(error.to_string()),
            Some(ErrorCode::OperationInterrupted) => match no_room {
                None => Self::Deadline(DeadlineExceeded),
                Some(reason) => Self::Failure(reason),
            },
            _ => Self::Failure(error.to_string()),
        }
    }
}

impl SqliteContext {
    /// Opens the database at `path` in WAL mode and puts the guards on it.
    ///
    /// # Errors
    ///
    /// SQLite's, when the file cannot be opened or is no database.
    pub(crate) fn open(
        path: &Path,
        begin: Begin,
        allowance: SqliteAllowance,
    ) -> rusqlite::Result<Self> {
        Self::open_beside(path, begin, allowance, Spill::default())
    }

    fn open_beside(
        path: &Path,
        begin: Begin,
        allowance: SqliteAllowance,
        spill: Spill,
    ) -> rusqlite::Result<Self> {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(limits::SQLITE_BUSY)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // In WAL mode NORMAL never corrupts; a power cut may undo the last transactions, whose
        // events are then delivered again.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        let guards = Guards::install(&mut connection, allowance, spill)?;
        Ok(Self {
            connection,
            guards,
            begin,
            allowance,
            may_write: Cell::new(false),
            undone: RefCell::default(),
        })
    }

    /// The connection, for the host's own statements.
    pub(crate) fn host(&self) -> &Connection {
        &self.connection
    }

    /// The guest's next call must end by `deadline`. It may write.
    pub(crate) fn start_call(&self, deadline: Instant) {
        self.guards.set_deadline(deadline);
        self.may_write.set(true);
    }

    /// The guest's call is one that only tells something, and has no transaction to write in.
    pub(crate) fn forbid_writes(&self) {
        self.may_write.set(false);
    }

    fn as_guest<T>(
        &self,
        call: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, wit::Error> {
        let _guarded = self.guards.guest();
        let begun = !self.connection.is_autocommit();
        let outcome = call(&self.connection);
        if self.guards.has_changed_schema() {
            // Their programs would be made anew without being looked at.
            self.connection.flush_prepared_statement_cache();
        }
        outcome.map_err(|error| {
            let no_room = self.guards.no_room();
            // OR ROLLBACK does this, and so do a full disk and an error of the file.
            if begun && self.connection.is_autocommit() {
                self.undone
                    .replace(Some(TransactionUndone::by(&error, no_room.clone())));
            }
            values::to_error(&error, no_room)
        })
    }

    /// Whether the host's transaction is still the one that it began.
    fn check_transaction(&self) -> Result<(), TransactionUndone> {
        self.undone.borrow().clone().map_or(Ok(()), Err)
    }

    /// Begins the transaction that the guest's first write waits for.
    fn begin_write(&self, connection: &Connection) -> rusqlite::Result<()> {
        if !self.may_write.get() {
            return Err(values::refused(ONLY_HANDLERS_WRITE.to_owned()));
        }
        if self.begin == Begin::AtFirstWrite && connection.is_autocommit() {
            let _unguarded = self.guards.host();
            connection.execute_batch("BEGIN IMMEDIATE")?;
        }
        Ok(())
    }

    fn prepare_guarded<'a>(
        &self,
        connection: &'a Connection,
        sql: &str,
    ) -> rusqlite::Result<CachedStatement<'a>> {
        let statement = self.prepare(connection, sql)?;
        if !statement.readonly() {
            self.begin_write(connection)?;
        }
        Ok(statement)
    }

    /// A statement that is not too much at once.
    fn prepare<'a>(
        &self,
        connection: &'a Connection,
        sql: &str,
    ) -> rusqlite::Result<CachedStatement<'a>> {
        if sql.trim_start().starts_with(HOST_MARK) {
            return Err(values::refused(RESERVED_COMMENT.to_owned()));
        }
        guards::check_length(sql).map_err(values::refused)?;
        self.guards.has_compiled();
        let statement = connection.prepare_cached(sql)?;
        if self.guards.has_compiled()
            && let Err(error) = check_program(connection, &statement, sql)
        {
            statement.discard();
            return Err(error);
        }
        Ok(statement)
    }

    fn execute(&self, sql: &str, params: &wit::Params) -> Result<u64, wit::Error> {
        self.as_guest(|connection| {
            let mut statement = self.prepare_guarded(connection, sql)?;
            let values = parameters::order(&statement, params)?;
            let changed = statement.execute(params_from_iter(values))?;
            Ok(changed as u64)
        })
    }

    fn execute_batch(&self, sql: &str) -> Result<(), wit::Error> {
        self.as_guest(|connection| {
            guards::check_length(sql).map_err(values::refused)?;
            self.begin_write(connection)?;
            let mut batch = Batch::new(connection, sql);
            while let Some(mut statement) = batch.next()? {
                parameters::none(&statement)?;
                // It has no parameters, so this is its text.
                let text = statement.expanded_sql().ok_or_else(|| {
                    values::refused("a statement is longer than a value may be".to_owned())
                })?;
                check_program(connection, &statement, &text)?;
                // One step runs a statement to its end, or to its first row.
                statement.raw_query().next()?;
            }
            Ok(())
        })
    }

    fn query(
        &self,
        sql: &str,
        params: &wit::Params,
        max_rows: Option<u32>,
    ) -> Result<wit::Rows, wit::Error> {
        self.as_guest(|connection| {
            let mut statement = self.prepare_guarded(connection, sql)?;
            let values = parameters::order(&statement, params)?;
            let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
            let width = columns.len();
            let max_rows = max_rows.unwrap_or(u32::MAX);
            let mut found = statement.query(params_from_iter(values))?;
            let mut rows = Vec::new();
            let mut size = values::ResultSize::within(self.allowance);
            while let Some(row) = found.next()? {
                if rows.len() as u64 >= u64::from(max_rows) {
                    break;
                }
                rows.push(values::read_row(row, width, &mut size)?);
            }
            Ok(wit::Rows { columns, rows })
        })
    }

    fn last_insert_rowid(&self) -> Option<i64> {
        Some(self.connection.last_insert_rowid()).filter(|rowid| *rowid != 0)
    }
}

/// What each statement of the host's begins with that is kept in the connection's cache. The guards
/// look at a statement when it is parsed, and a cached one is not parsed again: without a mark, a
/// guest could run it by typing the same text.
const HOST_MARK: &str = "/*umari*/";

/// Runs one of the host's own statements, which begins with [`HOST_MARK`]. It is parsed once.
pub(crate) fn run_cached(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    debug_assert!(sql.starts_with(HOST_MARK), "{sql}");
    connection.prepare_cached(sql)?.execute(())?;
    Ok(())
}

const RESERVED_COMMENT: &str = "a comment `/*umari*/` at the start is the host's";

fn check_program(
    connection: &Connection,
    statement: &Statement<'_>,
    sql: &str,
) -> rusqlite::Result<()> {
    program::check(connection, statement, sql)?
        .map_err(|too_many| values::refused(too_many.to_string()))
}

const ONLY_HANDLERS_WRITE: &str = "only `init` and `handle` write";

/// A statement that a guest prepared. Only its text is kept: the connection's cache holds the
/// parsed form.
#[expect(
    unreachable_pub,
    reason = "`bindgen!` re-exports it from a public module of its own"
)]
#[derive(Debug)]
pub struct StatementHandle {
    sql: String,
}

pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    crate::bindings::common_wit::add_to_linker::<GuestState, Databases>(linker, view)?;
    linker.allow_shadowing(false);
    wit::add_to_linker::<GuestState, Databases>(linker, view)
}

fn view(state: &mut GuestState) -> SqliteView<'_> {
    SqliteView {
        table: &mut state.table,
        context: state.sqlite.as_ref(),
    }
}

struct Databases;

impl HasData for Databases {
    type Data<'a> = SqliteView<'a>;
}

/// What a host function of this capability works on.
pub(crate) struct SqliteView<'a> {
    table: &'a mut ResourceTable,
    context: Option<&'a SqliteContext>,
}

impl<'a> SqliteView<'a> {
    fn context(&self) -> wasmtime::Result<&'a SqliteContext> {
        self.context
            .ok_or_else(|| wasmtime::format_err!("this instance has no database"))
    }

    /// Runs a guest's call; the outer error stops the guest.
    fn run<T>(&self, call: impl FnOnce(&SqliteContext) -> T) -> wasmtime::Result<T> {
        let context = self.context()?;
        let outcome = call(context);
        match context.check_transaction() {
            Ok(()) => Ok(outcome),
            Err(TransactionUndone::Deadline(deadline)) => Err(deadline.into()),
            Err(undone) => Err(undone.into()),
        }
    }
}

impl crate::bindings::common_wit::Host for SqliteView<'_> {}

impl wit::Host for SqliteView<'_> {
    fn execute(
        &mut self,
        sql: String,
        params: wit::Params,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        self.run(|context| context.execute(&sql, &params))
    }

    fn execute_batch(&mut self, sql: String) -> wasmtime::Result<Result<(), wit::Error>> {
        self.run(|context| context.execute_batch(&sql))
    }

    fn query(
        &mut self,
        sql: String,
        params: wit::Params,
        max_rows: Option<u32>,
    ) -> wasmtime::Result<Result<wit::Rows, wit::Error>> {
        self.run(|context| context.query(&sql, &params, max_rows))
    }

    fn last_insert_rowid(&mut self) -> wasmtime::Result<Option<i64>> {
        Ok(self.context()?.last_insert_rowid())
    }
}

impl wit::HostStatement for SqliteView<'_> {
    fn prepare(
        &mut self,
        sql: String,
    ) -> wasmtime::Result<Result<Resource<StatementHandle>, wit::Error>> {
        let context = self.context()?;
        let prepared = context.as_guest(|connection| context.prepare(connection, &sql).map(drop));
        match prepared {
            Ok(()) => Ok(Ok(self.table.push(StatementHandle { sql })?)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn execute(
        &mut self,
        this: Resource<StatementHandle>,
        params: wit::Params,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        let statement = self.table.get(&this)?;
        self.run(|context| context.execute(&statement.sql, &params))
    }

    fn query(
        &mut self,
        this: Resource<StatementHandle>,
        params: wit::Params,
        max_rows: Option<u32>,
    ) -> wasmtime::Result<Result<wit::Rows, wit::Error>> {
        let statement = self.table.get(&this)?;
        self.run(|context| context.query(&statement.sql, &params, max_rows))
    }

    fn drop(&mut self, this: Resource<StatementHandle>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
