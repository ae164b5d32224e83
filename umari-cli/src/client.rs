//! The server's HTTP API, as the command line uses it.

pub(crate) mod answers;
mod api_keys;
mod keys;
pub(crate) mod problem;
mod reading;
pub(crate) mod replay;
mod subscriptions;

use std::collections::BTreeMap;
use std::time::Duration;

use host_minimal::modules::ModuleSettings;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::http;

use crate::kind::ModuleKind;
use crate::output;
use answers::{Health, ModuleDetail, Modules, Receipt, Stored};
use problem::{ApiError, Problem};
pub(crate) use reading::{EventFilter, WaitFor};
use replay::Replay;

/// A server that does not accept a connection in this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// An activation compiles and may wait for the old version to finish.
const CALL_TIMEOUT: Duration = Duration::from_secs(120);
/// More than any answer of the API has a reason to be.
const ANSWER_LIMIT_BYTES: u64 = 64 << 20;

/// What stays readable in a path segment or a query value.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A module to be stored.
#[derive(Debug)]
pub(crate) struct Upload<'a> {
    pub(crate) kind: ModuleKind,
    pub(crate) name: &'a str,
    pub(crate) version: &'a str,
    pub(crate) wasm: &'a [u8],
    pub(crate) env: &'a BTreeMap<String, String>,
    pub(crate) settings: &'a ModuleSettings,
}

/// A server.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    agent: ureq::Agent,
    base: String,
    api_key: Option<String>,
}

impl Client {
    /// A client of the server at `url`. Nothing is sent yet.
    pub(crate) fn new(url: &str, api_key: Option<String>) -> Result<Self, ApiError> {
        Self::with_patience(url, api_key, CALL_TIMEOUT)
    }

