//! Making, listing and revoking API keys over HTTP.

use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use chrono::{DateTime, Utc};
use http::StatusCode;
use http::header::{CACHE_CONTROL, LOCATION};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::access::{Access, Caller};
use super::{Problem, blocking, read_body};
use crate::Host;
use crate::api_keys::{ApiKey, Scope, Scopes};
use crate::limits;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    name: String,
    scopes: Vec<String>,
}

#[derive(Serialize)]
struct ApiKeyBody {
    id: Uuid,
    name: String,
    scopes: Vec<&'static str>,
    created_at: String,
    /// The hour in which it was used last.
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

#[derive(Serialize)]
struct NewApiKeyBody {
    key: String,
    #[serde(flatten)]
    record: ApiKeyBody,
}

pub(super) async fn create(
    State(host): State<Host>,
    Extension(access): Extension<Access>,
    Extension(caller): Extension<Caller>,
    request: Request,
) -> Result<Response, Problem> {
    let body = read_body(request.into_body(), limits::INPUT_BYTES).await?;
    let invalid = |detail: String| Problem::bad_request("invalid-body", "Invalid body", detail);
    let order: Order = serde_json::from_slice(&body).map_err(|error| {
        invalid(format!(
            "the body must be {{\"name\": \"ci\", \"scopes\": [\"deploy\"]}}: {error}"
        ))
    })?;
    let scopes: Scopes = order
        .scopes
        .iter()
        .map(|scope| scope.parse::<Scope>())
        .collect::<Result<_, _>>()
        .map_err(|error| invalid(error.to_string()))?;
    let made = blocking(move || {
        host.api_keys()
            .create(&order.name, scopes, !access.is_open())
    })
    .await??;
    tracing::info!(
        "{caller} made the API key {:?} for {}",
        made.record.name,
        made.record.scopes
    );
    let headers = [
        (LOCATION, format!("/api-keys/{}", made.record.id)),
        // The only sight of it is the client's.
        (CACHE_CONTROL, "no-store".to_owned()),
    ];
    let body = NewApiKeyBody {
        key: made.key,
        record: made.record.into(),
    };
    Ok((StatusCode::CREATED, headers, Json(body)).into_response())
}

pub(super) async fn list(State(host): State<Host>) -> Result<Json<Value>, Problem> {
    let keys = blocking(move || host.api_keys().list()).await??;
    let keys: Vec<ApiKeyBody> = keys.into_iter().map(ApiKeyBody::from).collect();
    Ok(Json(json!({ "api_keys": keys })))
}

pub(super) async fn revoke(
    State(host): State<Host>,
    Extension(access): Extension<Access>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
) -> Result<StatusCode, Problem> {
    let id: Uuid = id.parse().map_err(|_| {
        Problem::bad_request("invalid-id", "Invalid id", format!("{id:?} is not a UUID"))
    })?;
    let was_valid = blocking(move || host.api_keys().revoke(id, !access.is_open())).await??;
    if was_valid {
        tracing::info!("{caller} revoked the API key {id}");
    }
    Ok(StatusCode::NO_CONTENT)
}

impl From<ApiKey> for ApiKeyBody {
    fn from(key: ApiKey) -> Self {
        let text = |time: DateTime<Utc>| time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        Self {
            id: key.id,
            name: key.name,
            scopes: key.scopes.iter().map(Scope::as_str).collect(),
            created_at: text(key.created_at),
            last_used_at: key.last_used_at.map(text),
            revoked_at: key.revoked_at.map(text),
        }
    }
}
