//! Between the contract's types and ours.

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::bindings::crypto::shredding;
use super::bindings::sqlite::connection;
use super::bindings::{command, common, transaction};
use crate::command::{
    CommandContext, ExecuteError, ExecuteOutput, InvalidInput, Rejection, Violation,
};
use crate::crypto::{ShredError, Shredded};
use crate::host::{
    AsOf, KeptState, NewEvent, QueryItem, RawEvent, ReaderQuery, Receipt, Rows, SqliteFault,
    TransactionError,
};
use crate::sqlite::{
    ConstraintViolation, ConstraintViolationKind, ParamList, SqliteError, SqliteValue,
};

fn uuid_to_wit(id: Uuid) -> common::Uuid {
    let (high, low) = id.as_u64_pair();
    common::Uuid { high, low }
}

fn uuid_from_wit(id: common::Uuid) -> Uuid {
    Uuid::from_u64_pair(id.high, id.low)
}

/// A moment outside of what `chrono` can hold becomes its nearest.
fn time_from_wit(microseconds: common::Timestamp) -> DateTime<Utc> {
    let nearest = if microseconds < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    };
    DateTime::from_timestamp_micros(microseconds).unwrap_or(nearest)
}

pub(crate) fn query_to_wit(query: &[QueryItem]) -> Vec<common::QueryItem> {
    query
        .iter()
        .map(|item| common::QueryItem {
            types: item.types.clone(),
            tags: item.tags.clone(),
        })
        .collect()
}

pub(super) fn reader_to_wit(reader: &ReaderQuery) -> transaction::Reader {
    transaction::Reader {
        key: reader.key.clone(),
        query: query_to_wit(&reader.query),
    }
}

pub(super) fn snapshot_from_wit(snapshot: transaction::Snapshot) -> KeptState {
    let transaction::Snapshot { position, state } = snapshot;
    KeptState { position, state }
}

/// The place of a reader in a list that came from this side, and whose length therefore fits.
pub(super) fn place(reader: usize) -> u32 {
    u32::try_from(reader).unwrap_or(u32::MAX)
}

pub(super) fn context_to_wit(context: &CommandContext) -> command::Context {
    command::Context {
        correlation_id: uuid_to_wit(context.correlation_id),
        causation_id: uuid_to_wit(context.causation_id),
        triggering_event_id: context.triggering_event_id.map(uuid_to_wit),
        idempotency_key: context.idempotency_key.map(uuid_to_wit),
    }
}

pub(crate) fn context_from_wit(context: &command::Context) -> CommandContext {
    CommandContext::from_ids(
        uuid_from_wit(context.correlation_id),
        uuid_from_wit(context.causation_id),
    )
    .with_triggering_event_id(context.triggering_event_id.map(uuid_from_wit))
    .with_idempotency_key(context.idempotency_key.map(uuid_from_wit))
}

pub(super) fn as_of_to_wit(bound: AsOf) -> transaction::AsOf {
    match bound {
        AsOf::Position(position) => transaction::AsOf::Position(position),
        AsOf::Time(time) => transaction::AsOf::Time(time.timestamp_micros()),
    }
}

pub(super) fn new_event_to_wit(event: NewEvent) -> transaction::NewEvent {
    transaction::NewEvent {
        event_type: event.event_type,
        schema_version: event.schema_version,
        tags: event.tags,
        encryption_scope: event.encryption_scope,
        payload: event.payload,
    }
}

pub(crate) fn event_from_wit(event: common::StoredEvent) -> RawEvent {
    RawEvent {
        id: uuid_from_wit(event.id),
        position: event.position,
        event_type: event.event_type,
        tags: event.tags,
        timestamp: time_from_wit(event.timestamp),
        correlation_id: uuid_from_wit(event.correlation_id),
        causation_id: uuid_from_wit(event.causation_id),
        triggering_event_id: event.triggering_event_id.map(uuid_from_wit),
        idempotency_key: event.idempotency_key.map(uuid_from_wit),
        encryption_scope: event.encryption_scope,
        encryption_key_id: event.encryption_key_id.map(uuid_from_wit),
        schema_version: event.schema_version,
        payload: event.payload,
    }
}

pub(super) fn receipt_from_wit(receipt: &transaction::Receipt) -> Receipt {
    Receipt {
        position: receipt.position,
        ids: receipt.ids.iter().copied().map(uuid_from_wit).collect(),
        timestamp: time_from_wit(receipt.timestamp),
    }
}

pub(super) fn transaction_error(error: transaction::Error) -> TransactionError {
    match error {
        transaction::Error::Conflict(text) => TransactionError::Conflict(text),
        transaction::Error::Invalid(text) => TransactionError::Invalid(text),
        transaction::Error::Unavailable(text) => TransactionError::Unavailable(text),
    }
}

pub(super) fn shredded_from_wit(shredded: &shredding::Shredded) -> Shredded {
    Shredded::new(shredded.keys, time_from_wit(shredded.at))
}

