//! A module's SQLite database, in memory, behind the guards that the host sets.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Batch, Connection, ErrorCode, ffi, params_from_iter};
use umari::host::{Database, PreparedStatement, Rows, SqliteFault};
use umari::sqlite::{
    ConstraintViolation, ConstraintViolationKind, ParamList, SqliteError, SqliteValue,
};

use super::sweep::{CrashPoints, HostCall};

mod parameters;

/// The longest string, blob or row, in bytes.
const VALUE_BYTES_MAX: i32 = 2 * 1024 * 1024;

/// Functions that are refused, as the host refuses them: what they take grows faster than their
/// values, or they are not for modules.
const REFUSED_FUNCTIONS: &[&str] = &[
    "highlight",
    "json_patch",
    "jsonb_patch",
    "load_extension",
    "snippet",
    "sqlite_log",
];

const MORE_THAN_ONE: &str =
    "there is more than one statement; run them with `execute_batch`, or one at a time";

/// SQLite in memory. Statements of the module pass the authorizer; the harness's own do not.
pub(crate) struct SqliteDatabase {
    shared: Rc<Shared>,
}

struct Shared {
    connection: Connection,
    /// Set while the harness itself speaks, whose savepoints and pragmas are its own business.
    trusted: Arc<AtomicBool>,
    crash_points: Rc<CrashPoints>,
    changes: RefCell<Vec<Change>>,
}

/// An `UPDATE` or a `DELETE` of the module, and how many rows it found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) sql: String,
    pub(crate) rows: u64,
}

impl SqliteDatabase {
    pub(crate) fn open(crash_points: Rc<CrashPoints>) -> Self {
        let trusted = Arc::new(AtomicBool::new(true));
        let connection = guarded(Arc::clone(&trusted))
            .unwrap_or_else(|error| panic!("SQLite in memory could not be opened: {error}"));
        trusted.store(false, Ordering::Relaxed);
        Self {
            shared: Rc::new(Shared {
                connection,
                trusted,
                crash_points,
                changes: RefCell::default(),
            }),
        }
    }

    /// The module's `UPDATE`s and `DELETE`s since this was last asked.
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        self.shared.changes.take()
    }

    pub(crate) fn begin(&self) {
        self.harness("SAVEPOINT umari_event");
    }

    pub(crate) fn release(&self) {
        self.harness("RELEASE umari_event");
    }

    pub(crate) fn roll_back(&self) {
        if self.shared.connection.is_autocommit() {
            // SQLite has done so itself.
            return;
        }
        self.harness("ROLLBACK TO umari_event; RELEASE umari_event");
    }

    /// The rows of `sql`, run by the harness.
    pub(crate) fn read(&self, sql: &str, params: ParamList<'_>) -> Result<Rows, SqliteFault> {
        self.trusted(|| query(&mut self.shared.connection.prepare(sql)?, params, None))
    }

    fn harness(&self, sql: &str) {
        self.trusted(|| self.shared.connection.execute_batch(sql))
            .unwrap_or_else(|error| panic!("`{sql}` failed: {error}"));
    }

    fn trusted<T>(
        &self,
        work: impl FnOnce() -> Result<T, rusqlite::Error>,
    ) -> Result<T, SqliteFault> {
        self.shared.trusted.store(true, Ordering::Relaxed);
        let result = work();
        self.shared.trusted.store(false, Ordering::Relaxed);
        result.map_err(fault)
    }
}

impl Database for SqliteDatabase {
    fn execute(&self, sql: &str, params: ParamList<'_>) -> Result<u64, SqliteFault> {
        self.shared.execute(sql, params)
    }

    fn execute_batch(&self, sql: &str) -> Result<(), SqliteFault> {
        self.shared.sql(|connection| {
            let mut batch = Batch::new(connection, sql);
            while let Some(mut statement) = batch.next()? {
                parameters::none(&statement)?;
                // One step runs a statement to its end, or to its first row.
                statement.raw_query().next()?;
            }
            Ok(())
        })
    }

