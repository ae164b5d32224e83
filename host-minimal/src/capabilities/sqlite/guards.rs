//! What keeps a guest inside its database and its transaction.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Instant;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;

use super::functions;
use super::spill::Spill;
use crate::limits;
use crate::modules::settings::SqliteAllowance;

/// Tables whose name begins with this belong to the host.
pub(crate) const RESERVED_PREFIX: &str = "umari_";

/// Pragmas that only tell something.
const READABLE_PRAGMAS: &[&str] = &[
    "foreign_key_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// What keeps any SQL on `connection` inside its one file, its values small and its work short.
pub(crate) fn confine(connection: &Connection, value_bytes: i32) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LENGTH, value_bytes),
        (
            Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH,
            limits::SQLITE_PATTERN_BYTES,
        ),
        (Limit::SQLITE_LIMIT_VDBE_OP, limits::SQLITE_OPERATIONS),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, limits::SQLITE_ARGUMENTS),
    ] {
        connection.set_limit(limit, most)?;
    }
    // Of the process; it can only be lowered, so that the first connection sets it.
    connection.pragma_update(None, "hard_heap_limit", limits::SQLITE_HEAP_BYTES)?;
    functions::install(connection, usize::try_from(value_bytes).unwrap_or(0))
}

/// Looks whether an SQL text is of a length that SQLite should read.
pub(crate) fn check_length(sql: &str) -> Result<(), String> {
    if sql.len() <= limits::SQLITE_SQL_BYTES {
        return Ok(());
    }
    Err(format!(
        "the SQL has {} bytes: at most {} are allowed",
        sql.len(),
        limits::SQLITE_SQL_BYTES
    ))
}

/// Pragmas that only tell something as long as they are given nothing. FTS5 and R*Tree ask them on
/// their own.
const READABLE_WITHOUT_VALUE: &[&str] = &["data_version", "page_size"];

/// Whether a pragma only tells something.
pub(crate) fn is_readable_pragma(name: &str, value: Option<&str>) -> bool {
    let is_in = |names: &[&str]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    is_in(READABLE_PRAGMAS) || (value.is_none() && is_in(READABLE_WITHOUT_VALUE))
}

/// The switches that a connection's hooks look at.
#[derive(Debug)]
pub(super) struct Guards {
    guest: Arc<AtomicBool>,
    /// Milliseconds since [`START`] at which the current call must end.
    deadline_millis: Arc<AtomicU64>,
    /// Set when SQLite makes a program of SQL, rather than takes one that it has.
    compiled: Arc<AtomicBool>,
    spill: Arc<Spill>,
    /// Set by statements that change the schema, and with it the programs of others.
    changes_schema: Arc<AtomicBool>,
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Since the first connection of the process was guarded.
pub(super) fn millis(at: Instant) -> u64 {
    u64::try_from(at.saturating_duration_since(*START).as_millis()).unwrap_or(u64::MAX)
}

impl Guards {
    /// Puts limits and hooks on `connection`. The host's own statements pass until
    /// [`Guards::guest`] is called.
    pub(super) fn install(
        connection: &mut Connection,
        allowance: SqliteAllowance,
        spill: Spill,
    ) -> rusqlite::Result<Self> {
        confine(connection, allowance.value_bytes)?;
        connection.pragma_update(None, "max_page_count", allowance.pages)?;
        connection.set_prepared_statement_cache_capacity(limits::SQLITE_CACHED_STATEMENTS);

        LazyLock::force(&START);
        let spill = Arc::new(spill);
        let guest = Arc::new(AtomicBool::new(false));
        let compiled = Arc::new(AtomicBool::new(false));
        let changes_schema = Arc::new(AtomicBool::new(false));
        connection.authorizer(Some({
            let guest = Arc::clone(&guest);
            let (compiled, changes_schema) = (Arc::clone(&compiled), Arc::clone(&changes_schema));
            move |context: AuthContext<'_>| {
                compiled.store(true, Ordering::Relaxed);
                if is_change_of_schema(&context.action) {
                    changes_schema.store(true, Ordering::Relaxed);
                }
                if guest.load(Ordering::Relaxed) {
                    authorize(&context)
                } else {
                    Authorization::Allow
                }
            }
        }))?;
        let deadline_millis = Arc::new(AtomicU64::new(u64::MAX));
        connection.progress_handler(
            limits::SQLITE_PROGRESS_STEPS,
            Some({
                let guest = Arc::clone(&guest);
                let (deadline, spill) = (Arc::clone(&deadline_millis), Arc::clone(&spill));
                move || {
                    guest.load(Ordering::Relaxed)
                        && (millis(Instant::now()) > deadline.load(Ordering::Relaxed)
                            || spill.must_end())
                }
            }),
        )?;
        Ok(Self {
            guest,
            deadline_millis,
            compiled,
            spill,
            changes_schema,
        })
    }

