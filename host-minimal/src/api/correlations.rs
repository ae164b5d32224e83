//! What one user action led to: the executions of commands that share its correlation id.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;
use uuid::Uuid;

use super::events::{AuthorBody, EventBody};
use super::{Problem, blocking};
use crate::Host;
use crate::limits;
use crate::store::{EventFilter, ReadError, RecordedEvent};

/// A causal chain. It is a list and not nested, because a chain may be longer than JSON parsers
/// nest: the edges are the events' ids, each in the execution that wrote the event, and in
/// `triggering_event_id` of the executions that the event led to.
#[derive(Serialize)]
pub(super) struct Graph {
    correlation_id: Uuid,
    /// In the order of their first events.
    executions: Vec<Execution>,
    /// Whether there are more events than are shown.
    truncated: bool,
}

/// One execution of a command, which wrote all its events at once.
#[derive(Serialize)]
struct Execution {
    causation_id: Uuid,
    /// The event whose effect called the command; absent at the root.
    triggering_event_id: Option<Uuid>,
    author: AuthorBody,
    events: Vec<EventBody>,
}

pub(super) async fn graph(
    State(host): State<Host>,
    Path(id): Path<String>,
) -> Result<Json<Graph>, Problem> {
    let id: Uuid = id.parse().map_err(|_| {
        Problem::bad_request("invalid-id", "Invalid id", format!("{id:?} is not a UUID"))
    })?;
    let (events, truncated) = blocking(move || chain(&host, id)).await??;
    if events.is_empty() {
        return Err(Problem::not_found(
            "unknown-correlation",
            "Unknown correlation",
            format!("no event has the correlation id {id}"),
        ));
    }
    Ok(Json(Graph {
        correlation_id: id,
        executions: executions(events),
        truncated,
    }))
}

/// The events of the chain, and whether there are more.
fn chain(host: &Host, id: Uuid) -> Result<(Vec<RecordedEvent>, bool), ReadError> {
    let filter = EventFilter {
        correlation_id: Some(id),
        ..EventFilter::default()
    };
    let events = host.events(&filter, 0, limits::CORRELATION_EVENTS)?;
    let truncated = match events.last() {
        Some(last) if events.len() == limits::CORRELATION_EVENTS => {
            !host.events(&filter, last.position, 1)?.is_empty()
        }
        _ => false,
    };
    Ok((events, truncated))
}

fn executions(events: Vec<RecordedEvent>) -> Vec<Execution> {
    let mut executions: Vec<Execution> = Vec::new();
    for event in events {
        // An execution appends once, so its events are neighbours.
        match executions.last_mut() {
            Some(last) if last.causation_id == event.causation_id => last.events.push(event.into()),
            _ => executions.push(Execution {
                causation_id: event.causation_id,
                triggering_event_id: event.triggering_event_id,
                author: event.author.clone().into(),
                events: vec![event.into()],
            }),
        }
    }
    executions
}
