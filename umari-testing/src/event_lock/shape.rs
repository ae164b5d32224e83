//! The shape of JSON: which fields there are, and of which types.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Paths of fields, such as `lines[].price`, with the JSON types that were seen there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shape {
    fields: BTreeMap<String, Field>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Field {
    types: BTreeSet<&'static str>,
    /// Absent in some of the payloads that it could have been in.
    optional: bool,
}

/// How a field differs between an earlier shape and a later one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Added {
        path: String,
        now: String,
    },
    Removed {
        path: String,
        was: String,
    },
    Retyped {
        path: String,
        was: String,
        now: String,
    },
}

impl Change {
    /// Whether what reads the later shape can do without it in the earlier one: the field is new,
    /// or there is a `null` on one side, which says nothing of its type.
    pub(crate) fn only_adds(&self) -> bool {
        match self {
            Self::Added { .. } => true,
            Self::Removed { was, .. } => was == "null",
            Self::Retyped { was, now, .. } => {
                let known = |name: &str| name == "null" || types(was).any(|was| was == name);
                was == "null" || types(now).all(known)
            }
        }
    }
}

impl Shape {
    pub(crate) fn of(data: &Value) -> Self {
        let mut shape = Self::default();
        shape.walk("", data);
        shape
    }

    /// The shape of any of `payloads`.
    pub(crate) fn of_all<'a>(payloads: impl Iterator<Item = &'a Value>) -> Self {
        payloads.map(Self::of).reduce(Self::or).unwrap_or_default()
    }

    fn or(mut self, other: Self) -> Self {
        let absent: Vec<_> = self
            .fields
            .keys()
            .filter(|path| !other.fields.contains_key(*path) && other.could_hold(path))
            .cloned()
            .collect();
        for path in absent {
            self.fields.entry(path).or_default().optional = true;
        }
        let absent: Vec<_> = other
            .fields
            .keys()
            .filter(|path| !self.fields.contains_key(*path) && self.could_hold(path))
            .cloned()
            .collect();
        for (path, field) in other.fields {
            let merged = self.fields.entry(path).or_default();
            merged.types.extend(field.types);
            merged.optional |= field.optional;
        }
        for path in absent {
            self.fields.entry(path).or_default().optional = true;
        }
        self
    }

    /// Whether the field would have been seen if it were there: what holds it is there, and is not an
    /// empty list.
    fn could_hold(&self, path: &str) -> bool {
        if path.ends_with("[]") {
            return false;
        }
        match path.rfind('.') {
            None => true,
            Some(end) => self.fields.contains_key(&path[..end]),
        }
    }

    /// What `later` has that this shape has not, and the other way round.
    pub(crate) fn changes(&self, later: &Self) -> Vec<Change> {
        let paths: BTreeSet<_> = self.fields.keys().chain(later.fields.keys()).collect();
        paths
            .into_iter()
            .filter_map(|path| {
                let (was, now) = (self.fields.get(path), later.fields.get(path));
                let path = path.clone();
                match (was, now) {
                    (None, Some(now)) => Some(Change::Added {
                        path,
                        now: now.types(),
                    }),
                    (Some(was), None) => later.could_hold(&path).then(|| Change::Removed {
                        path,
                        was: was.types(),
                    }),
                    (Some(was), Some(now)) => {
                        (!now.types.is_subset(&was.types)).then(|| Change::Retyped {
                            path,
                            was: was.types(),
                            now: now.types(),
                        })
                    }
                    (None, None) => None,
                }
            })
            .collect()
    }

    /// As the file has it: paths and types, in the order of the paths.
    pub(crate) fn to_file(&self) -> BTreeMap<String, String> {
        self.fields
            .iter()
            .map(|(path, field)| {
                let optional = if field.optional { "optional " } else { "" };
                (path.clone(), format!("{optional}{}", field.types()))
            })
            .collect()
    }

    fn walk(&mut self, path: &str, data: &Value) {
        let name = if path.is_empty() { "." } else { path };
        let is_root_object = path.is_empty() && data.is_object();
        if !is_root_object {
            let field = self.fields.entry(name.to_owned()).or_default();
            field.types.insert(type_name(data));
        }
        match data {
            Value::Object(members) => {
                for (member, value) in members {
                    let path = if path.is_empty() {
                        member.clone()
                    } else {
                        format!("{path}.{member}")
                    };
                    self.walk(&path, value);
                }
            }
            Value::Array(elements) => {
                // Elements that differ are alternatives, as payloads are.
                let path = format!("{path}[]");
                let elements = elements.iter().map(|element| {
                    let mut shape = Self::default();
                    shape.walk(&path, element);
                    shape
                });
                if let Some(element) = elements.reduce(Self::or) {
                    self.fields.extend(element.fields);
                }
            }
            _ => {}
        }
    }
}

impl Field {
    fn types(&self) -> String {
        let types: Vec<_> = self.types.iter().copied().collect();
        types.join(" | ")
    }
}

/// The single types of `string | null`.
fn types(text: &str) -> impl Iterator<Item = &str> {
    text.split(" | ")
}

/// JSON's own types, but for numbers: a whole one is not read from a broken one.
fn type_name(data: &Value) -> &'static str {
    match data {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
