//! The document is one of OpenAPI 3.1, says what routes there are, and no other.

use std::collections::{BTreeMap, BTreeSet};

use crate::HostConfig;
use crate::api::{Access, routes};
use crate::api_keys::Scope;

use super::*;

fn table() -> (Vec<Route>, tempfile::TempDir) {
    let directory = tempfile::tempdir().expect("a directory");
    let host = Host::start(HostConfig::new(directory.path())).expect("a host");
    (routes(host, Access::open()).finish().1, directory)
}

fn command(name: &str, schema: Option<&str>) -> ActiveCommand {
    ActiveCommand {
        name: name.parse().expect("a name"),
        version: "1.2.3".parse().expect("a version"),
        schema: schema.map(Into::into),
    }
}

fn document(commands: &[ActiveCommand]) -> Value {
    describe(&table().0, commands).expect("JSON")
}

/// Every operation by its method and path.
fn operations(document: &Value) -> BTreeMap<(String, String), Value> {
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = BTreeMap::new();
    for (path, item) in paths {
        for (method, operation) in item.as_object().expect("a path item") {
            let key = (method.to_uppercase(), path.clone());
            operations.insert(key, operation.clone());
        }
    }
    operations
}

/// Calls `see` with every object in the value.
fn walk<'a>(value: &'a Value, see: &mut impl FnMut(&'a Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        Value::Object(members) => {
            see(members);
            members.values().for_each(|member| walk(member, see));
        }
        _ => {}
    }
}

fn references(document: &Value) -> Vec<&str> {
    let mut references = Vec::new();
    walk(document, &mut |members| {
        references.extend(members.get("$ref").and_then(Value::as_str));
    });
    references
}

/// Whether a response is one, or refers to one.
fn is_described(answer: &Value) -> bool {
    answer["$ref"].is_string() || answer["description"].is_string()
}

/// Whether a parameter has what the specification asks of it, or refers to one.
fn is_parameter(parameter: &Value) -> bool {
    let place = parameter["in"].as_str();
    let is_whole = parameter["name"].is_string()
        && parameter["schema"].is_object()
        && matches!(place, Some("path" | "query" | "header"))
        && (place != Some("path") || parameter["required"] == true);
    parameter["$ref"].is_string() || is_whole
}

#[test]
fn every_route_is_described_and_nothing_else() {
    let (routes, _directory) = table();
    let document = describe(&routes, &[]).expect("JSON");
    let described: BTreeSet<_> = operations(&document).into_keys().collect();
    let there_are: BTreeSet<_> = routes
        .iter()
        .map(|route| (route.method.to_string(), route.path.clone()))
        .collect();
    let missing: Vec<_> = there_are.difference(&described).collect();
    assert!(
        missing.is_empty(),
        "describe them in api/openapi/base.json: {missing:?}"
    );
    let gone: Vec<_> = described.difference(&there_are).collect();
    assert!(
        gone.is_empty(),
        "take them out of api/openapi/base.json: {gone:?}"
    );
    for route in &routes {
        let key = (route.method.to_string(), route.path.clone());
        let operation = &operations(&document)[&key];
        let scope = route.scope.map(Scope::as_str);
        assert_eq!(
            operation["security"][0]["apiKey"][0].as_str(),
            scope,
            "{route:?}"
        );
        let answers = operation["responses"].as_object().expect("responses");
        assert!(answers.contains_key("default"), "{route:?}");
        // What is always refused says with what.
        assert!(answers.keys().any(|status| status.starts_with(['2', '4'])));
        // Each `{part}` of the path is a parameter, and the other way round.
        let mut in_path = BTreeSet::new();
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = match parameter["$ref"].as_str() {
                Some(target) => document.pointer(&target[1..]).expect("a parameter"),
                None => parameter,
            };
            if parameter["in"] == "path" {
                in_path.insert(format!(
                    "{{{}}}",
                    parameter["name"].as_str().expect("a name")
                ));
            }
        }
        let parts = route.path.split('/').filter(|part| part.starts_with('{'));
        let parts: BTreeSet<_> = parts.map(str::to_owned).collect();
        assert_eq!(in_path, parts, "{route:?}");
    }
    let text = document.to_string();
    assert!(!text.contains("{kind"), "a kind is not named");
}

#[test]
fn the_document_is_valid() {
    let schema = r##"{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}},"$defs":{"A":{"type":"string"}}}"##;
    let commands = [
        command("place-order", Some(schema)),
        command("without-schema", None),
        command("odd", Some("not JSON")),
    ];
    let document = document(&commands);
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(document["info"]["x-contract"], CONTRACT_VERSION);
    let described = operations(&document);
    for target in references(&document) {
        let pointer = target.strip_prefix('#').expect("a local reference");
        assert!(document.pointer(pointer).is_some(), "{target}");
    }
    let mut ids = BTreeSet::new();
    for ((method, path), operation) in &described {
        let id = operation["operationId"].as_str().expect("an id");
        assert!(
            ids.insert(id.to_owned()),
            "{id} of {method} {path} is taken"
        );
        assert!(operation["summary"].is_string(), "{id}");
        let answers = operation["responses"].as_object().expect("responses");
        for (status, answer) in answers {
            let is_status = status == "default" || matches!(status.parse(), Ok(100..=599_u16));
            assert!(is_status, "{id}: {status}");
            assert!(is_described(answer), "{id}: {status}");
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(is_parameter(parameter), "{id}: {parameter}");
        }
        if let Some(body) = operation.get("requestBody") {
            assert!(body["content"].is_object(), "{id}");
        }
    }
    let components = &document["components"];
    for parameter in components["parameters"]
        .as_object()
        .expect("parameters")
        .values()
    {
        assert!(is_parameter(parameter), "{parameter}");
    }
    for answer in components["responses"]
        .as_object()
        .expect("responses")
        .values()
    {
        assert!(is_described(answer), "{answer}");
    }
    for name in document["components"]["schemas"]
        .as_object()
        .expect("schemas")
        .keys()
    {
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
        assert!(name.chars().all(allowed), "{name}");
    }
}

#[test]
fn each_active_command_is_an_operation_with_its_own_input() {
    let large = format!(
        "{{\"description\":\"{}\"}}",
        "x".repeat(limits::OPENAPI_SCHEMA_BYTES - 18)
    );
    assert_eq!(large.len(), limits::OPENAPI_SCHEMA_BYTES);
    let beyond = format!("{large} ");
    let commands = [
        command("typed", Some(r#"{"type":"object","required":["a"]}"#)),
        command("untyped", None),
        command("large", Some(&large)),
        command("beyond", Some(&beyond)),
    ];
    let document = document(&commands);
    let input = |name: &str| {
        let operation = &document["paths"][format!("/commands/{name}/execute")]["post"];
        assert_eq!(operation["operationId"], format!("execute.{name}"));
        assert_eq!(operation["security"], json!([{ "apiKey": ["execute"] }]));
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        match schema["$ref"].as_str() {
            Some(target) => document.pointer(&target[1..]).expect("a schema").clone(),
            None => schema.clone(),
        }
    };
    assert_eq!(
        input("typed"),
        json!({ "type": "object", "required": ["a"] })
    );
    assert_eq!(input("untyped"), json!({}));
    assert!(input("large")["description"].is_string());
    assert_eq!(input("beyond"), json!({}));
}
