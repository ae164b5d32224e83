//! Values on their way into and out of SQLite.

use std::fmt;

use uuid::Uuid;

/// A value in SQLite's own types.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum SqliteValue {
    /// No value.
    #[default]
    Null,
    /// A signed 64-bit integer.
    Integer(i64),
    /// A 64-bit float.
    Real(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// The type of a [`SqliteValue`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SqliteType {
    /// No value.
    Null,
    /// A signed 64-bit integer.
    Integer,
    /// A 64-bit float.
    Real,
    /// UTF-8 text.
    Text,
    /// Bytes.
    Blob,
}

impl fmt::Display for SqliteType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "NULL",
            Self::Integer => "INTEGER",
            Self::Real => "REAL",
            Self::Text => "TEXT",
            Self::Blob => "BLOB",
        })
    }
}

impl SqliteValue {
    /// The value's type.
    #[must_use]
    pub fn sqlite_type(&self) -> SqliteType {
        match self {
            Self::Null => SqliteType::Null,
            Self::Integer(_) => SqliteType::Integer,
            Self::Real(_) => SqliteType::Real,
            Self::Text(_) => SqliteType::Text,
            Self::Blob(_) => SqliteType::Blob,
        }
    }
}

macro_rules! integers {
    ($($type:ty),+) => {$(
        impl From<$type> for SqliteValue {
            fn from(value: $type) -> Self {
                Self::Integer(i64::from(value))
            }
        }
    )+};
}

integers!(bool, i8, i16, i32, i64, u8, u16, u32);

impl From<isize> for SqliteValue {
    fn from(value: isize) -> Self {
        // No target has pointers wider than 64 bits.
        Self::Integer(value as i64)
    }
}

impl From<f32> for SqliteValue {
    fn from(value: f32) -> Self {
        Self::Real(f64::from(value))
    }
}

impl From<f64> for SqliteValue {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<String> for SqliteValue {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&str> for SqliteValue {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<Vec<u8>> for SqliteValue {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl From<&[u8]> for SqliteValue {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl From<Uuid> for SqliteValue {
    fn from(value: Uuid) -> Self {
        Self::Text(value.to_string())
    }
}

#[cfg(feature = "decimal")]
impl From<rust_decimal::Decimal> for SqliteValue {
    fn from(value: rust_decimal::Decimal) -> Self {
        Self::Text(value.to_string())
    }
}

impl<T: Into<Self>> From<Option<T>> for SqliteValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A borrowed value is copied, so that a field can be given without taking it.
impl<T: Clone + Into<Self>> From<&T> for SqliteValue {
    fn from(value: &T) -> Self {
        value.clone().into()
    }
}

/// The parameters of a statement; [`params!`](crate::params) makes them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list of parameters",
    label = "not a list of parameters",
    note = "write `params![..]`, or `params![]` for none"
)]
pub trait Params: sealed::Sealed {
    /// The values, in the order of `?1`, `?2`, ..
    fn values(&self) -> &[SqliteValue];
}

mod sealed {
    use super::SqliteValue;

    pub trait Sealed {}
    impl<const N: usize> Sealed for [SqliteValue; N] {}
    impl Sealed for Vec<SqliteValue> {}
    impl Sealed for &[SqliteValue] {}
    impl<T: Sealed> Sealed for &T {}
}

impl<const N: usize> Params for [SqliteValue; N] {
    fn values(&self) -> &[SqliteValue] {
        self
    }
}

impl Params for Vec<SqliteValue> {
    fn values(&self) -> &[SqliteValue] {
        self
    }
}

impl Params for &[SqliteValue] {
    fn values(&self) -> &[SqliteValue] {
        self
    }
}

impl<T: Params> Params for &T {
    fn values(&self) -> &[SqliteValue] {
        T::values(self)
    }
}

/// A type that a column can be read as.
#[diagnostic::on_unimplemented(
    message = "a column cannot be read as `{Self}`",
    label = "not a column type",
    note = "integers up to 64 bits, `f64`, `bool`, `String`, `Vec<u8>`, `Uuid`, `SqliteValue` and `Option`s of them can be"
)]
pub trait FromSqliteValue: Sized {
    /// What is asked for, in words.
    const EXPECTED: &'static str;

    /// The value as this type; `None` where it has another type or is out of range.
    fn from_sqlite_value(value: &SqliteValue) -> Option<Self>;
}

macro_rules! readable_integers {
    ($($type:ty),+) => {$(
        impl FromSqliteValue for $type {
            const EXPECTED: &'static str = stringify!($type);

            fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
                match value {
                    SqliteValue::Integer(value) => Self::try_from(*value).ok(),
                    _ => None,
                }
            }
        }
    )+};
}

readable_integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

impl FromSqliteValue for bool {
    const EXPECTED: &'static str = "bool";

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        match value {
            SqliteValue::Integer(0) => Some(false),
            SqliteValue::Integer(1) => Some(true),
            _ => None,
        }
    }
}

impl FromSqliteValue for f64 {
    const EXPECTED: &'static str = "f64";

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        match value {
            SqliteValue::Real(value) => Some(*value),
            _ => None,
        }
    }
}

impl FromSqliteValue for String {
    const EXPECTED: &'static str = "String";

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        match value {
            SqliteValue::Text(value) => Some(value.clone()),
            _ => None,
        }
    }
}

impl FromSqliteValue for Vec<u8> {
    const EXPECTED: &'static str = "Vec<u8>";

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        match value {
            SqliteValue::Blob(value) => Some(value.clone()),
            _ => None,
        }
    }
}

/// Types that are stored as text.
macro_rules! readable_text {
    ($($(#[$cfg:meta])? $type:ty),+ $(,)?) => {$(
        $(#[$cfg])?
        impl FromSqliteValue for $type {
            const EXPECTED: &'static str = stringify!($type);

            fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
                match value {
                    SqliteValue::Text(value) => value.parse().ok(),
                    _ => None,
                }
            }
        }
    )+};
}

readable_text!(
    Uuid,
    #[cfg(feature = "decimal")]
    rust_decimal::Decimal,
);

impl FromSqliteValue for SqliteValue {
    const EXPECTED: &'static str = "SqliteValue";

    fn from_sqlite_value(value: &Self) -> Option<Self> {
        Some(value.clone())
    }
}

impl<T: FromSqliteValue> FromSqliteValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        match value {
            SqliteValue::Null => Some(None),
            value => T::from_sqlite_value(value).map(Some),
        }
    }
}
