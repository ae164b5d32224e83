//! Values and errors, from SQLite's form to the contract's and back.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{ErrorCode, Row, ToSql, ffi};

use super::functions;
use crate::bindings::sqlite_wit as wit;
use crate::limits;
use crate::modules::settings::SqliteAllowance;

impl ToSql for wit::Value {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Null => ToSqlOutput::Owned(Value::Null),
            Self::Integer(value) => ToSqlOutput::Owned(Value::Integer(*value)),
            Self::Real(value) => ToSqlOutput::Owned(Value::Real(*value)),
            Self::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Self::Blob(bytes) => ToSqlOutput::Borrowed(ValueRef::Blob(bytes)),
        })
    }
}

/// How much a query has returned so far.
#[derive(Debug)]
pub(super) struct ResultSize {
    rows: u32,
    bytes: usize,
    most: SqliteAllowance,
}

impl ResultSize {
    pub(super) fn within(most: SqliteAllowance) -> Self {
        Self {
            rows: 0,
            bytes: 0,
            most,
        }
    }

    fn add_row(&mut self) -> rusqlite::Result<()> {
        self.rows += 1;
        if self.rows > self.most.rows {
            return Err(refused(format!(
                "a query may return {} rows; ask for fewer at a time with LIMIT",
                self.most.rows
            )));
        }
        Ok(())
    }

    fn add_bytes(&mut self, bytes: usize) -> rusqlite::Result<()> {
        self.bytes += bytes;
        if self.bytes > self.most.result_bytes {
            return Err(refused(format!(
                "a query may return {} bytes; ask for fewer rows at a time with LIMIT",
                self.most.result_bytes
            )));
        }
        Ok(())
    }
}

pub(super) fn read_row(
    row: &Row<'_>,
    width: usize,
    size: &mut ResultSize,
) -> rusqlite::Result<Vec<wit::Value>> {
    size.add_row()?;
    (0..width)
        .map(|column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null => wit::Value::Null,
                ValueRef::Integer(value) => wit::Value::Integer(value),
                ValueRef::Real(value) => wit::Value::Real(value),
                ValueRef::Text(bytes) => {
                    size.add_bytes(bytes.len())?;
                    let text = str::from_utf8(bytes)
                        .map_err(|error| rusqlite::Error::Utf8Error(column, error))?;
                    wit::Value::Text(text.to_owned())
                }
                ValueRef::Blob(bytes) => {
                    size.add_bytes(bytes.len())?;
                    wit::Value::Blob(bytes.to_vec())
                }
            })
        })
        .collect()
}

/// A refusal by the host itself.
pub(super) fn refused(message: String) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(message.into())
}

const MORE_THAN_ONE: &str =
    "there is more than one statement; run them with `execute_batch`, or one at a time";

pub(super) fn to_error(error: &rusqlite::Error, no_room: Option<String>) -> wit::Error {
    let (code, message) = match error {
        // The whole of it would repeat the SQL, which the guest has.
        rusqlite::Error::SqlInputError { error, msg, .. } => (Some(error), msg.clone()),
        rusqlite::Error::MultipleStatement => (None, MORE_THAN_ONE.to_owned()),
        error => (error.sqlite_error(), error.to_string()),
    };
    let Some(code) = code else {
        return wit::Error::Failed(wit::Failure { code: 0, message });
    };
    match code.code {
        ErrorCode::ConstraintViolation => wit::Error::Constraint(wit::ConstraintViolation {
            kind: constraint_kind(code.extended_code),
            message,
        }),
        ErrorCode::AuthorizationForStatementDenied => wit::Error::Failed(wit::Failure {
            code: code.extended_code,
            message: format!(
                "{message}: the host owns transactions, pragmas, attached and temporary databases \
                 and the tables named umari_*, so a module's statements may not touch them"
            ),
        }),
        ErrorCode::OutOfMemory => wit::Error::Failed(wit::Failure {
            code: code.extended_code,
            message: format!(
                "{message}: a statement may have {} operations, and all databases together {} bytes \
                 of memory; split it, or read less at a time",
                limits::SQLITE_OPERATIONS,
                limits::SQLITE_HEAP_BYTES
            ),
        }),
        ErrorCode::OperationInterrupted => wit::Error::Failed(wit::Failure {
            code: code.extended_code,
            message: no_room
                .unwrap_or_else(|| "the statement ran until the call's deadline".into()),
        }),
        _ => wit::Error::Failed(wit::Failure {
            code: code.extended_code,
            message: match functions::why_refused(&message) {
                Some(why) => format!("{message}: {why}"),
                None => message,
            },
        }),
    }
}

fn constraint_kind(extended_code: i32) -> wit::ConstraintKind {
    match extended_code {
        ffi::SQLITE_CONSTRAINT_UNIQUE => wit::ConstraintKind::Unique,
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            wit::ConstraintKind::PrimaryKey
        }
        ffi::SQLITE_CONSTRAINT_NOTNULL => wit::ConstraintKind::NotNull,
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => wit::ConstraintKind::ForeignKey,
        ffi::SQLITE_CONSTRAINT_CHECK => wit::ConstraintKind::Check,
        _ => wit::ConstraintKind::Other,
    }
}
