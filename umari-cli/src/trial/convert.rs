//! Between the host library's types and those of the wire.

use chrono::DateTime;
use host_minimal::commands::ExecuteError;
use host_minimal::engine::trap::Crash;
use host_minimal::store::{Author, Query, RecordedEvent};
use host_minimal::trial::{self, CommandTrial, Delivery, ProjectorTrial, TrialFailure};

use super::wire::{Cell, Done, Ended, Event, Failure, QueryItem, Table, World};

pub(super) fn world(world: World) -> Result<trial::World, String> {
    let now = world.now;
    Ok(trial::World {
        history: world
            .history
            .into_iter()
            .map(recorded)
            .collect::<Result<_, _>>()?,
        now: DateTime::from_timestamp_micros(now).ok_or_else(|| no_date(now))?,
        event_ids: world.event_ids,
        env: world.env,
    })
}

fn no_date(micros: i64) -> String {
    format!("{micros} µs since 1970 is no date")
}

fn recorded(event: Event) -> Result<RecordedEvent, String> {
    let timestamp = event.timestamp;
    Ok(RecordedEvent {
        id: event.id,
        position: event.position,
        event_type: event.event_type,
        tags: event.tags,
        timestamp: DateTime::from_timestamp_micros(timestamp).ok_or_else(|| no_date(timestamp))?,
        correlation_id: event.correlation_id,
        causation_id: event.causation_id,
        triggering_event_id: event.triggering_event_id,
        idempotency_key: event.idempotency_key,
        encryption_scope: event.encryption_scope,
        encryption_key_id: event.encryption_key_id,
        schema_version: event.schema_version,
        author: Author {
            module: String::new(),
            version: String::new(),
            command: event.command,
        },
        payload: event.payload,
    })
}

fn event(event: RecordedEvent) -> Event {
    Event {
        id: event.id,
        position: event.position,
        event_type: event.event_type,
        tags: event.tags,
        timestamp: event.timestamp.timestamp_micros(),
        correlation_id: event.correlation_id,
        causation_id: event.causation_id,
        triggering_event_id: event.triggering_event_id,
        idempotency_key: event.idempotency_key,
        encryption_scope: event.encryption_scope,
        encryption_key_id: event.encryption_key_id,
        schema_version: event.schema_version,
        command: event.author.command,
        payload: event.payload,
    }
}

pub(super) fn command(trial: CommandTrial) -> Done {
    let ended = match trial.outcome {
        Ok(_) => Ended::Success,
        Err(error) => ended(error),
    };
    Done::Command {
        ended,
        emitted: trial.emitted.into_iter().map(event).collect(),
        queries: trial.queries.into_iter().map(query).collect(),
    }
}

fn ended(error: ExecuteError) -> Ended {
    match error {
        ExecuteError::Invalid {
            message,
            violations,
        } => Ended::Invalid {
            message,
            violations: violations
                .into_iter()
                .map(|it| (it.field, it.code, it.message))
                .collect(),
        },
        ExecuteError::Rejected {
            code,
            message,
            details,
        } => Ended::Rejected {
            code,
            message,
            details,
        },
        ExecuteError::Conflict { reason, .. } => Ended::Conflict(reason),
        ExecuteError::Crashed {
            crash: Crash::Panic { message, .. },
            ..
        } => Ended::Panicked(message),
        ExecuteError::Crashed { crash, .. } => Ended::Crashed(crash.to_string()),
        ExecuteError::Unavailable(reason) => Ended::Failed(reason),
        error => Ended::Failed(error.to_string()),
    }
}

fn query(query: Query) -> Vec<QueryItem> {
    let item = |item: host_minimal::store::QueryItem| QueryItem {
        types: item.types,
        tags: item.tags,
    };
    query.items.into_iter().map(item).collect()
}

pub(super) fn projector(trial: ProjectorTrial) -> Done {
    Done::Projector {
        failure: trial.failure.map(failure),
        tables: trial.tables.into_iter().map(table).collect(),
    }
}

pub(super) fn effect(delivery: Delivery, requests_before: usize) -> Done {
    Done::Effect {
        lanes: delivery.lanes,
        emitted: delivery.emitted.into_iter().map(event).collect(),
        shredded: delivery.shredded,
        failure: delivery.failure.map(failure),
        requests_before,
    }
}

fn failure(failure: TrialFailure) -> Failure {
    Failure {
        position: failure.position,
        message: failure.message,
        panic: failure.panic,
    }
}

fn table(table: trial::Table) -> Table {
    let row = |row: Vec<trial::Cell>| row.into_iter().map(cell).collect();
    Table {
        name: table.name,
        columns: table.columns,
        rows: table.rows.into_iter().map(row).collect(),
    }
}

fn cell(cell: trial::Cell) -> Cell {
    match cell {
        trial::Cell::Null => Cell::Null,
        trial::Cell::Integer(integer) => Cell::Integer(integer),
        trial::Cell::Real(real) => Cell::Real(format!("{real:?}")),
        trial::Cell::Text(text) => Cell::Text(text),
        trial::Cell::Blob(blob) => Cell::Blob(blob),
    }
}
