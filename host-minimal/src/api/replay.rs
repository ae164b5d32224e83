//! Replays over HTTP.

use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::modules::parse_name;
use super::{Problem, blocking, millis};
use crate::Host;
use crate::replay::{ReplayError, ReplayFailure, ReplayStatus};

/// How a replay is doing.
#[derive(Debug, Serialize)]
pub(super) struct ReplayBody {
    name: String,
    version: String,
    /// The version that runs meanwhile, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    replaces: Option<String>,
    state: &'static str,
    position: u64,
    head: u64,
    events_per_second: Option<f64>,
    remaining_seconds: Option<f64>,
    started_at: String,
    ended_at: Option<String>,
    /// Why it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    cancelled: Option<String>,
    failure: Option<FailureBody>,
}

#[derive(Debug, Serialize)]
struct FailureBody {
    message: String,
    position: Option<u64>,
    event_id: Option<Uuid>,
    event_type: Option<String>,
}

pub(super) async fn begin(
    State(host): State<Host>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<ReplayBody>), Problem> {
    let name = parse_name(&name)?;
    let status = blocking(move || host.replay(&name)).await??;
    Ok((StatusCode::ACCEPTED, Json(status.into())))
}

pub(super) async fn status(
    State(host): State<Host>,
    Path(name): Path<String>,
) -> Result<Json<ReplayBody>, Problem> {
    let name = parse_name(&name)?;
    let status = blocking(move || match host.replay_status(&name)? {
        Some(status) => Ok(status),
        None => Err(ReplayError::NoReplay(name)),
    });
    Ok(Json(status.await??.into()))
}

pub(super) async fn cancel(
    State(host): State<Host>,
    Path(name): Path<String>,
) -> Result<Json<ReplayBody>, Problem> {
    let name = parse_name(&name)?;
    let status = blocking(move || host.cancel_replay(&name)).await??;
    Ok(Json(status.into()))
}

pub(super) async fn effect(
    State(host): State<Host>,
    Path(name): Path<String>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let name = parse_name(&name)?;
    let answer = json!({ "name": name.as_str(), "state": "replaying" });
    blocking(move || host.replay_effect(&name)).await??;
    Ok((StatusCode::ACCEPTED, Json(answer)))
}

impl From<ReplayStatus> for ReplayBody {
    fn from(status: ReplayStatus) -> Self {
        // More digits than are meant would only be noise.
        let rounded = |number: f64| (number * 1_000.0).round() / 1_000.0;
        Self {
            name: status.projector.to_string(),
            version: status.version.to_string(),
            replaces: status.replaces.map(|version| version.to_string()),
            state: status.state.as_str(),
            position: status.position,
            head: status.head,
            events_per_second: status.events_per_second.map(rounded),
            remaining_seconds: status.remaining.map(|time| rounded(time.as_secs_f64())),
            started_at: millis(status.started_at),
            ended_at: status.ended_at.map(millis),
            cancelled: status.cancelled,
            failure: status.failure.map(FailureBody::from),
        }
    }
}

impl From<ReplayFailure> for FailureBody {
    fn from(failure: ReplayFailure) -> Self {
        let ReplayFailure {
            message,
            position,
            event_id,
            event_type,
        } = failure;
        Self {
            message,
            position,
            event_id,
            event_type,
        }
    }
}
