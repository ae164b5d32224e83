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
//! | `POST /effects/{name}/park` | puts an event that fails aside: that at `position` in the body, or the first |
//! | `GET /effects/{name}/parked` | what is parked |
//! | `POST /effects/{name}/parked/{position}/retry` | delivers it once more |
//! | `DELETE /effects/{name}/parked/{position}` | drops it for good |
//! | `POST /projectors/{name}/query` | what a read model answers to SQL that only reads |
//! | `POST`, `GET`, `DELETE /projectors/{name}/replay` | begins to build a read model anew; how far that is; gives it up |
//! | `GET /projectors/{name}/as-of` | what a read model said at `?until=`, a position or a time: a SQLite database; a time stands for the last event whose date is not later, and `X-Umari-Position` says which that is |
//! | `POST /effects/{name}/replay` | has an effect handle the whole log again |
//! | `GET /openapi.json` | all of this for programs: OpenAPI 3.1, with an operation for each active command |
//! | `GET /metrics` | figures for Prometheus |
//! | `GET /modules` | how what is active is doing |
//! | `GET /events`, `GET /events/{id}` | the log; one event by its id or its position |
//! | `GET /events/stream` | the log as server-sent events, from now on or behind `after` or `Last-Event-ID` |
//! | `GET /keys` | the scopes that have data keys or were shredded: `?prefix=shop_id:&after=&limit=` |
//! | `DELETE /keys/{scope}` | shreds a scope, for good: `?reason=&requested_by=`, `&allow_unknown=true` for one that never had a key, and `&replay=true` to replay the projectors that have read it; the answer names who has |
//! | `POST /keys/rotate` | wraps all data keys with a new master key, where it is in the data directory: `?reason=&requested_by=` |
//! | `GET /keys/audit` | the record of what was done to keys: `?after=&limit=` |
//! | `GET /backup` | the log, or what came behind `after`, as [lines](crate::backup); `keys=none` leaves the data keys out |
//! | `GET /correlations/{id}` | what one user action led to: executions, their events, and what triggered them |
//! | `POST /api-keys`, `GET /api-keys`, `DELETE /api-keys/{id}` | makes a key, which is shown this once; lists them; revokes one |
//!
//! `{kinds}` is `commands`, `projectors` or `effects`.
//!
//! A key is sent as `Authorization: Bearer <key>`. The one that the server was started with may do
//! everything; an API key may do what its scopes say: `read` for whatever is only read, `execute` for
//! commands, `deploy` for what changes modules, and `admin` for everything and alone for keys.
//! Without any key of either sort nobody is asked for one, which is why such a server listens on
//! loopback only.

//!
//! An answer of 503 has `Retry-After` where the condition passes by itself, and only there:
//!
//! | `code` | passes |
//! |---|---|
//! | `overloaded`, `too-many-connections`, `too-many-streams`, `too-many-queries`, `too-many-replays`, `too-many-backups`, `no-threads` | when others have ended |
//! | `projector-not-ready` | when the projector has made its read model |
//! | `store-unavailable`, `outcome-unknown` | when somebody has seen to the disk, and the host was started again |
//! | `data-key-lost` | when the key is restored, or its loss accepted |
//! | `shutting-down` | when somebody starts the host again |

use std::error::Error;

use axum::extract::Request;
use axum::middleware::from_fn_with_state;
use axum::{Extension, Router};
use chrono::{DateTime, SecondsFormat, Utc};
use http_body_util::BodyExt;

mod access;
mod api_keys;
mod as_of;
mod backup;
mod closing;
mod commands;
mod correlations;
mod events;
mod health;
mod keys;
mod modules;
mod observe;
mod openapi;
mod pace;
mod parameters;
mod parked;
mod problem;
mod projectors;
mod replay;
mod routes;
mod server;
mod stream;
mod subscriptions;
mod waiting;

pub use self::access::Access;
use self::backup::Backups;
use self::closing::Closing;
pub use self::keys::audit_entry;
use self::openapi::Table;
use self::pace::{Pace, SlowBody};
pub use self::problem::Problem;
use self::routes::Routes;
pub use self::server::{BindError, Server, ServerSettings};
use self::stream::Streams;

use crate::Host;
use crate::api_keys::Scope;
use crate::limits;
use crate::modules::ModuleKind;

/// The API of `host` as a router.
pub fn router(host: Host, access: Access) -> Router {
    let (_, closing) = Closing::channel();
    router_until(host, access, closing, &ServerSettings::default())
}

/// The same, with waits and streams that end when `closing` begins.
fn router_until(host: Host, access: Access, closing: Closing, settings: &ServerSettings) -> Router {
    let (router, table) = routes(host.clone(), access.clone()).finish();
    router
        .layer(Extension(Table(table.into())))
        .layer(Extension(access))
        .layer(Extension(closing))
        .layer(Extension(Streams::default()))
        .layer(Extension(Backups::default()))
        .fallback(async |request: Request| Problem::no_such_resource(request.uri().path()))
        .method_not_allowed_fallback(async |request: Request| {
            Problem::method_not_allowed(request.method(), request.uri().path())
        })
        .layer(from_fn_with_state(Pace::from(settings), pace::keep))
        .layer(from_fn_with_state(host.clone(), observe::observe))
        .with_state(host)
}