pub(super) fn shred_error(error: shredding::Error) -> ShredError {
    match error {
        shredding::Error::Invalid(text) => ShredError::Invalid(text),
        shredding::Error::Unavailable(text) => ShredError::Unavailable(text),
    }
}

pub(crate) fn output_to_wit(output: ExecuteOutput) -> command::ExecuteOutput {
    let events = output
        .events
        .into_iter()
        .map(|event| command::EmittedEvent {
            id: uuid_to_wit(event.id),
            event_type: event.event_type,
            domain_ids: event.tags.iter().filter_map(|tag| pair(tag)).collect(),
        });
    command::ExecuteOutput {
        position: output.position,
        events: events.collect(),
    }
}

/// The name and the value of a tag.
fn pair(tag: &str) -> Option<(String, String)> {
    let (name, value) = tag.split_once(':')?;
    Some((name.to_owned(), value.to_owned()))
}

/// The error and its causes, each as a text of its own.
pub(crate) fn failure_to_wit(error: &anyhow::Error) -> common::Failure {
    common::Failure {
        message: error.to_string(),
        causes: error.chain().skip(1).map(ToString::to_string).collect(),
    }
}

pub(crate) fn error_to_wit(error: ExecuteError) -> command::ExecuteError {
    match error {
        ExecuteError::Invalid(invalid) => command::ExecuteError::Invalid(invalid_to_wit(invalid)),
        ExecuteError::Rejected(rejection) => {
            command::ExecuteError::Rejected(rejection_to_wit(rejection))
        }
        ExecuteError::Conflict(text) => command::ExecuteError::Conflict(text),
        ExecuteError::Failed(text) => command::ExecuteError::Failed(text),
    }
}

fn rejection_to_wit(rejection: Rejection) -> command::Rejection {
    command::Rejection {
        code: rejection.code.into_owned(),
        message: rejection.message,
        details: rejection
            .details
            .map(|details| Value::from(details).to_string()),
    }
}

fn invalid_to_wit(invalid: InvalidInput) -> command::InvalidInput {
    let message = invalid.to_string();
    let violations = invalid.violations.into_iter().map(|violation| {
        let Violation {
            field,
            code,
            message,
        } = violation;
        command::Violation {
            field,
            code,
            message,
        }
    });
    command::InvalidInput {
        message,
        violations: violations.collect(),
    }
}

pub(super) fn params_to_wit(params: ParamList<'_>) -> connection::Params {
    match params {
        ParamList::Positional(values) => {
            connection::Params::Positional(values.iter().map(value_to_wit).collect())
        }
        ParamList::Named(values) => {
            let named = values.iter().map(|(name, value)| connection::NamedValue {
                name: (*name).to_owned(),
                value: value_to_wit(value),
            });
            connection::Params::Named(named.collect())
        }
    }
}

fn value_to_wit(value: &SqliteValue) -> connection::Value {
    match value {
        SqliteValue::Null => connection::Value::Null,
        SqliteValue::Integer(value) => connection::Value::Integer(*value),
        SqliteValue::Real(value) => connection::Value::Real(*value),
        SqliteValue::Text(value) => connection::Value::Text(value.clone()),
        SqliteValue::Blob(value) => connection::Value::Blob(value.clone()),
    }
}

fn value_from_wit(value: connection::Value) -> SqliteValue {
    match value {
        connection::Value::Null => SqliteValue::Null,
        connection::Value::Integer(value) => SqliteValue::Integer(value),
        connection::Value::Real(value) => SqliteValue::Real(value),
        connection::Value::Text(value) => SqliteValue::Text(value),
        connection::Value::Blob(value) => SqliteValue::Blob(value),
    }
}

pub(super) fn rows_from_wit(rows: connection::Rows) -> Rows {
    let convert = |row: Vec<_>| row.into_iter().map(value_from_wit).collect();
    Rows {
        columns: rows.columns,
        rows: rows.rows.into_iter().map(convert).collect(),
    }
}

pub(super) fn sqlite_error(error: connection::Error) -> SqliteFault {
    match error {
        connection::Error::Constraint(violation) => {
            SqliteFault::Constraint(SqliteError::ConstraintViolation(ConstraintViolation {
                kind: match violation.kind {
                    connection::ConstraintKind::Unique => ConstraintViolationKind::Unique,
                    connection::ConstraintKind::PrimaryKey => ConstraintViolationKind::PrimaryKey,
                    connection::ConstraintKind::NotNull => ConstraintViolationKind::NotNull,
                    connection::ConstraintKind::ForeignKey => ConstraintViolationKind::ForeignKey,
                    connection::ConstraintKind::Check => ConstraintViolationKind::Check,
                    connection::ConstraintKind::Other => ConstraintViolationKind::Other,
                },
                message: violation.message,
            }))
        }
        connection::Error::Failed(failure) => SqliteFault::Failed {
            code: failure.code,
            message: failure.message,
        },
    }
}
