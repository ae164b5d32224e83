//! How the host is doing.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use http::StatusCode;
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::replay::ReplayBody;
use super::{Problem, blocking, millis};
use crate::Host;
use crate::host::ModuleStatus;
use crate::subscriptions::Failure;

#[derive(Serialize)]
pub(super) struct ModuleBody {
    kind: &'static str,
    name: String,
    version: String,
    status: &'static str,
    healthy: bool,
    /// Everything up to here is handled; commands follow no events.
    position: Option<u64>,
    head: u64,
    /// Positions between the two.
    lag: Option<u64>,
    /// Over the last few seconds.
    events_per_second: Option<f64>,
    /// Why it stands still, if it does.
    last_error: Option<ErrorBody>,
    /// A read model that is being built anew, or could not be.
    #[serde(skip_serializing_if = "Option::is_none")]
    replay: Option<ReplayBody>,
    /// The failure that came last, also where it is over by now.
    last_failure: Option<ErrorBody>,
}

#[derive(Serialize)]
struct ErrorBody {
    message: String,
    position: Option<u64>,
    event_id: Option<Uuid>,
    event_type: Option<String>,
    attempts: Option<u32>,
    failed_at: Option<String>,
    retry_at: Option<String>,
    /// The functions that the module was in where it crashed, the innermost first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    backtrace: Vec<String>,
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
    pub(super) fn of(module: ModuleStatus, head: u64) -> Self {
        let (status, healthy) = (module.word(), module.is_healthy());
        let ModuleStatus {
            kind,
            name,
            version,
            subscription,
            broken,
            replay,
        } = module;
        let position = subscription.as_ref().map(|follows| follows.position);
        let events_per_second = subscription
            .as_ref()
            .map(|follows| (follows.events_per_second * 10.0).round() / 10.0);
        let (failure, last_failure) = subscription
            .map(|follows| (follows.failure, follows.last_failure))
            .unwrap_or_default();
        Self {
            kind: kind.as_str(),
            name: name.to_string(),
            version: version.to_string(),
            status,
            healthy,
            position,
            head,
            // The head may have been read before the position.
            lag: position.map(|position| head.saturating_sub(position)),
            events_per_second,
            last_error: broken
                .map(ErrorBody::broken)
                .or(failure.map(ErrorBody::from)),
            replay: replay.map(ReplayBody::from),
            last_failure: last_failure.map(|failure| ErrorBody {
                retry_at: None,
                ..failure.into()
            }),
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
            failed_at: None,
            retry_at: None,
            backtrace: Vec::new(),
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
            failed_at: Some(millis(failure.failed_at)),
            retry_at: Some(millis(failure.retry_at)),
            backtrace: failure.backtrace,
        }
    }
}
