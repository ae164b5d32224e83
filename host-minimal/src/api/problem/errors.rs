//! Which errors of the host are which problems.

use http::StatusCode;
use serde_json::{Value, json};

use super::Problem;
use crate::api_keys::ApiKeyError;
use crate::backup::BackupError;
use crate::commands::ExecuteError;
use crate::engine::trap::Crash;
use crate::host::{ModuleError, PauseError};
use crate::keys::KeyError;
use crate::limits;
use crate::metrics::MomentError;
use crate::modules::{ModuleKind, ModuleStoreError};
use crate::read_model::QueryError;
use crate::replay::{AsOfError, ReplayError};
use crate::report::chain;
use crate::shredding::ShredError;
use crate::store::ReadError;
use crate::subscriptions::ParkError;

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
            ExecuteError::Overloaded {
                running, waiting, ..
            } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "Overloaded",
                detail,
            )
            .with("running", running.into())
            .with("waiting", waiting.into())
            .retry_after(limits::OVERLOAD_RETRY_AFTER),
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
            ModuleError::Log(error) => error.into(),
            ModuleError::Thread(_) => Self::no_threads(detail),
            ModuleError::Replay(error) => error.into(),
        }
    }
}

impl From<ReplayError> for Problem {
    fn from(error: ReplayError) -> Self {
        let detail = chain(&error);
        let conflict =
            |code, title, detail: String| Self::new(StatusCode::CONFLICT, code, title, detail);
        match error {
            ReplayError::Unknown {
                kind: ModuleKind::Projector,
                ..
            } => Self::not_found("unknown-projector", "Unknown projector", detail),
            ReplayError::Unknown { .. } => {
                Self::not_found("unknown-module", "Unknown module", detail)
            }
            ReplayError::NotActive { .. } => conflict("not-active", "Not active", detail),
            ReplayError::NotRunning { .. } => conflict("not-running", "Not running", detail),
            ReplayError::AlreadyReplaying(_) => {
                conflict("already-replaying", "Already replaying", detail)
            }
            ReplayError::NoReplay(_) => Self::not_found("no-replay", "No replay", detail),
            ReplayError::File { .. } => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "read-model-failed",
                "Read model failed",
                detail,
            ),
            ReplayError::Stuck { .. } => conflict("module-stuck", "Module stuck", detail),
            ReplayError::Thread(_) => Self::no_threads(detail),
            ReplayError::Modules(error) => error.into(),
            ReplayError::Read(error) => error.into(),
        }
    }
}

impl From<AsOfError> for Problem {
    fn from(error: AsOfError) -> Self {
        let detail = chain(&error);
        match error {
            AsOfError::Replay(error) => error.into(),
            AsOfError::BeyondHead { head, .. } => {
                Self::bad_request("beyond-head", "Beyond the head", detail)
                    .with("head", head.into())
            }
            AsOfError::Busy => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "too-many-replays",
                "Too many replays",
                detail,
            )
            .retry_after(limits::OVERLOAD_RETRY_AFTER),
            AsOfError::Failed(failure) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "replay-failed",
                "Replay failed",
                detail,
            )
            .with("position", failure.position.into())
            .with("event_id", json!(failure.event_id))
            .with("event_type", failure.event_type.into()),
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

impl From<ParkError> for Problem {
    fn from(error: ParkError) -> Self {
        let detail = chain(&error);
        let conflict = |code, title, detail| Self::new(StatusCode::CONFLICT, code, title, detail);
        match error {
            ParkError::Unknown(_) => Self::not_found("unknown-module", "Unknown module", detail),
            ParkError::NotActive(_) => conflict("not-active", "Not active", detail),
            ParkError::NothingFails { .. } => conflict("nothing-fails", "Nothing fails", detail),
            ParkError::NotFailing { failing, .. } => {
                conflict("not-failing", "Not failing", detail).with("failing", failing.into())
            }
            ParkError::Pausing(_) => conflict("pausing", "Pausing", detail),
            ParkError::Stopped(_) => conflict("stopped", "Stopped", detail),
            ParkError::Full(_) => conflict("too-many-parked", "Too many parked", detail),
            ParkError::NotParked { .. } => Self::not_found("not-parked", "Not parked", detail),
            ParkError::Delivering { .. } => conflict("being-delivered", "Being delivered", detail),
            ParkError::Database(_) => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "module-database-failed",
                "Module database failed",
                detail,
            ),
            ParkError::Modules(error) => error.into(),
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
            )
            .retry_after(limits::OVERLOAD_RETRY_AFTER),
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
            )
            .retry_after(limits::OVERLOAD_RETRY_AFTER),
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
            ShredError::Keys(KeyError::NoNewMasterKey) => Self::new(
                StatusCode::CONFLICT,
                "master-key-configured",
                "Master key configured",
                detail,
            ),
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

impl From<ApiKeyError> for Problem {
    fn from(error: ApiKeyError) -> Self {
        let detail = chain(&error);
        let conflict = |code, title| Self::new(StatusCode::CONFLICT, code, title, detail.clone());
        match error {
            ApiKeyError::InvalidName => Self::bad_request("invalid-name", "Invalid name", detail),
            ApiKeyError::NoScope => Self::bad_request("invalid-body", "Invalid body", detail),
            ApiKeyError::NameTaken(_) => conflict("name-taken", "Name taken"),
            ApiKeyError::TooMany => conflict("too-many-api-keys", "Too many API keys"),
            ApiKeyError::NoAdmin(_) => conflict("no-admin-key", "No admin key"),
            ApiKeyError::Unknown(_) => {
                Self::not_found("unknown-api-key", "Unknown API key", detail)
            }
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "api-keys-failed",
                "API keys failed",
                detail,
            ),
        }
    }
}

impl From<BackupError> for Problem {
    fn from(error: BackupError) -> Self {
        let detail = chain(&error);
        match error {
            BackupError::BeyondHead { head, .. } => {
                Self::bad_request("beyond-head", "Beyond the head", detail)
                    .with("head", head.into())
            }
            BackupError::OtherLog { .. } => {
                Self::new(StatusCode::CONFLICT, "other-log", "Another log", detail)
            }
            BackupError::Read(error) => error.into(),
            _ => Self::new(
                StatusCode::INTERNAL_SERVER_ERROR,
                "backup-failed",
                "Backup failed",
                detail,
            ),
        }
    }
}

impl From<MomentError> for Problem {
    fn from(error: MomentError) -> Self {
        match error {
            MomentError::Log(error) => error.into(),
            MomentError::Modules(error) => error.into(),
        }
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
