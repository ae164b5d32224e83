//! Values in SQLite's own types.

use std::fmt;

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
