//! Uploading, activating and listing modules over HTTP.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, Request, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use percent_encoding::percent_decode;
use semver::Version;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::health::ModuleBody;
use super::replay::ReplayBody;
use super::{Problem, blocking, millis, read_body};
use crate::Host;
use crate::host::{Activated, Upload};
use crate::limits;
use crate::modules::{ModuleKind, ModuleName, ModuleSettings, StoredModule};

/// Each header of this name sets one environment variable: `NAME=value`, percent-encoded.
const ENV_HEADER: &str = "x-umari-env";

/// The module's settings: one JSON document, percent-encoded where it must be.
const SETTINGS_HEADER: &str = "x-umari-settings";

#[derive(Serialize)]
struct VersionBody {
    kind: &'static str,
    name: String,
    version: String,
    sha256: String,
    size: u64,
    sdk: String,
    contract: String,
    env: Vec<String>,
    settings: Value,
    uploaded_at: String,
    active: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ActivateBody {
    version: String,
}

pub(super) async fn list(
    State(host): State<Host>,
    kind: ModuleKind,
) -> Result<Json<Value>, Problem> {
    let stored = blocking(move || host.stored(Some(kind))).await??;
    let mut modules: BTreeMap<String, Vec<VersionBody>> = BTreeMap::new();
    for version in stored {
        modules
            .entry(version.name.to_string())
            .or_default()
            .push(version.into());
    }
    let modules: Vec<Value> = modules
        .into_iter()
        .map(|(name, versions)| details(kind, &name, versions))
        .collect();
    Ok(Json(json!({ kind.plural(): modules })))
}

pub(super) async fn one(
    State(host): State<Host>,
    Path(name): Path<String>,
    kind: ModuleKind,
) -> Result<Json<Value>, Problem> {
    let name = parse_name(&name)?;
    Ok(Json(blocking(move || describe(&host, kind, &name)).await??))
}

/// Everything about one module.
fn describe(host: &Host, kind: ModuleKind, name: &ModuleName) -> Result<Value, Problem> {
    let versions = host.versions(kind, name)?;
    if versions.is_empty() {
        return Err(Problem::not_found(
            "unknown-module",
            "Unknown module",
            format!("there is no {kind} {name}"),
        ));
    }
    let versions = versions.into_iter().map(VersionBody::from).collect();
    let mut body = details(kind, name.as_str(), versions);
    let (status, head) = (host.module(kind, name)?, host.head()?);
    body["status"] = json!(status.map(|status| ModuleBody::of(status, head)));
    // A database that cannot be read is what the module fails with, and that is in its status.
    if kind == ModuleKind::Effect
        && let Ok(parked) = host.parked(name)
    {
        body["parked"] = parked.len().into();
    }
    if let Some(output) = host.output(kind, name) {
        body["output"] = output.into();
    }
    if kind == ModuleKind::Projector
        && let Some(replay) = host.replay_status(name)?
    {
        body["replay"] = json!(ReplayBody::from(replay));
    }
    Ok(body)
}

pub(super) async fn upload(
    State(host): State<Host>,
    Path((name, version)): Path<(String, String)>,
    request: Request,
    kind: ModuleKind,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    // Read before anything is judged: an answer in the middle of a large body breaks the
    // connection, and the client never sees why.
    let wasm = read_body(body, limits::MODULE_BYTES).await?.into();
    let name = parse_name(&name)?;
    let version = parse_version(&version)?;
    let env = parse_env(&head.headers)?;
    let settings = parse_settings(&head.headers)?;
    let inserted = blocking(move || {
        host.upload(Upload {
            kind,
            name,
            version,
            env,
            settings,
            wasm,
        })
    })
    .await??;
    let status = if inserted.already_present {
        StatusCode::OK
    } else {
        StatusCode::CREATED
    };
    Ok((status, Json(VersionBody::from(inserted.module))).into_response())
}

pub(super) async fn activate(
    State(host): State<Host>,
    Path(name): Path<String>,
    request: Request,
    kind: ModuleKind,
) -> Result<Response, Problem> {
    let body = read_body(request.into_body(), limits::INPUT_BYTES).await?;
    let name = parse_name(&name)?;
    let body: ActivateBody = serde_json::from_slice(&body).map_err(|error| {
        Problem::bad_request(
            "invalid-body",
            "Invalid body",
            format!("the body must be {{\"version\": \"1.0.0\"}}: {error}"),
        )
    })?;
    let version = parse_version(&body.version)?;
    let mut answer =
        json!({ "kind": kind.as_str(), "name": name.as_str(), "version": version.to_string() });
    let (activated, replay) = blocking(move || -> Result<_, Problem> {
        let activated = host.activate(kind, &name, &version)?;
        let replay = match activated {
            Activated::Replaying => host.replay_status(&name)?,
            Activated::Running => None,
        };
        Ok((activated, replay))
    })
    .await??;
    if activated == Activated::Running {
        return Ok(Json(answer).into_response());
    }
    answer["replay"] = json!(replay.map(ReplayBody::from));
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

pub(super) async fn deactivate(
    State(host): State<Host>,
    Path(name): Path<String>,
    kind: ModuleKind,
) -> Result<StatusCode, Problem> {
    let name = parse_name(&name)?;
    let was_active = blocking({
        let name = name.clone();
        move || host.deactivate(kind, &name)
    })
    .await??;
    if was_active {
        return Ok(StatusCode::NO_CONTENT);
    }
    Err(Problem::not_found(
        "not-active",
        "Not active",
        format!("no {kind} {name} is active"),
    ))
}

fn details(kind: ModuleKind, name: &str, versions: Vec<VersionBody>) -> Value {
    let active = versions
        .iter()
        .find(|version| version.active)
        .map(|version| version.version.clone());
    json!({ "kind": kind.as_str(), "name": name, "active": active, "versions": versions })
}

pub(super) fn parse_name(name: &str) -> Result<ModuleName, Problem> {
    name.parse()
        .map_err(|error: crate::modules::InvalidModuleName| {
            Problem::bad_request("invalid-name", "Invalid name", error.to_string())
        })
}

fn parse_version(version: &str) -> Result<Version, Problem> {
    version.parse().map_err(|error| {
        Problem::bad_request(
            "invalid-version",
            "Invalid version",
            format!("{version:?} is not a semantic version such as 1.0.0: {error}"),
        )
    })
}

fn parse_env(headers: &HeaderMap) -> Result<BTreeMap<String, String>, Problem> {
    let invalid =
        |detail: String| Problem::bad_request("invalid-environment", "Invalid environment", detail);
    let mut env = BTreeMap::new();
    for value in headers.get_all(ENV_HEADER) {
        let text = percent_decode(value.as_bytes())
            .decode_utf8()
            .map_err(|_| invalid(format!("a {ENV_HEADER} header is not UTF-8")))?;
        let (name, value) = text.split_once('=').ok_or_else(|| {
            invalid(format!(
                "the {ENV_HEADER} header {text:?} is not NAME=value"
            ))
        })?;
        if env.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(invalid(format!(
                "the environment variable {name:?} is given twice"
            )));
        }
    }
    Ok(env)
}

fn parse_settings(headers: &HeaderMap) -> Result<ModuleSettings, Problem> {
    let mut given = headers.get_all(SETTINGS_HEADER).iter();
    let Some(value) = given.next() else {
        return Ok(ModuleSettings::default());
    };
    let invalid = |reason: &str| Problem::invalid_settings(format!("{SETTINGS_HEADER}: {reason}"));
    if given.next().is_some() {
        return Err(invalid("the header is given twice"));
    }
    let text = percent_decode(value.as_bytes())
        .decode_utf8()
        .map_err(|_| invalid("it is not UTF-8"))?;
    ModuleSettings::from_json(&text).map_err(|error| invalid(&error.to_string()))
}

impl From<StoredModule> for VersionBody {
    fn from(module: StoredModule) -> Self {
        Self {
            kind: module.kind.as_str(),
            name: module.name.to_string(),
            version: module.version.to_string(),
            sha256: module.sha256.to_string(),
            size: module.size_bytes,
            sdk: module.sdk,
            contract: module.contract,
            // Names only: values may be secrets.
            env: module.env.into_keys().collect(),
            settings: module.settings.to_json(),
            uploaded_at: millis(module.uploaded_at),
            active: module.active,
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn env(values: &[&'static str]) -> Result<BTreeMap<String, String>, Problem> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ENV_HEADER, HeaderValue::from_static(value));
        }
        parse_env(&headers)
    }

    #[test]
    fn environment_headers_are_decoded() {
        let env = env(&["A=1%202", "B=x%3Dy", "C="]).unwrap();
        assert_eq!(env["A"], "1 2");
        assert_eq!(env["B"], "x=y");
        assert_eq!(env["C"], "");
    }

    #[test]
    fn settings_are_one_json_document() {
        let settings = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(SETTINGS_HEADER, HeaderValue::from_static(value));
            }
            parse_settings(&headers)
        };
        assert_eq!(settings(&[]).unwrap(), ModuleSettings::default());
        let latest = settings(&[r#"{"start":"latest"}"#]).unwrap();
        assert_eq!(
            settings(&["%7B%22start%22%3A%22latest%22%7D"]).unwrap(),
            latest
        );
        assert_ne!(latest, ModuleSettings::default());
        for wrong in [&["{}", "{}"][..], &["%FF"], &[""], &[r#"{"strat":1}"#]] {
            settings(wrong).unwrap_err();
        }
    }

    #[test]
    fn environment_headers_that_make_no_sense_are_refused() {
        env(&["A"]).unwrap_err();
        env(&["A=%FF"]).unwrap_err();
        env(&["A=1", "A=2"]).unwrap_err();
    }
}
