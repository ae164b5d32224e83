//! Errors as RFC 9457 problem documents (<https://www.rfc-editor.org/rfc/rfc9457>).

mod errors;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value};

use super::pace::SlowBody;
use crate::api_keys::{Admitted, Scope};
use crate::limits;
use crate::report::chain;

/// A problem document. `code` is stable; `detail` is for people. The `code` of a rejection is the
/// command's own, and its `type` that of every rejection.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    /// The class of the problem, of which `type` is the name.
    #[serde(rename = "type", serialize_with = "as_urn")]
    class: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    code: Cow<'static, str>,
    detail: String,
    #[serde(flatten)]
    more: Map<String, Value>,
    /// Headers that say more to programs.
    #[serde(skip)]
    headers: Option<Box<HeaderMap>>,
}

fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}

fn as_urn<S: serde::Serializer>(class: &&'static str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("urn:umari:problem:{class}"))
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            class: code,
            title,
            status,
            code: code.into(),
            detail: detail.into(),
            more: Map::new(),
            headers: None,
        }
    }

    /// Adds a member to the document.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    pub(super) fn bad_request(
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, title, detail)
    }

    pub(super) fn not_found(
        code: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, title, detail)
    }

    pub(super) fn no_such_resource(path: &str) -> Self {
        Self::not_found(
            "not-found",
            "No such resource",
            format!("there is nothing at {path}"),
        )
    }

    pub(super) fn method_not_allowed(method: &Method, path: &str) -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "Method not allowed",
            format!("{path} does not take {method}"),
        )
    }

    pub(super) fn no_key() -> Self {
        Self::unauthorized("send a key as Authorization: Bearer <key>").challenge("Bearer")
    }

    pub(super) fn unknown_key() -> Self {
        Self::unauthorized(
            "the key that was sent is none of this server's; perhaps it has been revoked",
        )
        .challenge("Bearer error=\"invalid_token\"")
    }

    fn unauthorized(detail: &str) -> Self {
        let (code, title) = ("unauthorized", "Not authorised");
        Self::new(StatusCode::UNAUTHORIZED, code, title, detail)
    }

    pub(super) fn missing_scope(key: &Admitted, required: Scope) -> Self {
        let granted: Vec<&str> = key.scopes.iter().map(Scope::as_str).collect();
        Self::new(
            StatusCode::FORBIDDEN,
            "missing-scope",
            "Scope missing",
            format!(
                "this needs the scope {required}, and the API key {:?} has {}",
                key.name,
                granted.join(" and ")
            ),
        )
        .with("required", required.as_str().into())
        .with("granted", granted.into())
        .challenge(&format!(
            "Bearer error=\"insufficient_scope\", scope=\"{required}\""
        ))
    }

    /// Says when to come again.
    #[must_use]
    pub(super) fn retry_after(self, pause: Duration) -> Self {
        self.with_header(RETRY_AFTER, pause.as_secs().max(1).into())
    }

    /// Says how to be let in (RFC 6750).
    fn challenge(self, challenge: &str) -> Self {
        match HeaderValue::from_str(challenge) {
            Ok(challenge) => self.with_header(WWW_AUTHENTICATE, challenge),
            Err(_) => self,
        }
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.get_or_insert_default().insert(name, value);
        self
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "Body too large",
            format!("the body may have {limit} bytes"),
        )
    }

    pub(super) fn invalid_settings(detail: impl Into<String>) -> Self {
        Self::bad_request("invalid-settings", "Invalid settings", detail)
    }

    pub(super) fn slow_body(slow: &SlowBody) -> Self {
        Self::new(
            StatusCode::REQUEST_TIMEOUT,
            "slow-body",
            "Body too slow",
            slow.to_string(),
        )
    }

    pub(super) fn head_too_large(bytes: usize) -> Self {
        Self::new(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "head-too-large",
            "Head too large",
            format!(
                "the target and the fields have {bytes} bytes and may have {}",
                limits::REQUEST_HEAD_BYTES
            ),
        )
    }

    pub(super) fn request_deadline(deadline: Duration) -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "request-deadline",
            "Request took too long",
            format!(
                "there was no answer within {deadline:?}; what the request began may still go on, \
                 so look before asking again"
            ),
        )
    }

    pub(super) fn too_many_connections() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too-many-connections",
            "Too many connections",
            "as many connections are open as may be; try again in a moment",
        )
        .retry_after(limits::OVERLOAD_RETRY_AFTER)
    }

    pub(super) fn too_many_backups() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too-many-backups",
            "Too many backups",
            format!(
                "{} backups are being made already",
                limits::CONCURRENT_BACKUPS
            ),
        )
        .retry_after(limits::BACKUP_RETRY_AFTER)
    }

    pub(super) fn too_many_streams() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too-many-streams",
            "Too many streams",
            format!("{} streams are open already", limits::EVENT_STREAMS),
        )
        .retry_after(limits::OVERLOAD_RETRY_AFTER)
    }

    pub(super) fn foreign_host(what: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "foreign-host",
            "Foreign host",
            format!(
                "this server asks for no key and so answers this machine alone, but the request's \
                 {what} names another; set UMARI_API_KEY to serve others"
            ),
        )
    }

    pub(super) fn unreadable_body(error: &axum::Error) -> Self {
        Self::bad_request("unreadable-body", "Body not readable", chain(error))
    }

    pub(super) fn shutting_down() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "shutting-down",
            "Shutting down",
            "the server is shutting down; ask again when it is back",
        )
    }

    pub(super) fn no_threads(detail: String) -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "no-threads",
            "No more threads",
            detail,
        )
        .retry_after(limits::OVERLOAD_RETRY_AFTER)
    }

    pub(super) fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Internal error",
            "the host has a bug; its log says more",
        )
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(&self)).into_response();
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.extend(self.headers.map(|more| *more).unwrap_or_default());
        response
    }
}
