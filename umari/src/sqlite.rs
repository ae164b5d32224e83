//! The module's own SQLite database.
//!
//! Projectors and effects each have one. The free functions run a statement once; [`prepare`]
//! parses it once, in `init`, for every event that follows. The host wraps each call of the module
//! in a transaction, and refuses statements that would touch it.
//!
//! ```
//! use umari::prelude::*;
//! # #[derive(Event, DomainIds, Serialize, Deserialize)]
//! # struct Opened {}
//! # struct Plans;
//! # impl Projector for Plans {
//! # type Query = SingleEvent<Opened>;
//! # fn init() -> anyhow::Result<Self> { Ok(Plans) }
//! # fn handle(&mut self, _: StoredEvent<Opened>) -> anyhow::Result<()> {
//! # let (plan_id, shop_id, title) = (Uuid::nil(), 42_u64, "2 years");
//!
//! execute_batch(
//!     "CREATE TABLE IF NOT EXISTS plans (
//!          plan_id TEXT PRIMARY KEY, shop_id INTEGER NOT NULL, title TEXT NOT NULL
//!      )",
//! )?;
//!
//! // Parameters by position, or by name; never by writing values into the SQL.
//! execute("INSERT INTO plans VALUES (?1, ?2, ?3)", params![plan_id, shop_id, title])?;
//! execute(
//!     "UPDATE plans SET title = :title WHERE plan_id = :plan_id",
//!     named_params! { ":plan_id": plan_id, ":title": "3 years" },
//! )?;
//!
//! // One row, perhaps one, any number.
//! let count: u64 = query_one("SELECT count(*) FROM plans", params![]).get(0);
//! let plan = query_row("SELECT title FROM plans WHERE plan_id = ?1", params![plan_id]);
//! let title: Option<String> = plan.map(|row| row.get("title"));
//! for row in query("SELECT plan_id, title FROM plans WHERE shop_id = ?1", params![shop_id]) {
//!     let (plan_id, title): (Uuid, String) = row.tuple();
//! }
//! # assert_eq!((count, title.as_deref()), (1, Some("3 years")));
//! # Ok(())
//! # }
//! # }
//! # use umari_testing::prelude::*;
//! # given(events![Opened {}])
//! #     .project::<Plans>()
//! #     .then_rows("SELECT shop_id, title FROM plans", rows![(42, "3 years")]);
//! ```
//!
//! # Types
//!
//! What [`params!`](crate::params) and [`named_params!`](crate::named_params) take, how it is
//! stored, and what [`Row::get`] reads from there. A parameter may be a reference to any of these.
//!
//! | as a parameter | in SQLite | read as |
//! |---|---|---|
//! | `bool` | INTEGER 0 or 1 | `bool`; another integer traps |
//! | `i8`, `i16`, `i32`, `i64`, `isize`, `u8`, `u16`, `u32` | INTEGER | the same; a value out of the type's range traps |
//! | `u64`, `usize` | INTEGER; above `i64::MAX` it traps | `u64`, `usize`; below 0 it traps |
//! | `f32`, `f64` | REAL; `NaN` is stored as NULL | `f64`; `f32` where the value is in its range, rounded |
//! | `String`, `&str`, `Box<str>`, `Cow<str>` | TEXT | `String`, `Box<str>` |
//! | `Vec<u8>`, `&[u8]`, `[u8; N]` | BLOB | `Vec<u8>` |
//! | `Uuid` | TEXT, hyphenated lower case | `Uuid`, in any of its forms |
//! | `DateTime<Utc>` | TEXT, `2026-01-31T09:30:00.000000Z`; finer than a microsecond is cut off | `DateTime<Utc>`, from any RFC 3339 |
//! | `chrono::NaiveDate` | TEXT, `2026-01-31` | `NaiveDate`, from exactly this form |
//! | `serde_json::Value` | TEXT; JSON's `null` is the text `null` | `serde_json::Value` |
//! | `rust_decimal::Decimal` (feature `decimal`) | TEXT, with its trailing zeros | `Decimal` |
//! | `Option<T>` | NULL for `None`, else as `T` | `Option<T>`; NULL traps for any other type |
//! | `SqliteValue` | as it says | `SqliteValue`, whatever it is |
//!
//! [SQLite's integers](https://sqlite.org/datatype3.html) are signed and have 64 bits: an id that
//! may be `u64::MAX` is stored as text. Times and dates outside of the years 0 to 9999 trap, so
//! that the order of the texts is the order of the times, and `ORDER BY` and `<` work on them.
//!
//! ```
//! use umari::prelude::*;
//!
//! let time: DateTime<Utc> = "2026-01-31T10:30:00.5+01:00".parse().unwrap();
//! assert_eq!(params![time], [SqliteValue::Text("2026-01-31T09:30:00.500000Z".to_owned())]);
//! assert_eq!(params![u32::MAX, Some("x")], params![4_294_967_295_u64, "x".to_owned()]);
//! assert_eq!(params![None::<Uuid>], [SqliteValue::Null]);
//! ```
//!
//! A type of one's own is a parameter with `From<MyType> for SqliteValue`, and is read with
//! [`FromSqliteValue`].
//!
//! # Errors and traps
//!
//! A constraint that says no is an error ([`SqliteError`]) of [`execute`] and [`execute_batch`],
//! from which a module can recover: the statement had no effect and the transaction goes on.
//!
//! Everything else is a bug, and panics, which traps the module: SQL that SQLite cannot parse, too
//! few or too many parameters, a name that the statement does not have, a row that is missing or
//! one too many, a column that is not there or of another type, a full disk, a limit of the host.
//! The panic is at the line of the module that made the call, and its message has what SQLite said
//! and the SQL, up to [`SQL_SHOWN_CHARS_MAX`](crate::limits::SQL_SHOWN_CHARS_MAX) characters of
//! it. [`Row::try_get`] and [`Row::try_tuple`] have an error where [`Row::get`] and [`Row::tuple`]
//! panic. A value that SQLite cannot hold panics where it is converted, before there is a
//! statement: at the line of its `params!`.

