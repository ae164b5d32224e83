//! The schemas of commands' inputs, as components of one document.

use serde_json::{Map, Value, json};

const COMPONENTS: &str = "#/components/schemas/";
/// Where a schema keeps what it refers to: today's word, and that of older drafts.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];
/// What is data and not a schema, however it looks.
const DATA: [&str; 5] = ["const", "enum", "default", "examples", "example"];

/// Schemas under names of their own.
#[derive(Debug, Default)]
pub(super) struct Components(Map<String, Value>);

impl Components {
    /// Adds the schema of a command's input, and gives a reference to it. Its definitions become
    /// components as well: `Address` of `place-order` is `place-order.def.Address`.
    pub(super) fn add(&mut self, command: &str, mut schema: Value) -> Value {
        let root = format!("{command}.Input");
        let mut definitions = Map::new();
        if let Some(members) = schema.as_object_mut() {
            members.remove("$schema");
            members.remove("$id");
            for word in DEFINITIONS {
                if let Some(Value::Object(found)) = members.remove(word) {
                    definitions.extend(found);
                }
            }
        }
        for (name, mut definition) in definitions {
            relocate(&mut definition, command, &root);
            self.0.insert(component(command, &name), definition);
        }
        relocate(&mut schema, command, &root);
        if !schema.is_object() && !schema.is_boolean() {
            schema = Value::Bool(true);
        }
        let reference = json!({ "$ref": format!("{COMPONENTS}{root}") });
        self.0.insert(root, schema);
        reference
    }

    pub(super) fn finish(self) -> Map<String, Value> {
        self.0
    }
}

/// Lets every reference within the schema point to where its target is now.
fn relocate(schema: &mut Value, command: &str, root: &str) {
    match schema {
        Value::Array(items) => {
            for item in items {
                relocate(item, command, root);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(target) if name == "$ref" => {
                        if let Some(moved) = moved(target, command, root) {
                            *target = moved;
                        }
                    }
                    _ if DATA.contains(&name.as_str()) => {}
                    member => relocate(member, command, root),
                }
            }
        }
        _ => {}
    }
}

/// Where the target of a reference within one schema is in the document.
fn moved(target: &str, command: &str, root: &str) -> Option<String> {
    let pointer = target.strip_prefix('#')?;
    for word in DEFINITIONS {
        let Some(path) = pointer.strip_prefix(&format!("/{word}/")) else {
            continue;
        };
        let (name, rest) = match path.split_once('/') {
            Some((name, rest)) => (name, format!("/{rest}")),
            None => (path, String::new()),
        };
        let name = name.replace("~1", "/").replace("~0", "~");
        return Some(format!("{COMPONENTS}{}{rest}", component(command, &name)));
    }
    Some(format!("{COMPONENTS}{root}{pointer}"))
}

/// A component's name, which has letters, digits, `.`, `-` and `_` only.
fn component(command: &str, definition: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let name: String = definition
        .chars()
        .map(|letter| if allowed(letter) { letter } else { '_' })
        .collect();
    // `def`, so that a definition that is called Input is not taken for the input itself.
    format!("{command}.def.{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(command: &str, schema: Value) -> (Value, Value) {
        let mut components = Components::default();
        let reference = components.add(command, schema);
        (reference, Value::Object(components.finish()))
    }

    #[test]
    fn definitions_become_components() {
        let (reference, components) = added(
            "place-order",
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "type": "object",
                "properties": {
                    "to": { "$ref": "#/$defs/Address" },
                    "parts": { "type": "array", "items": { "$ref": "#" } },
                    "street": { "$ref": "#/$defs/Address/properties/street" },
                    "kind": { "const": { "$ref": "#/$defs/Address" } },
                    "$ref": { "type": "string" }
                },
                "$defs": {
                    "Address": { "type": "object", "properties": { "next": { "$ref": "#/$defs/a~1b<c>" } } },
                    "a/b<c>": { "type": "null" }
                }
            }),
        );
        assert_eq!(reference["$ref"], "#/components/schemas/place-order.Input");
        assert_eq!(
            components,
            json!({
                "place-order.Input": {
                    "type": "object",
                    "properties": {
                        "to": { "$ref": "#/components/schemas/place-order.def.Address" },
                        "parts": { "type": "array", "items": { "$ref": "#/components/schemas/place-order.Input" } },
                        "street": { "$ref": "#/components/schemas/place-order.def.Address/properties/street" },
                        "kind": { "const": { "$ref": "#/$defs/Address" } },
                        "$ref": { "type": "string" }
                    }
                },
                "place-order.def.Address": {
                    "type": "object",
                    "properties": { "next": { "$ref": "#/components/schemas/place-order.def.a_b_c_" } }
                },
                "place-order.def.a_b_c_": { "type": "null" }
            })
        );
    }

    #[test]
    fn what_is_no_schema_accepts_everything() {
        for odd in [json!(null), json!(7), json!("x"), json!([{ "$ref": "#" }])] {
            let (_, components) = added("c", odd);
            assert_eq!(components["c.Input"], true);
        }
        assert_eq!(added("c", json!(false)).1["c.Input"], false);
    }
}