    /// The same, for calls that are answered at once or not at all.
    pub(crate) fn with_patience(
        url: &str,
        api_key: Option<String>,
        patience: Duration,
    ) -> Result<Self, ApiError> {
        let base = url.trim_end_matches('/').to_owned();
        let uri: http::Uri = base.parse().map_err(|_| ApiError::Url {
            url: url.to_owned(),
        })?;
        let (Some("http" | "https"), Some(host)) = (uri.scheme_str(), uri.host()) else {
            return Err(ApiError::Url {
                url: url.to_owned(),
            });
        };
        let mut config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(CONNECT_TIMEOUT.min(patience)))
            .timeout_global(Some(patience))
            .max_redirects(0)
            .user_agent(concat!("umari/", env!("CARGO_PKG_VERSION")));
        if is_loopback(host) {
            // A proxy cannot reach this machine's own loopback.
            config = config.proxy(None);
        }
        Ok(Self {
            agent: config.build().new_agent(),
            base,
            api_key,
        })
    }

    /// The server's URL, without a slash at its end.
    pub(crate) fn url(&self) -> &str {
        &self.base
    }

    /// Whether every active module is up. Unhealthy is an answer here, not an error.
    pub(crate) fn health(&self) -> Result<Health, ApiError> {
        let (status, body) = self.send("GET", "/health", &[], &[])?;
        let details = serde_json::from_slice(&body).unwrap_or(Value::Null);
        match status {
            200 => Ok(Health {
                healthy: true,
                details,
            }),
            503 => Ok(Health {
                healthy: false,
                details,
            }),
            _ => Err(self.refusal(status, &body)),
        }
    }

    /// What the server says about its API: its version is in `info`.
    pub(crate) fn description(&self) -> Result<Value, ApiError> {
        self.document("GET", "/openapi.json", b"", "info")
    }

    /// Executes a command. `input` is JSON and is sent as it stands; the answer waits for the
    /// projectors that are named.
    pub(crate) fn execute(
        &self,
        name: &str,
        input: &str,
        headers: &[(&str, String)],
        wait: &WaitFor<'_>,
    ) -> Result<Receipt, ApiError> {
        let mut all = vec![("content-type", "application/json".to_owned())];
        all.extend(headers.iter().cloned());
        let raw: Value = self.call(
            "POST",
            &format!("/commands/{}/execute{}", segment(name), wait.query()),
            &all,
            input.as_bytes(),
        )?;
        Receipt::read(raw).map_err(|error| self.unexpected(&error))
    }

    /// The JSON Schema of a command's input.
    pub(crate) fn schema(&self, name: &str) -> Result<Value, ApiError> {
        self.call(
            "GET",
            &format!("/commands/{}/schema", segment(name)),
            &[],
            &[],
        )
    }

    /// Stores a version of a module. Storing what is there already succeeds.
    pub(crate) fn upload(&self, upload: &Upload<'_>) -> Result<Stored, ApiError> {
        let path = format!(
            "{}/versions/{}",
            module_path(upload.kind, upload.name),
            segment(upload.version)
        );
        let mut headers = vec![("content-type", "application/wasm".to_owned())];
        let pairs = upload.env.iter();
        headers
            .extend(pairs.map(|(key, value)| ("x-umari-env", format!("{key}={}", segment(value)))));
        if *upload.settings != ModuleSettings::default() {
            let settings = upload.settings.to_json().to_string();
            headers.push(("x-umari-settings", segment(&settings)));
        }
        self.call("POST", &path, &headers, upload.wasm)
    }

    /// Makes a stored version the running one, or begins the replay of a new major version of a
    /// projector, which is returned.
    pub(crate) fn activate(
        &self,
        kind: ModuleKind,
        name: &str,
        version: &str,
    ) -> Result<Option<Replay>, ApiError> {
        let body = serde_json::json!({ "version": version }).to_string();
        let path = format!("{}/active", module_path(kind, name));
        let mut answer = self.document("PUT", &path, body.as_bytes(), "version")?;
        match answer["replay"].take() {
            Value::Null => Ok(None),
            replay => Replay::read(replay)
                .map(Some)
                .map_err(|error| self.unexpected(&error)),
        }
    }

    /// Stops a module.
    pub(crate) fn deactivate(&self, kind: ModuleKind, name: &str) -> Result<(), ApiError> {
        self.call_for_nothing(
            "DELETE",
            &format!("{}/active", module_path(kind, name)),
            &[],
            &[],
        )
    }

    /// The modules of one kind, as the server lists them.
    pub(crate) fn list(&self, kind: ModuleKind) -> Result<Value, ApiError> {
        self.document("GET", &format!("/{}", kind.plural()), b"", kind.plural())
    }

    /// One module with its versions, as the server shows it.
    pub(crate) fn show(&self, kind: ModuleKind, name: &str) -> Result<Value, ApiError> {
        self.document("GET", &module_path(kind, name), b"", "versions")
    }

    /// One module with its versions, or `None` when the server does not know it.
    pub(crate) fn detail(
        &self,
        kind: ModuleKind,
        name: &str,
    ) -> Result<Option<ModuleDetail>, ApiError> {
        match self.call("GET", &module_path(kind, name), &[], &[]) {
            Ok(detail) => Ok(Some(detail)),
            Err(ApiError::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The active modules and their progress.
    pub(crate) fn modules(&self) -> Result<Modules, ApiError> {
        let raw: Value = self.call("GET", "/modules", &[], &[])?;
        Modules::read(raw).map_err(|error| self.unexpected(&error))
    }

    /// Calls with a body of JSON, or none, and gets a document, which has a field `part` where it is
    /// one of this API.
    fn document(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
        part: &str,
    ) -> Result<Value, ApiError> {
        let headers = [("content-type", "application/json".to_owned())];
        let headers = if body.is_empty() { &[][..] } else { &headers };
        let answer: Value = self.call(method, path, headers, body)?;
        match answer.get(part) {
            Some(_) => Ok(answer),
            None => Err(self.unlike(format!("it is no document with `{part}`"))),
        }
    }

    fn call<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Result<T, ApiError> {
        let (status, answer) = self.send(method, path, headers, body)?;
        if !(200..300).contains(&status) {
            return Err(self.refusal(status, &answer));
        }
        serde_json::from_slice(&answer).map_err(|error| self.unexpected(&error))
    }

    fn call_for_nothing(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Result<(), ApiError> {
        let (status, answer) = self.send(method, path, headers, body)?;
        match status {
            204 => Ok(()),
            200..300 => Err(self.unlike(format!("its status is {status}, and not 204"))),
            _ => Err(self.refusal(status, &answer)),
        }
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Result<(u16, Vec<u8>), ApiError> {
        let mut request = http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if let Some(key) = &self.api_key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let unreachable = |error| self.unreachable(error);
        let sent = if body.is_empty() && method != "POST" && method != "PUT" {
            self.agent.run(
                request
                    .body(())
                    .map_err(|error| self.unreachable(error.into()))?,
            )
        } else {
            self.agent.run(
                request
                    .body(body)
                    .map_err(|error| self.unreachable(error.into()))?,
            )
        };
        let mut answer = sent.map_err(unreachable)?;
        output::detail(|| format!("{method} {}{path}: {}", self.base, answer.status()));
        let bytes = answer
            .body_mut()
            .with_config()
            .limit(ANSWER_LIMIT_BYTES)
            .read_to_vec()
            .map_err(unreachable)?;
        Ok((answer.status().as_u16(), bytes))
    }

    fn unreachable(&self, error: ureq::Error) -> ApiError {
        ApiError::Unreachable {
            url: self.base.clone(),
            source: Box::new(error),
        }
    }

    fn refusal(&self, status: u16, body: &[u8]) -> ApiError {
        ApiError::Refused {
            url: self.base.clone(),
            status,
            problem: Box::new(Problem::read(status, body)),
        }
    }

    fn unexpected(&self, error: &serde_json::Error) -> ApiError {
        self.unlike(error.to_string())
    }

    /// An answer that is none of this API's.
    fn unlike(&self, why: String) -> ApiError {
        ApiError::Unexpected {
            url: self.base.clone(),
            why,
        }
    }
}

/// The pairs of a query, with its question mark where there are any.
fn joined(query: &[String]) -> String {
    if query.is_empty() {
        String::new()
    } else {
        format!("?{}", query.join("&"))
    }
}

fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

fn module_path(kind: ModuleKind, name: &str) -> String {
    format!("/{}/{}", kind.plural(), segment(name))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests;
