//! Rows, and how their columns are read.

use std::fmt;
use std::rc::Rc;

use super::error::Shown;
use super::{ColumnError, FromSqliteValue, SqliteValue};
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
/// assert_eq!(row.get::<_, u64>(1), 3);
/// assert_eq!(row.tuple::<(String, u64)>(), ("2 years".to_owned(), 3));
/// ```
#[derive(Clone)]
pub struct Row {
    answer: Rc<Answer>,
    values: Vec<SqliteValue>,
}

/// What the rows of one answer share.
struct Answer {
    columns: Vec<String>,
    /// For messages; empty for rows that no statement returned.
    sql: Rc<str>,
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        self.columns() == other.columns() && self.values == other.values
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.columns().iter().zip(&self.values))
            .finish()
    }
}

impl Row {
    /// The rows of an answer.
    pub fn all(rows: Rows) -> impl Iterator<Item = Self> {
        Self::of(rows, "".into())
    }

    /// The rows of a statement's answer.
    pub(super) fn of(rows: Rows, sql: Rc<str>) -> impl Iterator<Item = Self> {
        let answer = Rc::new(Answer {
            columns: rows.columns,
            sql,
        });
        rows.rows.into_iter().map(move |values| Self {
            answer: Rc::clone(&answer),
            values,
        })
    }

    /// The value of a column, by its name (`&str`) or its place from 0 (`usize`).
    ///
    /// Of columns with one name the first is read; give the others a name with `AS`.
    ///
    /// # Traps
    ///
    /// Panics where [`try_get`](Row::try_get) has an error.
    #[track_caller]
    #[must_use]
    pub fn get<I: ColumnIndex, T: FromSqliteValue>(&self, column: I) -> T {
        match self.try_get(column) {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        }
    }

    /// The value of a column, as [`get`](Row::get) reads it, or why it cannot be read.
    ///
    /// # Errors
    ///
    /// A [`ColumnError`] where there is no such column, or its value has another type or is out of
    /// range.
    ///
    /// # Examples
    ///
    /// ```
    /// # use umari::host::Rows;
    /// use umari::prelude::*;
    /// use umari::sqlite::ColumnError;
    ///
    /// # let columns = vec!["months".to_owned()];
    /// # let row = Row::all(Rows { columns, rows: vec![vec![300.into()]] }).next().unwrap();
    /// assert_eq!(row.try_get::<_, u16>("months"), Ok(300));
    /// let error = row.try_get::<_, u8>("months").unwrap_err();
    /// assert!(matches!(error, ColumnError::Mismatch { expected: "u8", .. }));
    /// assert_eq!(
    ///     error.to_string(),
    ///     "column `months` is INTEGER, which cannot be read as `u8`; \
    ///      300 is outside of 0 to 255; the columns are: months",
    /// );
    /// ```
    pub fn try_get<I: ColumnIndex, T: FromSqliteValue>(&self, column: I) -> Result<T, ColumnError> {
        let place = column.position(self.columns());
        let Some(value) = place.and_then(|place| self.values.get(place)) else {
            return Err(self.no_such_column(column.describe()));
        };
        T::from_sqlite_value(value)
            .ok_or_else(|| self.mismatch(column.describe(), value, T::EXPECTED, T::hint(value)))
    }

    /// The first columns as a tuple, in their order.
    ///
    /// # Traps
    ///
    /// Panics where [`try_tuple`](Row::try_tuple) has an error.
    #[track_caller]
    #[must_use]
    pub fn tuple<T: ColumnTuple>(&self) -> T {
        match self.try_tuple() {
            Ok(tuple) => tuple,
            Err(error) => panic!("{error}"),
        }
    }

    /// The first columns as a tuple, in their order, or why they cannot be read.
    ///
    /// # Errors
    ///
    /// A [`ColumnError`] for the first column that is not there, or whose value has another type
    /// or is out of range.
    pub fn try_tuple<T: ColumnTuple>(&self) -> Result<T, ColumnError> {
        T::from_row(self)
    }

    /// The names of the columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.answer.columns
    }

    /// The values of the columns.
    #[must_use]
    pub fn values(&self) -> &[SqliteValue] {
        &self.values
    }

    #[cold]
    fn no_such_column(&self, column: String) -> ColumnError {
        ColumnError::NoSuchColumn {
            column,
            columns: self.columns().to_vec(),
            sql: Shown(&self.answer.sql).to_string(),
        }
    }

    #[cold]
    fn mismatch(
        &self,
        column: String,
        value: &SqliteValue,
        expected: &'static str,
        hint: Option<String>,
    ) -> ColumnError {
        let hint = match value {
            SqliteValue::Null => Some("read it as an `Option`".to_owned()),
            _ => hint,
        };
        ColumnError::Mismatch {
            column,
            actual: value.sqlite_type(),
            expected,
            hint,
            columns: self.columns().to_vec(),
            sql: Shown(&self.answer.sql).to_string(),
        }
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
    label = "not a tuple of columns",
    note = "tuples of one to eight column types can be; a single column is `row.get(0)`"
)]
pub trait ColumnTuple: sealed::Sealed + Sized {
    #[doc(hidden)]
    fn from_row(row: &Row) -> Result<Self, ColumnError>;
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
            fn from_row(row: &Row) -> Result<Self, ColumnError> {
                let mut places = 0..;
                let mut next = || places.next().unwrap_or_default();
                Ok((
                    row.try_get::<usize, $first>(next())?,
                    $(row.try_get::<usize, $rest>(next())?,)*
                ))
            }
        }

        tuples!($($rest)*);
    )?};
}

tuples!(A B C D E F G H);
