//! Outgoing HTTP for effects: WASI's interface, with our policy and a pooled client behind it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;
use tracing::field::Empty;
use tracing::{Instrument as _, Span};
use wasmtime::component::Linker;
use wasmtime_wasi_http::p2::bindings::LinkOptions;
use wasmtime_wasi_http::p2::bindings::sync::http::types;
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttp, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks,
    WasiHttpView,
};

mod connect;
mod outgoing;
mod policy;
mod scripted;

use self::connect::PolicedConnector;
use self::policy::Refused;
pub use self::policy::{HttpPolicy, HttpPolicyError};
pub use self::scripted::{Outgoing, OutgoingFailure, OutgoingRequest, OutgoingResponse};
use crate::engine::guest::GuestState;
use crate::limits;
use crate::modules::settings::HttpTarget;

/// The client that all effects of a host share.
#[derive(Debug, Clone)]
pub(crate) struct HttpClient {
    way: Way,
}

/// Where requests go.
#[derive(Debug, Clone)]
enum Way {
    /// One pool of connections, one policy.
    Network {
        client: Client<HttpsConnector<PolicedConnector>, WasiBody>,
        policy: Arc<HttpPolicy>,
    },
    /// Whoever tries a component answers its requests.
    Scripted(Arc<dyn Outgoing>),
}

impl HttpClient {
    pub(crate) fn new(policy: HttpPolicy) -> Self {
        let policy = Arc::new(policy);
        let connector = hyper_rustls::HttpsConnectorBuilder::new()
            .with_webpki_roots()
            .https_or_http()
            .enable_http1()
            .wrap_connector(PolicedConnector::new(Arc::clone(&policy)));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(connector);
        Self {
            way: Way::Network { client, policy },
        }
    }

    /// A client that never reaches a network.
    pub(crate) fn scripted(outgoing: Arc<dyn Outgoing>) -> Self {
        Self {
            way: Way::Scripted(outgoing),
        }
    }
}

/// What the host keeps for one instance that may send requests.
pub(crate) struct HttpContext {
    wasi: WasiHttpCtx,
    hooks: Hooks,
}

impl HttpContext {
    /// A context whose requests go where the host allows and, where there are such, to `targets`.
    pub(crate) fn new(client: HttpClient, targets: Option<&[HttpTarget]>) -> Self {
        Self {
            wasi: WasiHttpCtx::new(),
            hooks: Hooks {
                client: Some(client),
                targets: targets.map(Arc::from),
                under_way: under_way(),
                deadline: Instant::now(),
            },
        }
    }

    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.hooks.deadline = deadline;
    }
}

impl Default for HttpContext {
    /// A context that refuses every request.
    fn default() -> Self {
        Self {
            wasi: WasiHttpCtx::new(),
            hooks: Hooks {
                client: None,
                targets: None,
                under_way: under_way(),
                deadline: Instant::now(),
            },
        }
    }
}

pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    let options = LinkOptions::default();
    types::add_to_linker::<_, WasiHttp>(linker, &(&options).into(), GuestState::http)?;
    outgoing::add_to_linker(linker)
}

impl WasiHttpView for GuestState {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        let context = self.http.get_or_insert_default();
        WasiHttpCtxView {
            hooks: &mut context.hooks,
            table: &mut self.table,
            ctx: &mut context.wasi,
        }
    }
}

struct Hooks {
    client: Option<HttpClient>,
    /// What the module's settings allow; `None` for everything.
    targets: Option<Arc<[HttpTarget]>>,
    /// One permit for each request. Responses are read whole, so each may hold as many bytes as
    /// a response may have.
    under_way: Arc<Semaphore>,
    deadline: Instant,
}

fn under_way() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(limits::HTTP_REQUESTS_AT_ONCE))
}

type Processing = Box<dyn Future<Output = Result<(), Error>> + Send>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: Request<WasiBody>,
        options: Option<RequestOptions>,
        _processing: Processing,
    ) -> Box<dyn Future<Output = Result<(Response<WasiBody>, Processing), Error>> + Send> {
        let client = self.client.clone();
        let deadline = Deadlines::of(options, self.deadline);
        let listed = policy::check_user(request.uri())
            .and_then(|()| policy::check_listed(self.targets.as_deref(), request.uri()));
        // Neither the path nor the query: they may hold secrets.
        let host = request.uri().host().unwrap_or_default();
        let span = tracing::info_span!("http", method = %request.method(), host, status = Empty);
        let permit = Arc::clone(&self.under_way).try_acquire_owned();
        let sent = async move {
            let client = client.ok_or(Error::HttpRequestDenied)?;
            listed.map_err(denied)?;
            let permit = permit.map_err(|_none_left| Error::ConnectionLimitReached)?;
            let response = send(&client, request, deadline).await?;
            Span::current().record("status", response.status().as_u16());
            // Given back with the body, whether the guest reads it or not.
            let response = response.map(|body| {
                body.map_frame(move |frame| {
                    let _held = &permit;
                    frame
                })
                .boxed_unsync()
            });
            Ok((response, Box::new(async { Ok(()) }) as Processing))
        };
        Box::new(sent.instrument(span))
    }
}

/// When a request must be over.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    first_byte: Duration,
    end: Instant,
}

impl Deadlines {
    /// The guest may shorten our deadlines, not lengthen them.
    fn of(options: Option<RequestOptions>, call: Instant) -> Self {
        let end = call.min(Instant::now() + limits::HTTP_REQUEST_DEADLINE);
        let asked = options.and_then(|options| {
            // Connections are pooled, so the time to connect is part of the time to answer.
            let first_byte = options.first_byte_timeout?;
            Some(first_byte.saturating_add(options.connect_timeout.unwrap_or_default()))
        });
        let remaining = end.saturating_duration_since(Instant::now());
        Self {
            first_byte: asked.unwrap_or(remaining).min(remaining),
            end,
        }
    }
}

async fn send(
    client: &HttpClient,
    request: Request<WasiBody>,
    deadlines: Deadlines,
) -> Result<Response<WasiBody>, Error> {
    let (client, policy) = match &client.way {
        Way::Network { client, policy } => (client, policy),
        Way::Scripted(outgoing) => return scripted::send(outgoing, request).await,
    };
    policy
        .check(request.method(), request.uri())
        .map_err(denied)?;
    let response = tokio::time::timeout(deadlines.first_byte, client.request(request))
        .await
        .map_err(|_elapsed| Error::HttpResponseTimeout)?
        .map_err(|error| connect::to_wasi(&error))?;
    let (head, body) = response.into_parts();
    // The body is read here, under the deadline: a guest that waits for a body is inside a host
    // call, where its own deadline cannot stop it.
    let limit = usize::try_from(limits::HTTP_RESPONSE_BYTES).unwrap_or(usize::MAX);
    let body = tokio::time::timeout_at(deadlines.end.into(), Limited::new(body, limit).collect())
        .await
        .map_err(|_elapsed| Error::HttpResponseTimeout)?
        .map_err(|error| match error.downcast::<hyper::Error>() {
            Ok(error) => Error::Hyper(*error),
            Err(_over_limit) => Error::HttpResponseBodySize(Some(limits::HTTP_RESPONSE_BYTES)),
        })?
        .to_bytes();
    Ok(Response::from_parts(head, whole(body)))
}

fn denied(refused: Refused) -> Error {
    tracing::warn!("an effect's request was refused: {refused}");
    Error::HttpRequestDenied
}

fn whole(bytes: Bytes) -> WasiBody {
    http_body_util::Full::new(bytes)
        .map_err(|never| match never {})
        .boxed_unsync()
}

#[cfg(test)]
mod tests;
