//! Refusals: RFC 9457 problem documents, and the ways to get no answer at all.

use serde::Deserialize;
use serde_json::Value;

use crate::output::fault::Fault;

/// Why a call to the server did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The URL is no URL of a server.
    #[error("`{url}` is not the URL of a server")]
    Url {
        /// What was given.
        url: String,
    },
    /// No answer.
    #[error("the server at {url} does not answer")]
    Unreachable {
        /// The server.
        url: String,
        /// What the connection said.
        source: Box<ureq::Error>,
    },
    /// The server refused.
    #[error("{}", problem.headline())]
    Refused {
        /// The server.
        url: String,
        /// The HTTP status.
        status: u16,
        /// The server's reasons.
        problem: Box<Problem>,
    },
    /// An answer that is no answer of this API.
    #[error("the server at {url} gave an answer that is not this API's")]
    Unexpected {
        /// The server.
        url: String,
        /// What does not fit.
        why: String,
    },
}

/// A problem document.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Problem {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    violations: Vec<Violation>,
    /// What a command adds to its rejection.
    #[serde(default)]
    details: serde_json::Map<String, Value>,
    #[serde(skip)]
    status: u16,
    #[serde(skip)]
    raw: Value,
}

/// One field of an input that was not accepted.
#[derive(Debug, Clone, Deserialize)]
struct Violation {
    #[serde(default)]
    field: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    message: Option<String>,
}

impl Problem {
    /// Reads a refusal's body. What is no problem document becomes one with the text as detail.
    pub(crate) fn read(status: u16, body: &[u8]) -> Self {
        let raw: Value = serde_json::from_slice(body).unwrap_or(Value::Null);
        let mut problem = Self::deserialize(&raw).unwrap_or_default();
        if raw.is_object() {
            problem.raw = raw;
        } else {
            let text = String::from_utf8_lossy(body)
                .trim()
                .chars()
                .take(300)
                .collect::<String>();
            problem.detail = Some(text).filter(|text| !text.is_empty());
            problem.raw = serde_json::json!({ "status": status, "detail": problem.detail });
        }
        problem.status = status;
        problem
    }

    /// The document as it came.
    pub(crate) fn raw(&self) -> &Value {
        &self.raw
    }

    /// The stable code, as in `conflict`.
    pub(crate) fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// One line: what was refused.
    pub(crate) fn headline(&self) -> String {
        let said = self.detail.as_deref().or(self.title.as_deref());
        said.map_or_else(
            || format!("the server answered with status {}", self.status),
            str::to_owned,
        )
    }

    fn label(&self) -> String {
        match (&self.code, &self.title) {
            (Some(code), _) => format!("HTTP {}, code `{code}`", self.status),
            (None, Some(title)) => format!("HTTP {}, {title}", self.status),
            (None, None) => format!("HTTP {}", self.status),
        }
    }
}

impl ApiError {
    /// The problem document of a refusal.
    pub(crate) fn problem(&self) -> Option<&Problem> {
        match self {
            Self::Refused { problem, .. } => Some(problem),
            _ => None,
        }
    }
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        let fault = Self::new(error.to_string());
        match &error {
            ApiError::Url { .. } => Self::usage(error.to_string()).help("write it as http://HOST:PORT"),
            ApiError::Unreachable { source, .. } if matches!(**source, ureq::Error::Timeout(_)) => {
                fault
                    .why(format!("nothing came in time ({source})"))
                    .help("look at its log, or whether --url or UMARI_URL names an Umari server")
                    .help("what was asked for may be done all the same: look before you repeat it")
            }
            ApiError::Unreachable { source, .. } => fault
                .why(source.to_string())
                .help("start one with `umari dev` or `umari serve`, or name another with --url or UMARI_URL"),
            ApiError::Unexpected { why, .. } => fault
                .why(why.clone())
                .help("check that --url or UMARI_URL names an Umari server of the same version as this command"),
            ApiError::Refused { problem, status, .. } => refused(fault, problem, *status),
        }
    }
}

fn refused(fault: Fault, problem: &Problem, status: u16) -> Fault {
    let mut fault = problem.violations.iter().fold(fault, |fault, violation| {
        let message = violation
            .message
            .as_deref()
            .or(violation.code.as_deref())
            .unwrap_or("not accepted");
        let field = if violation.field.is_empty() {
            "input"
        } else {
            &violation.field
        };
        fault.why(format!("{field}: {message}"))
    });
    for (name, value) in &problem.details {
        fault = fault.why(format!("{name}: {value}"));
    }
    if problem.violations.is_empty() || problem.code.is_some() {
        fault = fault.why(problem.label());
    }
    match status {
        401 => fault.help(
            "set UMARI_API_KEY, or pass --api-key, to a key of this server: the one that it was \
             started with, or one from `umari api-keys create`",
        ),
        403 if problem.code() == Some("missing-scope") => {
            fault.help("use a key with this scope; `umari api-keys create` makes one")
        }
        503 if problem.code() == Some("overloaded") => {
            fault.help("the server has more to do than it has room for; call it again in a moment")
        }
        409 if problem.code() == Some("conflict") => {
            fault.help("others wrote to the same boundary; call it again")
        }
        _ => fault,
    }
}
