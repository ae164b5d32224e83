//! The API described by itself, as an OpenAPI 3.1 document
//! (<https://spec.openapis.org/oas/v3.1.1.html>).
//!
//! `openapi/base.json` is edited by hand and says what each route takes and answers; a test holds
//! it against the routes that there are. What the routes know better, the scope of each and the
//! problems that all of them have, is added here, and so is an operation for each active command
//! with the schema of its own input.

mod schema;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::extract::State;
use axum::{Extension, Json};
use serde_json::{Map, Value, json};

use self::schema::Components;
use super::routes::Route;
use super::{Problem, blocking};
use crate::Host;
use crate::bindings::CONTRACT_VERSION;
use crate::commands::ActiveCommand;
use crate::limits;
use crate::modules::ModuleKind;

/// All but what the routes and the active commands add.
const BASE: &str = include_str!("openapi/base.json");

/// The route that each active command has an operation of.
const EXECUTE: &str = "/commands/{name}/execute";

/// Every route that there is.
#[derive(Debug, Clone)]
pub(super) struct Table(pub(super) Arc<[Route]>);

pub(super) async fn document(
    State(host): State<Host>,
    Extension(Table(routes)): Extension<Table>,
) -> Result<Json<Value>, Problem> {
    let document = blocking(move || describe(&routes, &host.active_commands())).await?;
    document.map(Json).map_err(|error| {
        tracing::error!("the description of the API is not JSON: {error}");
        Problem::internal()
    })
}

fn describe(routes: &[Route], commands: &[ActiveCommand]) -> Result<Value, serde_json::Error> {
    let mut document: Value = serde_json::from_str(BASE)?;
    document["info"]["version"] = env!("CARGO_PKG_VERSION").into();
    // By which a client knows whether modules that it builds run here.
    document["info"]["x-contract"] = CONTRACT_VERSION.into();
    let base = document["paths"].take();
    let mut paths = Map::new();
    for (path, item) in base.as_object().into_iter().flatten() {
        if !path.starts_with("/{kinds}") {
            paths.insert(path.clone(), item.clone());
            continue;
        }
        // Not every kind has every one of these.
        for kind in ModuleKind::ALL {
            let path = of_kind(path, kind);
            if routes.iter().any(|route| route.path == path) {
                paths.insert(path, name_kind(item, kind));
            }
        }
    }
    for route in routes {
        let method = route.method.as_str().to_ascii_lowercase();
        if let Some(operation) = paths.get_mut(&route.path).and_then(|p| p.get_mut(&method)) {
            guard(operation, route);
        }
    }
    add_commands(&mut document, &mut paths, commands);
    document["paths"] = paths.into();
    Ok(document)
}

/// What a route asks for, and what may go wrong.
fn guard(operation: &mut Value, route: &Route) {
    let problem = || json!({ "$ref": "#/components/responses/Problem" });
    operation["responses"]["default"] = problem();
    if let Some(scope) = route.scope {
        operation["security"] = json!([{ "apiKey": [scope.as_str()] }]);
        operation["responses"]["401"] = problem();
        operation["responses"]["403"] = problem();
    }
}

/// An operation for each active command, beside the one for all of them.
fn add_commands(document: &mut Value, paths: &mut Map<String, Value>, commands: &[ActiveCommand]) {
    let Some(execute) = paths.get(EXECUTE).map(|item| item["post"].clone()) else {
        return;
    };
    let mut components = Components::default();
    for command in commands {
        let mut operation = execute.clone();
        operation["operationId"] = format!("execute.{}", command.name).into();
        operation["summary"] = format!("Execute {} {}", command.name, command.version).into();
        if let Some(map) = operation.as_object_mut() {
            map.remove("description");
        }
        if let Some(parameters) = operation["parameters"].as_array_mut() {
            // The name is in the path.
            parameters
                .retain(|parameter| parameter["$ref"] != "#/components/parameters/ModuleName");
        }
        let schema = command.schema.as_deref();
        let schema = schema.filter(|text| text.len() <= limits::OPENAPI_SCHEMA_BYTES);
        if let Some(schema) = schema.and_then(|text| serde_json::from_str(text).ok()) {
            let reference = components.add(command.name.as_str(), schema);
            operation["requestBody"]["content"]["application/json"]["schema"] = reference;
        }
        let path = EXECUTE.replace("{name}", command.name.as_str());
        paths.insert(path, json!({ "post": operation }));
    }
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        schemas.extend(components.finish());
    }
}

fn of_kind(text: &str, kind: ModuleKind) -> String {
    let capitalised = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    text.replace("{kinds}", kind.plural())
        .replace("{Kinds}", &capitalised(kind.plural()))
        .replace("{kind}", kind.as_str())
        .replace("{Kind}", &capitalised(kind.as_str()))
}

/// The same with the name of the kind wherever it belongs.
fn name_kind(value: &Value, kind: ModuleKind) -> Value {
    match value {
        Value::String(text) => of_kind(text, kind).into(),
        Value::Array(items) => items.iter().map(|item| name_kind(item, kind)).collect(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| (of_kind(name, kind), name_kind(member, kind)))
            .collect(),
        other => other.clone(),
    }
}
