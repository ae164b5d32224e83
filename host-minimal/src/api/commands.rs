//! Running commands over HTTP.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::closing::Closing;
use super::observe::{CORRELATION_ID, Correlation};
use super::waiting::{ReachedBody, Wait};
use super::{Problem, blocking, read_body};
use crate::Host;
use crate::commands::{Call, Executed};
use crate::limits;

/// Where a client names the key under which its call is executed once.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

#[derive(Serialize)]
struct Answer {
    position: Option<u64>,
    events: Vec<EmittedBody>,
    attempts: u32,
    /// Whether every projector that was waited for has what was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    caught_up: Option<bool>,
    /// How far each of them is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    projectors: Vec<ReachedBody>,
}

#[derive(Serialize)]
struct EmittedBody {
    id: Uuid,
    event_type: String,
    domain_ids: Map<String, Value>,
}

/// The answer says in `X-Correlation-Id` which user action the events belong to. It is 200, or 202 where the command is done and a projector that was to be waited for
/// has not come so far in time: what is committed stays committed.
pub(super) async fn execute(
    State(host): State<Host>,
    Extension(mut closing): Extension<Closing>,
    Extension(Correlation(correlation_id)): Extension<Correlation>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let body = read_body(body, limits::INPUT_BYTES).await?;
    let wait = Wait::parse(head.uri.query().unwrap_or_default())?;
    id_header(&head.headers, CORRELATION_ID)?;
    let call = Call {
        correlation_id: Some(correlation_id),
        causation_id: None,
        triggering_event_id: None,
        idempotency_key: id_header(&head.headers, IDEMPOTENCY_KEY)?,
    };
    let input = String::from_utf8(body.into()).map_err(|error| {
        Problem::bad_request(
            "invalid-input",
            "Invalid input",
            format!("the body is not UTF-8: {error}"),
        )
    })?;
    if let Some(wait) = &wait {
        wait.check(&host).await?;
    }
    let executed = blocking({
        let host = host.clone();
        move || host.execute(&name, &input, &call)
    })
    .await??;
    let mut answer = Answer::from(executed);
    let mut status = StatusCode::OK;
    if let Some(wait) = wait {
        // A call that wrote nothing finds what it could read there already.
        let position = answer.position.unwrap_or(0);
        answer.projectors = wait.until(&host, position, &mut closing).await;
        let caught_up = answer.projectors.iter().all(|projector| projector.reached);
        answer.caught_up = Some(caught_up);
        if !caught_up {
            status = StatusCode::ACCEPTED;
        }
    }
    let headers = [(CORRELATION_ID, correlation_id.to_string())];
    Ok((status, headers, Json(answer)).into_response())
}

pub(super) async fn schema(
    State(host): State<Host>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let schema = blocking({
        let name = name.clone();
        move || host.schema(&name)
    })
    .await??;
    let schema = schema.ok_or_else(|| {
        Problem::not_found(
            "no-schema",
            "No schema",
            format!(
                "the command {name:?} does not tell its schema; derive JsonSchema on its input"
            ),
        )
    })?;
    Ok(([(CONTENT_TYPE, "application/schema+json")], schema).into_response())
}

fn id_header(headers: &HeaderMap, name: &str) -> Result<Option<Uuid>, Problem> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    value
        .to_str()
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .map(Some)
        .ok_or_else(|| {
            Problem::bad_request(
                "invalid-header",
                "Invalid header",
                format!("the header {name} must be a UUID"),
            )
        })
}

impl From<Executed> for Answer {
    fn from(executed: Executed) -> Self {
        let events = executed
            .events
            .into_iter()
            .map(|event| EmittedBody {
                id: event.id,
                event_type: event.event_type,
                domain_ids: by_name(event.domain_ids),
            })
            .collect();
        Self {
            position: executed.position,
            events,
            attempts: executed.attempts,
            caught_up: None,
            projectors: Vec::new(),
        }
    }
}

/// Domain ids as an object: a name with several values has a list.
fn by_name(domain_ids: Vec<(String, String)>) -> Map<String, Value> {
    let mut object = Map::new();
    for (name, value) in domain_ids {
        match object.get_mut(&name) {
            None => {
                object.insert(name, value.into());
            }
            Some(Value::Array(values)) => values.push(value.into()),
            Some(first) => *first = Value::Array(vec![first.take(), value.into()]),
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_several_values_has_a_list() {
        let ids = [
            ("shop_id", "1"),
            ("product_id", "7"),
            ("product_id", "8"),
            ("product_id", "9"),
        ];
        let ids = ids.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(
            Value::from(by_name(ids.to_vec())),
            serde_json::json!({"shop_id": "1", "product_id": ["7", "8", "9"]})
        );
    }
}
