//! Values, from JSON to SQLite and back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Row;
use rusqlite::types::{Value as Sql, ValueRef};
use serde_json::{Value, json};

use crate::limits;

/// A value as it is bound.
pub(super) type Bound = Sql;

/// How large an answer has become, about as many bytes as its JSON has.
#[derive(Debug, Default)]
pub(super) struct Size {
    bytes: usize,
}

impl Size {
    /// What brackets, commas and numbers take, about.
    const VALUE_BYTES: usize = 8;

    fn add(&mut self, bytes: usize) -> bool {
        self.bytes = self.bytes.saturating_add(bytes + Self::VALUE_BYTES);
        self.bytes <= limits::QUERY_BYTES
    }
}

/// A row as JSON; `None` where the answer would become too large.
pub(super) fn read_row(
    row: &Row<'_>,
    width: usize,
    size: &mut Size,
) -> rusqlite::Result<Option<Vec<Value>>> {
    let mut values = Vec::with_capacity(width);
    for column in 0..width {
        let value = row.get_ref(column)?;
        let bytes = match value {
            ValueRef::Text(bytes) => bytes.len(),
            ValueRef::Blob(bytes) => bytes.len().div_ceil(3) * 4,
            _ => 0,
        };
        if !size.add(bytes) {
            return Ok(None);
        }
        values.push(read(value));
    }
    Ok(Some(values))
}

fn read(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(value) => value.into(),
        ValueRef::Real(value) if value.is_finite() => value.into(),
        // SQLite turns what is not a number into NULL, so only the infinities are left.
        ValueRef::Real(value) if value > 0.0 => json!({ "real": "Infinity" }),
        ValueRef::Real(_) => json!({ "real": "-Infinity" }),
        ValueRef::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => text.into(),
            Err(_) => blob(bytes),
        },
        ValueRef::Blob(bytes) => blob(bytes),
    }
}

fn blob(bytes: &[u8]) -> Value {
    json!({ "base64": STANDARD.encode(bytes) })
}

/// A JSON value as SQLite takes it.
pub(super) fn bind(value: &Value) -> Result<Bound, String> {
    match value {
        Value::Null => Ok(Sql::Null),
        Value::Bool(value) => Ok(Sql::Integer((*value).into())),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(integer), _) => Ok(Sql::Integer(integer)),
            (None, Some(real)) if !number.is_u64() => Ok(Sql::Real(real)),
            _ => Err(format!(
                "the parameter {number} is above {}, the largest integer of SQLite; give it as a \
                 string",
                i64::MAX
            )),
        },
        Value::String(text) => Ok(Sql::Text(text.clone())),
        Value::Object(object) => match object.get("base64") {
            Some(Value::String(text)) if object.len() == 1 => STANDARD
                .decode(text)
                .map(Sql::Blob)
                .map_err(|error| format!("a parameter's base64 cannot be decoded: {error}")),
            _ => Err(NOT_A_VALUE.to_owned()),
        },
        Value::Array(_) => Err(NOT_A_VALUE.to_owned()),
    }
}

const NOT_A_VALUE: &str = "a parameter is null, a number, true, false, a string or \
                           {\"base64\": \"…\"}; give JSON as a string, and read it with json_each()";
