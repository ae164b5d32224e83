//! The HTTP API: JSON in and out, RFC 9457 problem documents for errors.
//!
//! | request | answer |
//! |---|---|
//! | `GET /health` | 200 once every active module is subscribed or paused, else 503 |
//! | `POST /commands/{name}/execute` | runs a command with the body as its input; with `?wait_for=plans,other&timeout=5s` it answers when these projectors have what was written, or with 202 when the time is over |
//! | `GET /commands/{name}/schema` | the JSON Schema of its input |
//! | `POST /{kinds}/{name}/versions/{version}` | stores a component (the body); each `X-Umari-Env` header is one `NAME=value`, percent-encoded |
//! | `PUT`, `DELETE /{kinds}/{name}/active` | swaps or stops what runs |
//! | `GET /{kinds}`, `GET /{kinds}/{name}` | what is stored |
//! | `POST /{projectors,effects}/{name}/pause`, `.../resume` | lets it rest, over restarts and swaps, or go on |
//! | `POST /projectors/{name}/query` | what a read model answers to SQL that only reads |
//! | `GET /modules` | how what is active is doing |
//! | `GET /events`, `GET /events/{id}` | the log; one event by its id or its position |
//! | `GET /events/stream` | the log as server-sent events, from now on or behind `after` or `Last-Event-ID` |
//! | `GET /keys` | the scopes that have data keys or were shredded: `?prefix=shop_id:&after=&limit=` |
//! | `DELETE /keys/{scope}` | shreds a scope, for good: `?reason=&requested_by=`, and `&allow_unknown=true` for one that never had a key |
//! | `GET /keys/audit` | the record of what was done to keys: `?after=&limit=` |
//! | `GET /correlations/{id}` | what one user action led to: executions, their events, and what triggered them |
//!
//! `{kinds}` is `commands`, `projectors` or `effects`.

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, post, put};
use axum::{Extension, Router};
use http::header::AUTHORIZATION;
use http_body_util::BodyExt;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

mod closing;
mod commands;
mod correlations;
mod events;
mod health;
mod keys;
mod modules;
mod problem;
mod projectors;
mod server;
mod stream;
mod subscriptions;
mod waiting;

use self::closing::Closing;
pub use self::problem::Problem;
pub use self::server::{BindError, Server};
use self::stream::Streams;

use crate::Host;
use crate::limits;
use crate::modules::ModuleKind;

/// Who may use the API.
#[derive(Debug, Clone, Default)]
pub struct Access {
    key: Option<[u8; 32]>,
}

impl Access {
    /// Everyone who can reach the address.
    pub fn open() -> Self {
        Self::default()
    }

    /// Whoever sends `Authorization: Bearer <key>`; `/health` stays open.
    pub fn with_key(key: &str) -> Self {
        Self {
            key: Some(Sha256::digest(key.as_bytes()).into()),
        }
    }

    /// Whether anyone who can reach the address may use the API.
    pub fn is_open(&self) -> bool {
        self.key.is_none()
    }

    fn admits(&self, request: &Request) -> bool {
        let Some(expected) = &self.key else {
            return true;
        };
        let given = request
            .headers()
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        let Some(given) = given.and_then(|value| value.strip_prefix("Bearer ")) else {
            return false;
        };
        Sha256::digest(given.trim().as_bytes())
            .as_slice()
            .ct_eq(expected)
            .into()
    }
}

/// The API of `host` as a router.
pub fn router(host: Host, access: Access) -> Router {
    let (_, closing) = Closing::channel();
    router_until(host, access, closing)
}

/// The same, with waits and streams that end when `closing` begins.
fn router_until(host: Host, access: Access, closing: Closing) -> Router {
    let mut router = Router::new()
        .route("/modules", get(health::modules))
        .route("/events", get(events::list))
        .route("/events/stream", get(stream::stream))
        .route("/events/{id}", get(events::one))
        .route("/correlations/{id}", get(correlations::graph))
        .route("/keys", get(keys::list))
        .route("/keys/audit", get(keys::audit))
        .route("/keys/{scope}", delete(keys::shred))
        .route("/commands/{name}/execute", post(commands::execute))
        .route("/commands/{name}/schema", get(commands::schema))
        .route("/projectors/{name}/query", post(projectors::query));
    for kind in ModuleKind::ALL {
        let kinds = kind.plural();
        router = router
            .route(
                &format!("/{kinds}"),
                get(move |host| modules::list(host, kind)),
            )
            .route(
                &format!("/{kinds}/{{name}}"),
                get(move |host, path| modules::one(host, path, kind)),
            )
            .route(
                &format!("/{kinds}/{{name}}/versions/{{version}}"),
                post(move |host, path, request| modules::upload(host, path, request, kind)),
            )
            .route(
                &format!("/{kinds}/{{name}}/active"),
                put(move |host, path, request| modules::activate(host, path, request, kind))
                    .delete(move |host, path| modules::deactivate(host, path, kind)),
            );
    }
    for kind in [ModuleKind::Projector, ModuleKind::Effect] {
        let kinds = kind.plural();
        router = router
            .route(
                &format!("/{kinds}/{{name}}/pause"),
                post(move |host, path| subscriptions::pause(host, path, kind)),
            )
            .route(
                &format!("/{kinds}/{{name}}/resume"),
                post(move |host, path| subscriptions::resume(host, path, kind)),
            );
    }
    router
        .layer(from_fn_with_state(Arc::new(access), authorise))
        .layer(Extension(closing))
        .layer(Extension(Streams::default()))
        .route("/health", get(health::health))
        .fallback(async |request: Request| Problem::no_such_resource(request.uri().path()))
        .method_not_allowed_fallback(async |request: Request| {
            Problem::method_not_allowed(request.method(), request.uri().path())
        })
        .with_state(host)
}

async fn authorise(
    access: axum::extract::State<Arc<Access>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if access.admits(&request) {
        return Ok(next.run(request).await);
    }
    discard_body(request.into_body()).await;
    Err(Problem::unauthorized())
}

/// Reads a body that nobody wants, within bounds, so that the client gets to read the answer
/// instead of losing the connection while it still sends.
async fn discard_body(body: axum::body::Body) {
    let body = http_body_util::Limited::new(body, limits::MODULE_BYTES);
    let mut body = std::pin::pin!(body);
    let read = async { while let Some(Ok(_frame)) = body.as_mut().frame().await {} };
    // Past the bounds the connection may break: the client had its chance.
    let _ = tokio::time::timeout(limits::REQUEST_HEAD_DEADLINE, read).await;
}

/// Runs what blocks where blocking is allowed.
async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(call).await.map_err(|error| {
        tracing::error!("a request ended in a bug of the host: {error}");
        Problem::internal()
    })
}

/// Reads a body of `limit` bytes at most.
async fn read_body(body: axum::body::Body, limit: usize) -> Result<bytes::Bytes, Problem> {
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        use std::error::Error;
        let too_large = error
            .source()
            .is_some_and(<dyn Error>::is::<http_body_util::LengthLimitError>);
        if too_large {
            Problem::too_large(limit)
        } else {
            Problem::unreadable_body(&error)
        }
    })
}
