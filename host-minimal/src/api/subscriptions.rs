//! Operating projectors and effects over HTTP: pausing, and letting them go on.

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::modules::parse_name;
use super::{Problem, blocking};
use crate::Host;
use crate::modules::ModuleKind;

pub(super) async fn pause(
    State(host): State<Host>,
    Path(name): Path<String>,
    kind: ModuleKind,
) -> Result<Json<Value>, Problem> {
    set_paused(host, &name, kind, true).await
}

pub(super) async fn resume(
    State(host): State<Host>,
    Path(name): Path<String>,
    kind: ModuleKind,
) -> Result<Json<Value>, Problem> {
    set_paused(host, &name, kind, false).await
}

async fn set_paused(
    host: Host,
    name: &str,
    kind: ModuleKind,
    paused: bool,
) -> Result<Json<Value>, Problem> {
    let name = parse_name(name)?;
    let changed = blocking({
        let name = name.clone();
        move || {
            if paused {
                host.pause(kind, &name)
            } else {
                host.resume(kind, &name)
            }
        }
    })
    .await??;
    Ok(Json(json!({
        "kind": kind.as_str(), "name": name.as_str(), "paused": paused, "changed": changed,
    })))
}
