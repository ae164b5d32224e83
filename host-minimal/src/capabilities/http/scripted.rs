//! Requests that are answered by whoever tries a component, and never reach a network.

use std::sync::Arc;

use http::{Request, Response};
use http_body_util::BodyExt;
use wasmtime_wasi_http::{Error, WasiBody};

/// Answers the requests of an effect on trial.
pub trait Outgoing: std::fmt::Debug + Send + Sync {
    /// Answers one request, or fails as a network does.
    ///
    /// # Errors
    ///
    /// An [`OutgoingFailure`], whose code the module sees.
    fn send(&self, request: OutgoingRequest) -> Result<OutgoingResponse, OutgoingFailure>;
}

/// A request, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingRequest {
    /// Such as `POST`.
    pub method: String,
    /// Absolute.
    pub url: String,
    /// Names in lower case, in the order in which they were set, and `host` where it was added.
    pub headers: Vec<(String, String)>,
    /// Empty where there is none.
    pub body: Vec<u8>,
}

/// A response, whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingResponse {
    /// Such as 201.
    pub status: u16,
    /// Names and values.
    pub headers: Vec<(String, String)>,
    /// Empty where there is none.
    pub body: Vec<u8>,
}

/// Why no response arrived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OutgoingFailure {
    /// The SDK's word for it: `connection-refused`, `timeout` and so on. A word that is unknown is
    /// the network's own trouble: `other`.
    pub code: String,
    /// For people.
    pub message: String,
}

pub(super) async fn send(
    outgoing: &Arc<dyn Outgoing>,
    request: Request<WasiBody>,
) -> Result<Response<WasiBody>, Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = OutgoingRequest {
        method: head.method.to_string(),
        url: head.uri.to_string(),
        headers: head
            .headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body: body.to_vec(),
    };
    let outgoing = Arc::clone(outgoing);
    // Whoever answers may take a moment, which no other task has to wait for.
    let answer = tokio::task::spawn_blocking(move || outgoing.send(request))
        .await
        .map_err(|error| Error::InternalError(Some(error.to_string())))?;
    let answer = answer.map_err(|failure| to_wasi(&failure))?;
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response
        .body(super::whole(answer.body.into()))
        .map_err(|error| Error::InternalError(Some(error.to_string())))
}

/// The error that a guest's SDK gives this code to.
fn to_wasi(failure: &OutgoingFailure) -> Error {
    match failure.code.as_str() {
        "timeout" => Error::ConnectionTimeout,
        "destination-not-found" => Error::DestinationNotFound,
        "destination-unavailable" => Error::DestinationUnavailable,
        "denied" => Error::HttpRequestDenied,
        "connection-refused" => Error::ConnectionRefused,
        "connection-terminated" => Error::ConnectionTerminated,
        "tls" => Error::TlsProtocolError,
        "invalid-request" => Error::HttpRequestUriInvalid,
        "response-too-large" => Error::HttpResponseBodySize(None),
        _ => Error::InternalError(Some(failure.message.clone())),
    }
}
