//! The HTTP side: `POST /webhooks` and `GET /registrations`.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};

use crate::registrations::{MAX_REGISTRATIONS, Outcome, Registrations, Webhook};

/// The longest request body, in bytes.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// The longest shop domain, topic and key, in bytes.
const MAX_TEXT_BYTES: usize = 255;

type Shared = Arc<Mutex<Registrations>>;

/// The service, with nothing registered yet.
pub(crate) fn router() -> Router {
    let registrations = Registrations::with_capacity(MAX_REGISTRATIONS);
    Router::new()
        .route("/webhooks", post(register))
        .route("/registrations", get(report))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(Arc::new(Mutex::new(registrations)))
}

/// Prints one line. Nobody reading it is no reason to stop.
pub(crate) fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

async fn register(
    State(registrations): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let (key, webhook) = match read(&headers, &body) {
        Ok(request) => request,
        Err((status, reason)) => return (status, format!("{reason}\n")),
    };
    let Webhook { shop_domain, topic } = &webhook;
    let what = format!("{topic} for {shop_domain}");

    let (status, done) = match lock(&registrations).register(key, webhook) {
        Outcome::Registered => (StatusCode::CREATED, "registered"),
        Outcome::Duplicate => (StatusCode::OK, "registered before:"),
        Outcome::KeyReused => (
            StatusCode::CONFLICT,
            "refused, as the Idempotency-Key belongs to another registration:",
        ),
        Outcome::Full => (
            StatusCode::INSUFFICIENT_STORAGE,
            "refused, as no more registrations are kept:",
        ),
    };
    let line = format!("{done} {what}");
    print(&line);
    (status, format!("{line}\n"))
}

async fn report(State(registrations): State<Shared>) -> Response {
    Json(lock(&registrations).report()).into_response()
}

/// What the caller wants and the key it gave, or what is wrong with the request.
fn read(headers: &HeaderMap, body: &[u8]) -> Result<(String, Webhook), (StatusCode, String)> {
    let bad = |reason: String| (StatusCode::BAD_REQUEST, reason);

    if !headers.contains_key(header::AUTHORIZATION) {
        return Err((StatusCode::UNAUTHORIZED, "Authorization is missing".into()));
    }
    let key = headers
        .get("Idempotency-Key")
        .ok_or_else(|| bad("Idempotency-Key is missing".into()))?
        .to_str()
        .map_err(|_| bad("Idempotency-Key is not visible ASCII".into()))?;
    let webhook: Webhook =
        serde_json::from_slice(body).map_err(|error| bad(format!("body: {error}")))?;

    for (name, text) in [
        ("Idempotency-Key", key),
        ("shop_domain", &webhook.shop_domain),
        ("topic", &webhook.topic),
    ] {
        if text.is_empty() || text.len() > MAX_TEXT_BYTES || text.contains(char::is_control) {
            return Err(bad(format!(
                "{name} must be 1 to {MAX_TEXT_BYTES} bytes without control characters"
            )));
        }
    }
    Ok((key.to_owned(), webhook))
}

fn lock(registrations: &Mutex<Registrations>) -> MutexGuard<'_, Registrations> {
    registrations.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