const REPLAY: &str = "/projectors/{name}/replay";

/// Who may do what. A new route comes here, with its scope.
fn routes(host: Host, access: Access) -> Routes {
    let mut routes = Routes::new(host, access)
        .get_open("/health", health::health)
        .get(Scope::Read, "/openapi.json", openapi::document)
        .get(Scope::Read, "/metrics", observe::metrics)
        .get(Scope::Read, "/modules", health::modules)
        .get(Scope::Read, "/events", events::list)
        .get(Scope::Read, "/events/stream", stream::stream)
        .get(Scope::Read, "/events/{id}", events::one)
        .get(Scope::Read, "/correlations/{id}", correlations::graph)
        .post(
            Scope::Execute,
            "/commands/{name}/execute",
            commands::execute,
        )
        .get(Scope::Read, "/commands/{name}/schema", commands::schema)
        .post(Scope::Read, "/projectors/{name}/query", projectors::query)
        .get(Scope::Admin, "/backup", backup::backup)
        .post(Scope::Deploy, REPLAY, replay::begin)
        .get(Scope::Read, REPLAY, replay::status)
        .delete(Scope::Deploy, REPLAY, replay::cancel)
        .get(Scope::Read, "/projectors/{name}/as-of", as_of::as_of)
        .post(Scope::Deploy, "/effects/{name}/replay", replay::effect)
        .post(Scope::Deploy, "/projectors/{name}/park", parked::refuse)
        .post(Scope::Deploy, "/effects/{name}/park", parked::park)
        .get(Scope::Read, "/effects/{name}/parked", parked::list)
        .post(
            Scope::Deploy,
            "/effects/{name}/parked/{position}/retry",
            parked::retry,
        )
        .delete(
            Scope::Deploy,
            "/effects/{name}/parked/{position}",
            parked::discard,
        )
        .get(Scope::Admin, "/keys", keys::list)
        .get(Scope::Admin, "/keys/audit", keys::audit)
        .post(Scope::Admin, "/keys/rotate", keys::rotate)
        .delete(Scope::Admin, "/keys/{scope}", keys::shred)
        .get(Scope::Admin, "/api-keys", api_keys::list)
        .post(Scope::Admin, "/api-keys", api_keys::create)
        .delete(Scope::Admin, "/api-keys/{id}", api_keys::revoke);
    for kind in ModuleKind::ALL {
        routes = of_kind(routes, kind);
    }
    for kind in [ModuleKind::Projector, ModuleKind::Effect] {
        routes = of_subscription(routes, kind);
    }
    routes
}

/// The routes that every kind of modules has.
fn of_kind(routes: Routes, kind: ModuleKind) -> Routes {
    let all = format!("/{}", kind.plural());
    let one = format!("{all}/{{name}}");
    let version = format!("{one}/versions/{{version}}");
    let active = format!("{one}/active");
    routes
        .get(Scope::Read, &all, move |host| modules::list(host, kind))
        .get(Scope::Read, &one, move |host, path| {
            modules::one(host, path, kind)
        })
        .post(Scope::Deploy, &version, move |host, path, request| {
            modules::upload(host, path, request, kind)
        })
        .put(Scope::Deploy, &active, move |host, path, request| {
            modules::activate(host, path, request, kind)
        })
        .delete(Scope::Deploy, &active, move |host, path| {
            modules::deactivate(host, path, kind)
        })
}

/// The routes of those that follow the log.
fn of_subscription(routes: Routes, kind: ModuleKind) -> Routes {
    let one = format!("/{}/{{name}}", kind.plural());
    routes
        .post(Scope::Deploy, &format!("{one}/pause"), move |host, path| {
            subscriptions::pause(host, path, kind)
        })
        .post(
            Scope::Deploy,
            &format!("{one}/resume"),
            move |host, path| subscriptions::resume(host, path, kind),
        )
}

/// A moment as most answers write it.
fn millis(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
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
    let span = tracing::Span::current();
    let call = move || span.in_scope(call);
    tokio::task::spawn_blocking(call).await.map_err(|error| {
        tracing::error!("a request ended in a bug of the host: {error}");
        Problem::internal()
    })
}

/// Reads a body of `limit` bytes at most.
async fn read_body(body: axum::body::Body, limit: usize) -> Result<bytes::Bytes, Problem> {
    axum::body::to_bytes(body, limit).await.map_err(|error| {
        if find_cause::<http_body_util::LengthLimitError>(&error).is_some() {
            Problem::too_large(limit)
        } else if let Some(slow) = find_cause::<SlowBody>(&error) {
            Problem::slow_body(slow)
        } else {
            Problem::unreadable_body(&error)
        }
    })
}

fn find_cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
