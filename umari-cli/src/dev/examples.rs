//! Calls to try, made from the commands' own schemas.

use serde_json::{Map, Value, json};

use crate::client::Client;
use crate::deploy::Deployed;
use crate::kind::ModuleKind;

/// How many commands are shown.
const COMMANDS: usize = 2;
/// How deep a schema is followed. Inputs are flat; a schema may be recursive.
const DEPTH: usize = 8;

/// Lines for the summary of a project that brings none.
pub(super) fn lines(client: &Client, deployed: &[Deployed]) -> Vec<String> {
    let commands = deployed
        .iter()
        .filter(|it| it.kind == ModuleKind::Command)
        .take(COMMANDS);
    let mut lines: Vec<String> = commands
        .map(|it| {
            let input = client
                .schema(&it.name)
                .map_or_else(|_| json!({}), |schema| example(&schema));
            execute_line(client.url(), &it.name, &input)
        })
        .collect();
    lines.push(format!("curl -s '{}/events?limit=10'", client.url()));
    lines.truncate(COMMANDS + 1);
    if lines.len() <= COMMANDS {
        lines.push(format!("curl -s {}/modules", client.url()));
    }
    lines
}

fn execute_line(url: &str, name: &str, input: &Value) -> String {
    // A quote inside a shell's quotes ends them, so it is written outside.
    let input = input.to_string().replace('\'', r"'\''");
    format!(
        "curl -s -X POST {url}/commands/{name}/execute -H 'content-type: application/json' -d '{input}'"
    )
}

/// A value that fits a JSON Schema, as far as types, formats and ranges say.
fn example(schema: &Value) -> Value {
    // Some servers answer with the schema under a name of its own.
    let schema = schema
        .get("schema")
        .filter(|schema| schema.is_object())
        .unwrap_or(schema);
    value(schema, schema, DEPTH)
}

fn value(root: &Value, schema: &Value, depth: usize) -> Value {
    if depth == 0 {
        return Value::Null;
    }
    let first_of = |key: &str| {
        schema
            .get(key)
            .and_then(Value::as_array)
            .and_then(|list| list.first())
    };
    for given in [
        schema.get("const"),
        schema.get("default"),
        first_of("examples"),
        first_of("enum"),
    ] {
        if let Some(given) = given.filter(|given| !given.is_null()) {
            return given.clone();
        }
    }
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        let target = target
            .strip_prefix('#')
            .and_then(|pointer| root.pointer(pointer));
        return target.map_or(Value::Null, |target| value(root, target, depth - 1));
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        let options = schema
            .get(choice)
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        let is_null = |option: &&Value| option.get("type").and_then(Value::as_str) == Some("null");
        if let Some(option) = options.iter().find(|option| !is_null(option)) {
            return value(root, option, depth - 1);
        }
    }
    match type_of(schema) {
        "object" => object(root, schema, depth),
        "array" => match schema.get("items") {
            Some(items) => json!([value(root, items, depth - 1)]),
            None => json!([]),
        },
        "integer" | "number" => schema
            .get("minimum")
            .cloned()
            .filter(|it| it.as_f64() > Some(1.0))
            .unwrap_or(json!(1)),
        "boolean" => json!(true),
        "string" => json!(text(schema)),
        _ => Value::Null,
    }
}

/// The type, where a nullable one is a list with `null` in it.
fn type_of(schema: &Value) -> &str {
    let listed = |types: &'_ Value| -> Option<String> {
        types
            .as_array()?
            .iter()
            .filter_map(Value::as_str)
            .find(|it| *it != "null")
            .map(str::to_owned)
    };
    match schema.get("type") {
        Some(Value::String(one)) => one,
        Some(types) => match listed(types).as_deref() {
            Some("object") => "object",
            Some("array") => "array",
            Some("integer" | "number") => "integer",
            Some("boolean") => "boolean",
            Some("string") => "string",
            _ => "",
        },
        None if schema.get("properties").is_some() => "object",
        None => "",
    }
}

/// An object with its required fields, or with all where none is required.
fn object(root: &Value, schema: &Value, depth: usize) -> Value {
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let required = schema
        .get("required")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let wanted =
        |name: &str| required.is_empty() || required.iter().any(|it| it.as_str() == Some(name));
    let fields = properties.iter().filter(|(name, _)| wanted(name));
    Value::Object(
        fields
            .map(|(name, field)| (name.clone(), value(root, field, depth - 1)))
            .collect::<Map<_, _>>(),
    )
}

fn text(schema: &Value) -> &'static str {
    match schema.get("format").and_then(Value::as_str) {
        Some("uuid") => "01890a5d-ac96-774b-bcce-b302099a8057",
        Some("date-time") => "2026-01-01T00:00:00Z",
        Some("date") => "2026-01-01",
        Some("email") => "someone@example.com",
        Some("uri" | "url") => "https://example.com",
        _ => "example",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_example_has_the_required_fields() {
        let schema = json!({
            "$defs": { "Money": { "type": "string" }, "Node": { "$ref": "#/$defs/Node" } },
            "type": "object",
            "required": ["shop_id", "plan_id", "price", "tags", "level", "node", "until"],
            "properties": {
                "shop_id": { "type": "integer", "minimum": 0 },
                "plan_id": { "type": "string", "format": "uuid" },
                "price": { "$ref": "#/$defs/Money" },
                "tags": { "type": "array", "items": { "type": "string", "enum": ["a", "b"] } },
                "level": { "anyOf": [{ "type": "null" }, { "type": "integer", "minimum": 5 }] },
                "node": { "$ref": "#/$defs/Node" },
                "until": { "type": ["string", "null"], "format": "date" },
                "note": { "type": "string" },
            },
        });
        let expected = json!({
            "shop_id": 1, "plan_id": "01890a5d-ac96-774b-bcce-b302099a8057", "price": "example", "tags": ["a"],
            "level": 5, "node": null, "until": "2026-01-01",
        });
        assert_eq!(example(&schema), expected);
        assert_eq!(example(&json!({ "schema": schema })), expected);
    }

    #[test]
    fn a_schema_without_required_fields_shows_all() {
        let schema = json!({ "properties": { "a": { "type": "boolean" }, "b": { "default": 7 } } });
        assert_eq!(example(&schema), json!({ "a": true, "b": 7 }));
        assert_eq!(example(&json!(true)), Value::Null);
    }

    #[test]
    fn a_line_can_be_pasted_into_a_shell() {
        let line = execute_line("http://h", "greet", &json!({ "name": "it's" }));
        let expected = r#"curl -s -X POST http://h/commands/greet/execute -H 'content-type: application/json' -d '{"name":"it'\''s"}'"#;
        assert_eq!(line, expected);
    }
}
