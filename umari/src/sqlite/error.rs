//! What a module can recover from.

use std::fmt;

/// A failure of a statement that a module can recover from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// A constraint said no. The statement had no effect; the transaction goes on.
    #[error("{0}")]
    ConstraintViolation(ConstraintViolation),
}

/// A constraint that said no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConstraintViolation {
    /// Which sort of constraint.
    pub kind: ConstraintViolationKind,
    /// SQLite's own message.
    pub message: String,
}

impl fmt::Display for ConstraintViolation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Sorts of constraints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ConstraintViolationKind {
    /// `UNIQUE`.
    Unique,
    /// `PRIMARY KEY`.
    PrimaryKey,
    /// `NOT NULL`.
    NotNull,
    /// `REFERENCES`.
    ForeignKey,
    /// `CHECK`.
    Check,
    /// Any other.
    Other,
}