    /// Whether SQLite has made a program of SQL since the last time that this was asked.
    pub(super) fn has_compiled(&self) -> bool {
        self.compiled.swap(false, Ordering::Relaxed)
    }

    /// Whether a statement that changes the schema came since the last time that this was asked.
    pub(super) fn has_changed_schema(&self) -> bool {
        self.changes_schema.load(Ordering::Relaxed)
            && self.changes_schema.swap(false, Ordering::Relaxed)
    }

    pub(super) fn set_deadline(&self, deadline: Instant) {
        self.deadline_millis
            .store(millis(deadline), Ordering::Relaxed);
        self.spill.begin();
    }

    /// Why a statement was ended before its deadline.
    pub(super) fn no_room(&self) -> Option<String> {
        self.spill.reason()
    }

    /// Until the returned value is dropped, statements count as the guest's.
    pub(super) fn guest(&self) -> Switched<'_> {
        Switched::to(&self.guest, true)
    }

    /// Until the returned value is dropped, statements count as the host's.
    pub(super) fn host(&self) -> Switched<'_> {
        Switched::to(&self.guest, false)
    }
}

/// Restores a switch when dropped.
pub(super) struct Switched<'a> {
    switch: &'a AtomicBool,
    before: bool,
}

impl<'a> Switched<'a> {
    fn to(switch: &'a AtomicBool, value: bool) -> Self {
        Self {
            switch,
            before: switch.swap(value, Ordering::Relaxed),
        }
    }
}

impl Drop for Switched<'_> {
    fn drop(&mut self) {
        self.switch.store(self.before, Ordering::Relaxed);
    }
}

fn authorize(context: &AuthContext<'_>) -> Authorization {
    // `CREATE TABLE temp.t` is no CREATE TEMP TABLE to SQLite.
    let is_temporary = context
        .database_name
        .is_some_and(|database| database.eq_ignore_ascii_case("temp"));
    let allowed = match context.action {
        AuthAction::CreateTable { .. }
        | AuthAction::CreateIndex { .. }
        | AuthAction::CreateView { .. }
        | AuthAction::CreateTrigger { .. }
        | AuthAction::CreateVtable { .. }
            if is_temporary =>
        {
            false
        }
        AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        | AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. }
        // What is temporary has no part in the size of the module's database.
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::Unknown { .. } => false,
        AuthAction::Function { function_name } => functions::is_allowed(function_name),
        AuthAction::CreateVtable { module_name, .. }
            if !functions::is_allowed_table(module_name) =>
        {
            false
        }
        AuthAction::Pragma {
            pragma_name,
            pragma_value,
        } => is_readable_pragma(pragma_name, pragma_value),
        AuthAction::Insert { table_name }
        | AuthAction::Update { table_name, .. }
        | AuthAction::Delete { table_name }
        | AuthAction::CreateTable { table_name }
        | AuthAction::DropTable { table_name }
        | AuthAction::AlterTable { table_name, .. }
        | AuthAction::CreateIndex { table_name, .. }
        | AuthAction::CreateTrigger { table_name, .. }
        | AuthAction::CreateVtable { table_name, .. } => !is_reserved(table_name),
        _ => true,
    };
    if allowed {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}

fn is_change_of_schema(action: &AuthAction<'_>) -> bool {
    !matches!(
        action,
        AuthAction::Select
            | AuthAction::Read { .. }
            | AuthAction::Insert { .. }
            | AuthAction::Update { .. }
            | AuthAction::Delete { .. }
            | AuthAction::Function { .. }
            | AuthAction::Recursive
            | AuthAction::Pragma { .. }
            | AuthAction::Transaction { .. }
            | AuthAction::Savepoint { .. }
    )
}

fn is_reserved(table_name: &str) -> bool {
    table_name
        .get(..RESERVED_PREFIX.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(RESERVED_PREFIX))
}
