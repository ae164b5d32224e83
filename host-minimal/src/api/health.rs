//! How the host is doing.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::replay::ReplayBody;
use super::{Problem, blocking};
use crate::Host;
use crate::host::ModuleStatus;
use crate::subscriptions::Failure;

#[derive(Serialize)]
struct ModuleBody {
    kind: &'static str,
    name: String,
    version: String,
    status: &'static str,
    healthy: bool,
    /// Everything up to here is handled; commands follow no events.
    position: Option<u64>,
    head: u64,
    last_error: Option<ErrorBody>,
    /// A read model that is being built anew, or could not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<ReplayBody>,
}

#[derive(Serialize)]
struct ErrorBody {
    message: String,
    position: Option<u64>,
    event_id: Option<Uuid>,
    event_type: Option<String>,
    attempts: Option<u32>,
    retry_at: Option<String>,
}

pub(super) async fn health(State(host): State<Host>) -> Result<Response, Problem> {
    let (health, head) =
        blocking(move || -> Result<_, Problem> { Ok((host.health()?, host.head()?)) }).await??;
    let is_healthy = health.is_healthy();
    let bodies = |modules: Vec<ModuleStatus>| -> Vec<ModuleBody> {
        let modules = modules.into_iter();
        modules.map(|module| ModuleBody::of(module, head)).collect()
    };
    let paused = bodies(health.paused);
    if is_healthy {
        return Ok(Json(json!({ "status": "healthy", "paused": paused })).into_response());
    }
    let body = json!({
        "status": "unhealthy",
        "modules": bodies(health.unhealthy),
        "paused": paused,
        "event_store": health.store_failure,
    });
    Ok((StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response())
}

pub(super) async fn modules(State(host): State<Host>) -> Result<Response, Problem> {
    let (modules, head) =
        blocking(move || -> Result<_, Problem> { Ok((host.modules()?, host.head()?)) }).await??;
    let modules: Vec<ModuleBody> = modules
        .into_iter()
        .map(|module| ModuleBody::of(module, head))
        .collect();
    Ok(Json(json!({ "modules": modules })).into_response())
}

impl ModuleBody {
    fn of(module: ModuleStatus, head: u64) -> Self {
        let (status, healthy) = (module.word(), module.is_healthy());
        let position = module
            .subscription
            .as_ref()
            .map(|subscription| subscription.position);
        let failure = module
            .subscription
            .and_then(|subscription| subscription.failure);
        Self {
            kind: module.kind.as_str(),
            name: module.name.to_string(),
            version: module.version.to_string(),
            status,
            healthy,
            position,
            head,
            last_error: module
                .broken
                .map(ErrorBody::broken)
                .or(failure.map(ErrorBody::from)),
            replay: module.replay.map(ReplayBody::from),
        }
    }
}

impl ErrorBody {
    fn broken(message: String) -> Self {
        Self {
            message,
            position: None,
            event_id: None,
            event_type: None,
            attempts: None,
            retry_at: None,
        }
    }
}

impl From<Failure> for ErrorBody {
    fn from(failure: Failure) -> Self {
        Self {
            message: failure.message,
            position: failure.position,
            event_id: failure.event_id,
            event_type: failure.event_type,
            attempts: Some(failure.attempts),
            retry_at: Some(
                failure
                    .retry_at
                    .to_rfc3339_opts(chrono::SecondsFormat::Millis, true),
            ),
        }
    }
}
