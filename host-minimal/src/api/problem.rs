//! Errors as RFC 9457 problem documents (<https://www.rfc-editor.org/rfc/rfc9457>).

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::api_keys::{Admitted, Scope};
use crate::commands::ExecuteError;
use crate::engine::trap::Crash;
use crate::host::{ModuleError, PauseError};
use crate::keys::KeyError;
use crate::modules::ModuleStoreError;
use crate::read_model::QueryError;
use crate::report::chain;
use crate::shredding::ShredError;
use crate::store::ReadError;

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

impl From<ExecuteError> for Problem {
    fn from(error: ExecuteError) -> Self {
        let detail = error.to_string();
        match error {
            ExecuteError::NotFound(_) => {
                Self::not_found("unknown-command", "Unknown command", detail)
            }
            ExecuteError::Invalid { violations, .. } => {
                let violations: Vec<Value> = violations
                    .into_iter()
                    .map(|v| json!({"field": v.field, "code": v.code, "message": v.message}))
                    .collect();
                Self::bad_request("invalid-input", "Invalid input", detail)
                    .with("violations", violations.into())
            }
            ExecuteError::Rejected { code, details, .. } => Self::rejected(code, detail, details),
            ExecuteError::Conflict { attempts, .. } => {
                Self::new(StatusCode::CONFLICT, "conflict", "Conflict", detail)
                    .with("attempts", attempts.into())
            }
            ExecuteError::Crashed {
                crash, committed, ..
            } => {
                let problem = Self::from_crash(crash, detail);
                match committed {
                    Some(position) => problem.with("committed_position", position.into()),
                    None => problem,
                }
            }
            ExecuteError::Unavailable(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store-unavailable",
                "Event store unavailable",
                detail,
            ),
            ExecuteError::OutcomeUnknown(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "outcome-unknown",
                "Outcome unknown",
                detail,
            ),
        }
    }
}

impl Problem {
    /// A command's own no. Its type says so; its code and details are the command's.
    fn rejected(code: String, detail: String, details: Option<String>) -> Self {
        let mut problem = Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "rejected",
            "Command rejected",
            detail,
        );
        problem.code = code.into();
        match details {
            Some(text) => {
                // The SDK sends an object. Whatever else a module sends is passed on as its text.
                let details = serde_json::from_str(&text).unwrap_or(Value::String(text));
                problem.with("details", details)
            }
            None => problem,
        }
    }

    fn from_crash(crash: Crash, detail: String) -> Self {
        match crash {
            Crash::Panic { location, message } => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "module-panicked",
                "Module panicked",
                detail,
            )
            .with("location", location.into())
            .with("message", message.into()),
            Crash::Deadline => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "deadline-exceeded",
                "Deadline exceeded",
                detail,
            ),
            Crash::Memory { limit_bytes } => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "out-of-memory",
                "Module out of memory",
                detail,
            )
            .with("limit_bytes", limit_bytes.into()),
            Crash::Trap(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "module-trapped",
                "Module trapped",
                detail,
            ),
        }
    }
}

impl From<ModuleError> for Problem {
    fn from(error: ModuleError) -> Self {
        let detail = chain(&error);
        match error {
            ModuleError::Load(_) => Self::bad_request("invalid-module", "Invalid module", detail),
            ModuleError::TooLarge { .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "Body too large",
                detail,
            ),
            ModuleError::Settings(_) => Self::invalid_settings(detail),
            ModuleError::Store(error) => error.into(),
            ModuleError::Stuck { .. } => {
                Self::new(StatusCode::CONFLICT, "module-stuck", "Module stuck", detail)
            }
            ModuleError::Thread(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "no-threads",
                "No more threads",
                detail,
            ),
        }
    }
}

impl From<PauseError> for Problem {
    fn from(error: PauseError) -> Self {
        let detail = chain(&error);
        match error {
            PauseError::Unknown { .. } => {
                Self::not_found("unknown-module", "Unknown module", detail)
            }
            PauseError::Command(_) => {
                Self::bad_request("follows-no-events", "Follows no events", detail)
            }
            PauseError::Store(error) => error.into(),
        }
    }
}