use std::rc::Rc;

use crate::host::{self, Host, PreparedStatement, Rows};

mod error;
mod params;
mod read;
mod row;
mod value;
mod write;

use error::{not_one, recoverable, trapping};

pub use error::{ColumnError, ConstraintViolation, ConstraintViolationKind, SqliteError};
#[doc(hidden)]
pub use params::{Param, param};
pub use params::{ParamList, Params};
pub use read::FromSqliteValue;
pub use row::{ColumnIndex, ColumnTuple, Row};
pub use value::{SqliteType, SqliteValue};

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
    let outcome = host::with(|host| Host::database(host).execute(sql, params.list()));
    recoverable(outcome, sql).map(row_count)
}

/// Runs statements separated by semicolons, which have no parameters.
///
/// # Errors
///
/// A [`SqliteError`] when a constraint says no.
///
/// # Traps
///
/// Panics for anything else, and for a statement that has parameters.
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
    let outcome = host::with(|host| Host::database(host).query(sql, params.list(), Some(2)));
    only(trapping(outcome, sql), &sql.into())
}

/// The first row that a query returns, if any. Further rows are dropped.
///
/// # Traps
///
/// Panics where the statement fails.
#[track_caller]
#[must_use]
pub fn query_row(sql: &str, params: impl Params) -> Option<Row> {
    let outcome = host::with(|host| Host::database(host).query(sql, params.list(), Some(1)));
    Row::of(trapping(outcome, sql), sql.into()).next()
}

/// Every row that a query returns.
///
/// All of them are in memory at once, and a host bounds how many there may be; ask for fewer at a
/// time with `LIMIT`.
///
/// # Traps
///
/// Panics where the statement fails.
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
///
/// # #[derive(Event, DomainIds, Serialize, Deserialize)]
/// # struct Opened {}
/// # struct Plans;
/// # impl Projector for Plans {
/// # type Query = SingleEvent<Opened>;
/// # fn init() -> anyhow::Result<Self> { Ok(Plans) }
/// # fn handle(&mut self, _: StoredEvent<Opened>) -> anyhow::Result<()> {
/// # execute_batch("CREATE TABLE plans (shop_id, title); INSERT INTO plans VALUES (42, 'a'), (43, 'b')")?;
/// # let shop_id = 42_u64;
/// let titles: Vec<String> = query("SELECT title FROM plans WHERE shop_id = ?1", params![shop_id])
///     .iter()
///     .map(|row| row.get("title"))
///     .collect();
/// # assert_eq!(titles, ["a"]);
/// # Ok(())
/// # }
/// # }
/// # use umari_testing::prelude::*;
/// # given(events![Opened {}]).project::<Plans>().then_rows("SELECT count(*) FROM plans", rows![(2,)]);
/// ```
#[track_caller]
#[must_use]
pub fn query(sql: &str, params: impl Params) -> Vec<Row> {
    let outcome = host::with(|host| Host::database(host).query(sql, params.list(), None));
    Row::of(trapping(outcome, sql), sql.into()).collect()
}

/// The rowid of the last successful insert; `None` before the first. SQLite does not tell an insert
/// at rowid 0 from none.
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
    sql: Rc<str>,
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
        recoverable(self.prepared.execute(params.list()), &self.sql).map(row_count)
    }

    /// Every row.
    ///
    /// # Traps
    ///
    /// Panics where the statement fails.
    #[track_caller]
    #[must_use]
    pub fn query(&self, params: impl Params) -> Vec<Row> {
        let rows = trapping(self.prepared.query(params.list(), None), &self.sql);
        Row::of(rows, Rc::clone(&self.sql)).collect()
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
            trapping(self.prepared.query(params.list(), Some(2)), &self.sql),
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
        let rows = trapping(self.prepared.query(params.list(), Some(1)), &self.sql);
        Row::of(rows, Rc::clone(&self.sql)).next()
    }
}

/// A host may count further than 32 bits; a module cannot hold as many rows.
fn row_count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}

#[track_caller]
fn only(rows: Rows, sql: &Rc<str>) -> Row {
    let found = rows.rows.len();
    let mut rows = Row::of(rows, Rc::clone(sql));
    match (rows.next(), found) {
        (Some(row), 1) => row,
        (None, _) => not_one("no row", sql),
        _ => not_one("more than one row", sql),
    }
}
