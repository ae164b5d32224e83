//! What a column can be read as.

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use super::SqliteValue;

/// A type that a column can be read as.
///
/// # Examples
///
/// A type of one's own:
///
/// ```
/// use umari::prelude::*;
/// use umari::sqlite::FromSqliteValue;
///
/// #[derive(Debug, PartialEq)]
/// enum Status {
///     Active,
///     Archived,
/// }
///
/// impl FromSqliteValue for Status {
///     const EXPECTED: &'static str = "Status";
///
///     fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
///         match String::from_sqlite_value(value)?.as_str() {
///             "active" => Some(Self::Active),
///             "archived" => Some(Self::Archived),
///             _ => None,
///         }
///     }
///
///     fn hint(_: &SqliteValue) -> Option<String> {
///         Some("a status is `active` or `archived`".to_owned())
///     }
/// }
///
/// assert_eq!(Status::from_sqlite_value(&"archived".into()), Some(Status::Archived));
/// assert_eq!(Status::from_sqlite_value(&1.into()), None);
/// ```
#[diagnostic::on_unimplemented(
    message = "a column cannot be read as `{Self}`",
    label = "not a column type",
    note = "integers up to 64 bits, `f32`, `f64`, `bool`, `String`, `Vec<u8>`, `Uuid`, `DateTime<Utc>`, `NaiveDate`, `serde_json::Value`, `SqliteValue` and `Option`s of them can be",
    note = "for a type of your own, implement `umari::sqlite::FromSqliteValue`"
)]
pub trait FromSqliteValue: Sized {
    /// What is asked for, in words.
    const EXPECTED: &'static str;

    /// The value as this type; `None` where it has another type or is out of range.
    fn from_sqlite_value(value: &SqliteValue) -> Option<Self>;

    /// What the message adds about a value that cannot be read, where that is more than its type.
    ///
    /// It goes to logs, which outlive a deleted data key: keep the text of the column out of it.
    fn hint(value: &SqliteValue) -> Option<String> {
        let _ = value;
        None
    }
}

macro_rules! integers {
    ($($type:ident),+) => {$(
        #[diagnostic::do_not_recommend]
        impl FromSqliteValue for $type {
            const EXPECTED: &'static str = stringify!($type);

            fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
                match value {
                    SqliteValue::Integer(value) => Self::try_from(*value).ok(),
                    _ => None,
                }
            }

            fn hint(value: &SqliteValue) -> Option<String> {
                match value {
                    SqliteValue::Integer(value) => Some(format!(
                        "{value} is outside of {} to {}",
                        Self::MIN,
                        Self::MAX
                    )),
                    _ => None,
                }
            }
        }
    )+};
}

integers!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

#[diagnostic::do_not_recommend]
impl FromSqliteValue for bool {
    const EXPECTED: &'static str = "bool";

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        match value {
            SqliteValue::Integer(0) => Some(false),
            SqliteValue::Integer(1) => Some(true),
            _ => None,
        }
    }

    fn hint(value: &SqliteValue) -> Option<String> {
        match value {
            SqliteValue::Integer(value) => Some(format!("a bool is 0 or 1, not {value}")),
            _ => None,
        }
    }
}

#[diagnostic::do_not_recommend]
impl FromSqliteValue for f64 {
    const EXPECTED: &'static str = "f64";

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        match value {
            SqliteValue::Real(value) => Some(*value),
            _ => None,
        }
    }

    fn hint(value: &SqliteValue) -> Option<String> {
        match value {
            SqliteValue::Integer(_) => {
                Some("read it as an integer, or select `CAST(.. AS REAL)`".to_owned())
            }
            _ => None,
        }
    }
}

/// The nearest `f32`; a finite value beyond the largest one is out of range.
#[diagnostic::do_not_recommend]
impl FromSqliteValue for f32 {
    const EXPECTED: &'static str = "f32";

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        match value {
            SqliteValue::Real(value) => {
                let nearest = *value as Self;
                (nearest.is_finite() || !value.is_finite()).then_some(nearest)
            }
            _ => None,
        }
    }

    fn hint(value: &SqliteValue) -> Option<String> {
        match value {
            SqliteValue::Real(_) => Some("the value is out of range".to_owned()),
            value => f64::hint(value),
        }
    }
}

#[diagnostic::do_not_recommend]
impl FromSqliteValue for String {
    const EXPECTED: &'static str = "String";

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        text(value).map(ToOwned::to_owned)
    }

    fn hint(value: &SqliteValue) -> Option<String> {
        match value {
            SqliteValue::Integer(_) | SqliteValue::Real(_) => {
                Some("read it as a number, or select `CAST(.. AS TEXT)`".to_owned())
            }
            _ => None,
        }
    }
}

#[diagnostic::do_not_recommend]
impl FromSqliteValue for Box<str> {
    const EXPECTED: &'static str = "Box<str>";

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        text(value).map(Into::into)
    }

    fn hint(value: &SqliteValue) -> Option<String> {
        String::hint(value)
    }
}

#[diagnostic::do_not_recommend]
impl FromSqliteValue for Vec<u8> {
    const EXPECTED: &'static str = "Vec<u8>";

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        match value {
            SqliteValue::Blob(value) => Some(value.clone()),
            _ => None,
        }
    }
}

/// Types that are stored as text, how it is parsed, and what it is not where that fails.
macro_rules! parsed {
    ($($(#[$cfg:meta])? $type:ty, $name:literal, $parse:expr, $hint:literal;)+) => {$(
        $(#[$cfg])?
        #[diagnostic::do_not_recommend]
        impl FromSqliteValue for $type {
            const EXPECTED: &'static str = $name;

            fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
                let parse: fn(&str) -> Option<Self> = $parse;
                text(value).and_then(parse)
            }

            fn hint(value: &SqliteValue) -> Option<String> {
                text(value).map(|_| concat!("the text is not ", $hint).to_owned())
            }
        }
    )+};
}

parsed! {
    Uuid, "Uuid", |text| text.parse().ok(), "a UUID";
    DateTime<Utc>, "DateTime<Utc>", |text| {
        Some(DateTime::parse_from_rfc3339(text).ok()?.to_utc())
    }, "a time of RFC 3339, such as `2026-01-31T09:30:00.000000Z`";
    NaiveDate, "NaiveDate", |text| {
        // The parser alone is lenient, about leading zeros for example, and has longer years.
        text.parse().ok().filter(|date: &NaiveDate| text.len() == 10 && date.to_string() == text)
    }, "a date, such as `2026-01-31`";
    serde_json::Value, "serde_json::Value", |text| serde_json::from_str(text).ok(), "JSON";
    #[cfg(feature = "decimal")]
    rust_decimal::Decimal, "Decimal", |text| text.parse().ok(), "a decimal number";
}

fn text(value: &SqliteValue) -> Option<&str> {
    match value {
        SqliteValue::Text(text) => Some(text),
        _ => None,
    }
}

#[diagnostic::do_not_recommend]
impl FromSqliteValue for SqliteValue {
    const EXPECTED: &'static str = "SqliteValue";

    fn from_sqlite_value(value: &Self) -> Option<Self> {
        Some(value.clone())
    }
}

#[diagnostic::do_not_recommend]
impl<T: FromSqliteValue> FromSqliteValue for Option<T> {
    const EXPECTED: &'static str = T::EXPECTED;

    fn from_sqlite_value(value: &SqliteValue) -> Option<Self> {
        match value {
            SqliteValue::Null => Some(None),
            value => T::from_sqlite_value(value).map(Some),
        }
    }

    fn hint(value: &SqliteValue) -> Option<String> {
        T::hint(value)
    }
}