impl From<ModuleStoreError> for Problem {
    fn from(error: ModuleStoreError) -> Self {
        let detail = chain(&error);
        match error {
            ModuleStoreError::VersionExists { .. }
            | ModuleStoreError::EnvironmentDiffers { .. }
            | ModuleStoreError::SettingsDiffer { .. } => Self::new(
                StatusCode::CONFLICT,
                "version-exists",
                "Version exists",
                detail,
            ),
            ModuleStoreError::UnknownVersion { .. } => {
                Self::not_found("unknown-version", "Unknown version", detail)
            }
            ModuleStoreError::TooLarge { .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "Body too large",
                detail,
            ),
            ModuleStoreError::EnvironmentTooLarge { .. }
            | ModuleStoreError::InvalidVariable { .. } => {
                Self::bad_request("invalid-environment", "Invalid environment", detail)
            }
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "module-store-failed",
                "Module store failed",
                detail,
            ),
        }
    }
}

impl From<QueryError> for Problem {
    fn from(error: QueryError) -> Self {
        let detail = chain(&error);
        match error {
            QueryError::Unknown(_) => {
                Self::not_found("unknown-projector", "Unknown projector", detail)
            }
            QueryError::NotActive(_) => {
                Self::new(StatusCode::CONFLICT, "not-active", "Not active", detail)
            }
            QueryError::NotReady { .. } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "projector-not-ready",
                "Projector not ready",
                detail,
            ),
            QueryError::Behind {
                position,
                min_position,
                ..
            } => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "projector-behind",
                "Projector behind",
                detail,
            )
            .with("position", position.into())
            .with("min_position", min_position.into()),
            QueryError::Sql { offset, .. } => {
                let problem = Self::bad_request("invalid-sql", "Invalid SQL", detail);
                match offset {
                    Some(offset) => problem.with("offset", offset.into()),
                    None => problem,
                }
            }
            QueryError::Params(_) => {
                Self::bad_request("invalid-params", "Invalid parameters", detail)
            }
            QueryError::ReadOnly(_) => {
                Self::new(StatusCode::FORBIDDEN, "read-only", "Read only", detail)
            }
            QueryError::BeyondLimit { .. } => {
                Self::bad_request("beyond-limit", "Beyond a limit", detail)
            }
            QueryError::RowTooLarge { .. } => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "result-too-large",
                "Result too large",
                detail,
            ),
            QueryError::TooSlow { .. } => Self::new(
                StatusCode::GATEWAY_TIMEOUT,
                "deadline-exceeded",
                "Deadline exceeded",
                detail,
            ),
            QueryError::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too-many-queries",
                "Too many queries",
                detail,
            ),
            QueryError::Modules(error) => error.into(),
        }
    }
}

impl From<ShredError> for Problem {
    fn from(error: ShredError) -> Self {
        let detail = chain(&error);
        match error {
            ShredError::InvalidScope(_) => {
                Self::bad_request("invalid-scope", "Invalid scope", detail)
            }
            ShredError::TooLong { .. } => {
                Self::bad_request("beyond-limit", "Beyond a limit", detail)
            }
            ShredError::Keys(KeyError::UnknownScope { .. }) => {
                Self::not_found("unknown-scope", "Unknown scope", detail)
            }
            ShredError::Keys(error) => error.into(),
            ShredError::Incomplete { entry, .. } => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "shredding-incomplete",
                "Shredding incomplete",
                detail,
            )
            .with("entry_id", entry.id.into()),
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "key-store-failed",
            "Key store failed",
            chain(&error),
        )
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        let detail = chain(&error);
        match error {
            ReadError::Keys {
                position,
                source: KeyError::Lost { key_id, scope },
                ..
            } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "data-key-lost",
                "Data key lost",
                detail,
            )
            .with("position", position.into())
            .with("scope", scope.into())
            .with("key_id", key_id.to_string().into()),
            ReadError::Invalid(_) => Self::bad_request("invalid-query", "Invalid query", detail),
            _ => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "store-unavailable",
                "Event store unavailable",
                detail,
            ),
        }
    }
}
