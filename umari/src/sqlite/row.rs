//! Rows, and how their columns are read.

use std::fmt;
use std::rc::Rc;

use super::{FromSqliteValue, SqliteType, SqliteValue};
use crate::host::Rows;

/// One row of a query's answer.
///
/// # Examples
///
/// ```
/// use umari::host::Rows;
/// use umari::prelude::*;
///
/// let mut rows = Row::all(Rows {
///     columns: vec!["title".to_owned(), "sold".to_owned()],
///     rows: vec![vec!["2 years".into(), 3.into()]],
/// });
/// let row = rows.next().unwrap();
/// assert_eq!(row.get::<_, String>("title"), "2 years");
/// assert_eq!(row.get::<_, i64>(1), 3);
/// assert_eq!(row.tuple::<(String, i64)>(), ("2 years".to_owned(), 3));
/// ```
#[derive(Clone, PartialEq)]
pub struct Row {
    columns: Rc<[String]>,
    values: Vec<SqliteValue>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.columns.iter().zip(&self.values))
            .finish()
    }
}

impl Row {
    /// The rows of an answer.
    pub fn all(rows: Rows) -> impl Iterator<Item = Self> {
        let columns: Rc<[String]> = rows.columns.into();
        rows.rows.into_iter().map(move |values| Self {
            columns: Rc::clone(&columns),
            values,
        })
    }

    /// The value of a column, by its name (`&str`) or its place from 0 (`usize`).
    ///
    /// # Traps
    ///
    /// Panics where there is no such column, or its value has another type.
    #[track_caller]
    #[must_use]
    pub fn get<I: ColumnIndex, T: FromSqliteValue>(&self, column: I) -> T {
        let Some(value) = column
            .position(&self.columns)
            .and_then(|place| self.values.get(place))
        else {
            self.no_such_column(&column.describe());
        };
        match T::from_sqlite_value(value) {
            Some(value) => value,
            None => self.mismatch(&column.describe(), value.sqlite_type(), T::EXPECTED),
        }
    }

    /// The first columns as a tuple, in their order.
    ///
    /// # Traps
    ///
    /// Panics where there are fewer columns, or a value has another type.
    #[track_caller]
    #[must_use]
    pub fn tuple<T: ColumnTuple>(&self) -> T {
        T::from_row(self)
    }

    /// The names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The values of the columns.
    #[must_use]
    pub fn values(&self) -> &[SqliteValue] {
        &self.values
    }

    #[cold]
    #[track_caller]
    fn no_such_column(&self, column: &str) -> ! {
        panic!(
            "the row has no column {column}; it has: {}",
            self.columns.join(", ")
        )
    }

    #[cold]
    #[track_caller]
    fn mismatch(&self, column: &str, actual: SqliteType, expected: &str) -> ! {
        let hint = match actual {
            SqliteType::Null => "; read it as an `Option`",
            SqliteType::Integer if expected != "f64" && expected != "String" => {
                "; the value may be out of range"
            }
            _ => "",
        };
        panic!(
            "column {column} is {actual}, which cannot be read as `{expected}`{hint}; \
             the columns are: {}",
            self.columns.join(", ")
        )
    }
}

/// What names a column: its name or its place.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not name a column",
    label = "expected a name (`&str`) or a place (`usize`)"
)]
pub trait ColumnIndex: sealed::Sealed {
    /// The column's place among `columns`.
    fn position(&self, columns: &[String]) -> Option<usize>;

    /// The column in words.
    fn describe(&self) -> String;
}

impl ColumnIndex for &str {
    fn position(&self, columns: &[String]) -> Option<usize> {
        columns.iter().position(|column| column == self)
    }

    fn describe(&self) -> String {
        format!("`{self}`")
    }
}

impl ColumnIndex for usize {
    fn position(&self, columns: &[String]) -> Option<usize> {
        (*self < columns.len()).then_some(*self)
    }

    fn describe(&self) -> String {
        format!("number {self} (from 0)")
    }
}

/// A tuple that a row can be read as, of up to eight columns.
#[diagnostic::on_unimplemented(
    message = "a row cannot be read as `{Self}`",
    note = "tuples of one to eight column types can be"
)]
pub trait ColumnTuple: sealed::Sealed + Sized {
    #[doc(hidden)]
    #[track_caller]
    fn from_row(row: &Row) -> Self;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for &str {}
    impl Sealed for usize {}
}

macro_rules! tuples {
    ($($first:ident $($rest:ident)*)?) => {$(
        impl<$first: FromSqliteValue, $($rest: FromSqliteValue),*> sealed::Sealed
            for ($first, $($rest,)*) {}

        impl<$first: FromSqliteValue, $($rest: FromSqliteValue),*> ColumnTuple
            for ($first, $($rest,)*)
        {
            fn from_row(row: &Row) -> Self {
                let mut places = 0..;
                let mut next = || places.next().unwrap_or_default();
                (row.get::<usize, $first>(next()), $(row.get::<usize, $rest>(next()),)*)
            }
        }

        tuples!($($rest)*);
    )?};
}

tuples!(A B C D E F G H);
