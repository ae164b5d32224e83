//! Events that an effect cannot handle: parked, listed, delivered once more, or dropped.

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::modules::parse_name;
use super::{Problem, blocking, millis, read_body};
use crate::Host;
use crate::limits;
use crate::subscriptions::{FailedEvent, ParkOutcome, RetryOutcome};

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct ParkBody {
    position: Option<u64>,
}

#[derive(Serialize)]
struct EventBody {
    position: u64,
    event_id: Uuid,
    event_type: String,
    attempts: u32,
    last_error: String,
    failed_at: String,
    state: &'static str,
}

pub(super) async fn park(
    State(host): State<Host>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let body = read_body(request.into_body(), limits::INPUT_BYTES).await?;
    let name = parse_name(&name)?;
    let wanted = parse_wish(&body)?;
    let outcome = blocking(move || host.park(&name, wanted.position)).await??;
    Ok(match outcome {
        ParkOutcome::Parked(event) => {
            let body = json!({ "outcome": "parked", "event": EventBody::from(event) });
            Json(body).into_response()
        }
        ParkOutcome::Pending { position } => {
            let body = json!({ "outcome": "pending", "position": position });
            (StatusCode::ACCEPTED, Json(body)).into_response()
        }
    })
}

/// A projector's rows depend on the order of its events.
pub(super) async fn refuse(Path(name): Path<String>) -> Result<Response, Problem> {
    let name = parse_name(&name)?;
    Err(Problem::new(
        StatusCode::CONFLICT,
        "order-matters",
        "Order matters",
        format!(
            "the projector {name} cannot park events: its rows depend on their order, so what \
             passes one by is no longer what the log says. Deploy a version that can handle the \
             event, or one that skips it on purpose"
        ),
    ))
}

pub(super) async fn list(
    State(host): State<Host>,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let name = parse_name(&name)?;
    let parked = blocking({
        let name = name.clone();
        move || host.parked(&name)
    })
    .await??;
    let parked: Vec<EventBody> = parked.into_iter().map(EventBody::from).collect();
    Ok(Json(json!({ "name": name.as_str(), "parked": parked })))
}

pub(super) async fn retry(
    State(host): State<Host>,
    Path((name, position)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (name, position) = (parse_name(&name)?, parse_position(&position)?);
    let outcome = blocking(move || host.retry_parked(&name, position)).await??;
    let (status, outcome, event) = match outcome {
        RetryOutcome::Handled => (StatusCode::OK, "handled", None),
        RetryOutcome::Failed(event) => (StatusCode::OK, "failed", Some(event)),
        RetryOutcome::Pending(event) => (StatusCode::ACCEPTED, "pending", Some(event)),
    };
    let mut body = json!({ "outcome": outcome, "position": position });
    if let Some(event) = event {
        body["event"] = json!(EventBody::from(event));
    }
    Ok((status, Json(body)).into_response())
}

pub(super) async fn discard(
    State(host): State<Host>,
    Path((name, position)): Path<(String, String)>,
) -> Result<Json<Value>, Problem> {
    let (name, position) = (parse_name(&name)?, parse_position(&position)?);
    let event = blocking(move || host.drop_parked(&name, position)).await??;
    let body = json!({ "outcome": "dropped", "event": EventBody::from(event) });
    Ok(Json(body))
}

fn parse_wish(body: &[u8]) -> Result<ParkBody, Problem> {
    if body.is_empty() {
        return Ok(ParkBody::default());
    }
    serde_json::from_slice(body).map_err(|error| {
        Problem::bad_request(
            "invalid-body",
            "Invalid body",
            format!(
                "the body must be {{\"position\": 17}}, or nothing for the first event that fails: \
                 {error}"
            ),
        )
    })
}

fn parse_position(text: &str) -> Result<u64, Problem> {
    text.parse().map_err(|_| {
        Problem::bad_request(
            "invalid-position",
            "Invalid position",
            format!("{text:?} is not a position such as 17"),
        )
    })
}

impl From<FailedEvent> for EventBody {
    fn from(event: FailedEvent) -> Self {
        Self {
            position: event.position,
            event_id: event.event_id,
            event_type: event.event_type,
            attempts: event.attempts,
            last_error: event.error,
            failed_at: millis(event.failed_at),
            state: event.state.as_str(),
        }
    }
}
