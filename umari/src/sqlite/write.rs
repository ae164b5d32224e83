//! What can be given to SQLite: the types that become a [`SqliteValue`].

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Utc};
use uuid::Uuid;

use super::SqliteValue;

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

/// Panics above `i64::MAX`, with the value: SQLite's integers are signed. Store what can be
/// larger as text.
impl From<u64> for SqliteValue {
    #[track_caller]
    fn from(value: u64) -> Self {
        match i64::try_from(value) {
            Ok(value) => Self::Integer(value),
            Err(_) => no_integer(value),
        }
    }
}

/// Panics above `i64::MAX`, as `u64` does.
impl From<usize> for SqliteValue {
    #[track_caller]
    fn from(value: usize) -> Self {
        // No target has pointers wider than 64 bits.
        (value as u64).into()
    }
}

#[cold]
#[track_caller]
fn no_integer(value: u64) -> ! {
    panic!(
        "SQLite: {value} is above {}, the largest integer of SQLite, whose integers are signed \
         64-bit; store the value as text, with `.to_string()`",
        i64::MAX
    )
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

impl From<Box<str>> for SqliteValue {
    fn from(value: Box<str>) -> Self {
        Self::Text(value.into())
    }
}

impl From<Cow<'_, str>> for SqliteValue {
    fn from(value: Cow<'_, str>) -> Self {
        Self::Text(value.into_owned())
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

impl<const N: usize> From<[u8; N]> for SqliteValue {
    fn from(value: [u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl From<Uuid> for SqliteValue {
    fn from(value: Uuid) -> Self {
        Self::Text(value.to_string())
    }
}

/// RFC 3339 with six digits of a second and `Z`, so that the order of the texts is the order of
/// the times. What is finer than a microsecond is cut off.
///
/// Panics outside of the years 0 to 9999, which RFC 3339 cannot write.
impl From<DateTime<Utc>> for SqliteValue {
    #[track_caller]
    fn from(value: DateTime<Utc>) -> Self {
        four_digits(value.year());
        Self::Text(value.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

/// `YYYY-MM-DD`. Panics outside of the years 0 to 9999, as `DateTime<Utc>` does.
impl From<NaiveDate> for SqliteValue {
    #[track_caller]
    fn from(value: NaiveDate) -> Self {
        four_digits(value.year());
        Self::Text(value.to_string())
    }
}

#[track_caller]
fn four_digits(year: i32) {
    assert!(
        (0..=9999).contains(&year),
        "SQLite: the year {year} is outside of 0 to 9999, so that its text would not sort by time"
    );
}

/// JSON text. JSON's `null` is the text `null`, not `NULL`; that is `None`.
impl From<serde_json::Value> for SqliteValue {
    fn from(value: serde_json::Value) -> Self {
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
    #[track_caller]
    fn from(value: Option<T>) -> Self {
        // A closure would hide the caller's line from what panics.
        match value {
            Some(value) => value.into(),
            None => Self::Null,
        }
    }
}

/// A borrowed value is copied, so that a field can be given without taking it.
impl<T: Clone + Into<Self>> From<&T> for SqliteValue {
    #[track_caller]
    fn from(value: &T) -> Self {
        value.clone().into()
    }
}