    fn query(
        &self,
        sql: &str,
        params: ParamList<'_>,
        max_rows: Option<u32>,
    ) -> Result<Rows, SqliteFault> {
        self.shared.query(sql, params, max_rows)
    }

    fn last_insert_rowid(&self) -> Option<i64> {
        Some(self.shared.connection.last_insert_rowid()).filter(|rowid| *rowid != 0)
    }

    fn prepare(&self, sql: &str) -> Result<Box<dyn PreparedStatement>, SqliteFault> {
        self.shared.connection.prepare_cached(sql).map_err(fault)?;
        Ok(Box::new(Statement {
            shared: Rc::clone(&self.shared),
            sql: sql.to_owned(),
        }))
    }
}

/// A statement by its text; SQLite's own cache keeps it parsed.
struct Statement {
    shared: Rc<Shared>,
    sql: String,
}

impl PreparedStatement for Statement {
    fn execute(&self, params: ParamList<'_>) -> Result<u64, SqliteFault> {
        self.shared.execute(&self.sql, params)
    }

    fn query(&self, params: ParamList<'_>, max_rows: Option<u32>) -> Result<Rows, SqliteFault> {
        self.shared.query(&self.sql, params, max_rows)
    }
}

impl Shared {
    fn execute(&self, sql: &str, params: ParamList<'_>) -> Result<u64, SqliteFault> {
        self.sql(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let values = parameters::order(&statement, params)?;
            let changed = statement.execute(params_from_iter(values.into_iter().map(to_sqlite)))?;
            self.note(sql, changed as u64);
            Ok(changed as u64)
        })
    }

    /// Remembers a statement that changes the rows that it finds.
    fn note(&self, sql: &str, rows: u64) {
        let verb = sql.trim_start().get(..6).unwrap_or_default();
        if verb.eq_ignore_ascii_case("update") || verb.eq_ignore_ascii_case("delete") {
            let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
            self.changes.borrow_mut().push(Change { sql, rows });
        }
    }

    fn query(
        &self,
        sql: &str,
        params: ParamList<'_>,
        max_rows: Option<u32>,
    ) -> Result<Rows, SqliteFault> {
        self.sql(|connection| {
            let rows = query(&mut *connection.prepare_cached(sql)?, params, max_rows)?;
            // Of a statement with `RETURNING`, each row that it found.
            self.note(sql, rows.rows.len() as u64);
            Ok(rows)
        })
    }

    /// One call of the module into SQLite.
    fn sql<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>,
    ) -> Result<T, SqliteFault> {
        self.crash_points.reach(HostCall::Sql, false);
        let begun = !self.connection.is_autocommit();
        let result = work(&self.connection).map_err(|error| {
            if begun && self.connection.is_autocommit() {
                return undone(&error);
            }
            fault(error)
        })?;
        self.crash_points.reach(HostCall::Sql, true);
        Ok(result)
    }
}

fn query(
    statement: &mut rusqlite::Statement<'_>,
    params: ParamList<'_>,
    max_rows: Option<u32>,
) -> Result<Rows, rusqlite::Error> {
    let columns: Vec<_> = statement.column_names().map(ToOwned::to_owned).collect();
    let width = columns.len();
    let mut rows = Vec::new();
    let values = parameters::order(statement, params)?;
    let mut cursor = statement.query(params_from_iter(values.into_iter().map(to_sqlite)))?;
    while max_rows.is_none_or(|max| rows.len() < max as usize)
        && let Some(row) = cursor.next()?
    {
        rows.push(
            (0..width)
                .map(|column| row.get_ref(column).map(from_sqlite))
                .collect::<Result<Vec<_>, _>>()?,
        );
    }
    Ok(Rows { columns, rows })
}

fn guarded(trusted: Arc<AtomicBool>) -> Result<Connection, rusqlite::Error> {
    let mut connection = Connection::open_in_memory()?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_limit(Limit::SQLITE_LIMIT_ATTACHED, 0)?;
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX)?;
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        if trusted.load(Ordering::Relaxed) {
            Authorization::Allow
        } else {
            authorize(&context)
        }
    }))?;
    Ok(connection)
}

/// What a module may not do: the same list as the host's.
fn authorize(context: &AuthContext<'_>) -> Authorization {
    let is_temporary = context
        .database_name
        .is_some_and(|database| database.eq_ignore_ascii_case("temp"));
    match context.action {
        AuthAction::CreateTable { .. }
        | AuthAction::CreateIndex { .. }
        | AuthAction::CreateView { .. }
        | AuthAction::CreateTrigger { .. }
        | AuthAction::CreateVtable { .. }
            if is_temporary =>
        {
            Authorization::Deny
        }
        AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        | AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::CreateTempTrigger { .. } => Authorization::Deny,
        // FTS5 and R*Tree ask these on their own.
        AuthAction::Pragma {
            pragma_name: "data_version" | "page_size",
            pragma_value: None,
        } => Authorization::Allow,
        AuthAction::Pragma { .. } => Authorization::Deny,
        AuthAction::Function { function_name }
            if REFUSED_FUNCTIONS
                .iter()
                .any(|refused| refused.eq_ignore_ascii_case(function_name)) =>
        {
            Authorization::Deny
        }
        _ => Authorization::Allow,
    }
}

/// A statement that ended the transaction of its event, as the host says it too.
fn undone(error: &rusqlite::Error) -> SqliteFault {
    let by_clause = error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation);
    let help = if by_clause {
        "; write OR ABORT in place of OR ROLLBACK, and RAISE(ABORT, ..) in triggers"
    } else {
        ""
    };
    SqliteFault::Failed {
        code: error.sqlite_error().map_or(0, |error| error.extended_code),
        message: format!("{error}, and SQLite undid the whole transaction{help}"),
    }
}

fn fault(error: rusqlite::Error) -> SqliteFault {
    let (failure, message) = match &error {
        rusqlite::Error::SqliteFailure(failure, Some(message)) => (Some(failure), message.clone()),
        rusqlite::Error::SqlInputError { error, msg, .. } => (Some(error), msg.clone()),
        rusqlite::Error::MultipleStatement => (None, MORE_THAN_ONE.to_owned()),
        other => (other.sqlite_error(), other.to_string()),
    };
    let Some(failure) = failure else {
        return SqliteFault::Failed { code: 0, message };
    };
    if failure.code != ErrorCode::ConstraintViolation {
        return SqliteFault::Failed {
            code: failure.extended_code,
            message,
        };
    }
    let kind = match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE => ConstraintViolationKind::Unique,
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            ConstraintViolationKind::PrimaryKey
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => ConstraintViolationKind::NotNull,
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ConstraintViolationKind::ForeignKey,
        ffi::SQLITE_CONSTRAINT_CHECK => ConstraintViolationKind::Check,
        _ => ConstraintViolationKind::Other,
    };
    SqliteFault::Constraint(SqliteError::ConstraintViolation(ConstraintViolation {
        kind,
        message,
    }))
}

fn to_sqlite(value: &SqliteValue) -> Value {
    match value {
        SqliteValue::Null => Value::Null,
        SqliteValue::Integer(integer) => Value::Integer(*integer),
        SqliteValue::Real(real) => Value::Real(*real),
        SqliteValue::Text(text) => Value::Text(text.clone()),
        SqliteValue::Blob(blob) => Value::Blob(blob.clone()),
    }
}

fn from_sqlite(value: ValueRef<'_>) -> SqliteValue {
    match value {
        ValueRef::Null => SqliteValue::Null,
        ValueRef::Integer(integer) => SqliteValue::Integer(integer),
        ValueRef::Real(real) => SqliteValue::Real(real),
        ValueRef::Text(text) => SqliteValue::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(blob) => SqliteValue::Blob(blob.to_vec()),
    }
}
