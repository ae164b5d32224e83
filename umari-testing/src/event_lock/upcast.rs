//! The upcast that a changed shape asks for, as code to begin with.

use std::fmt::Write as _;

use serde_json::Value;

use super::kind::Kind;
use super::shape::Change;

/// The attributes and the function that read data of `version`, in which `changes` are still to come.
pub(crate) fn code(kind: &Kind, version: u32, changes: &[Change], data: &Value) -> String {
    let mut text = String::new();
    if version >= kind.version {
        let aliases = match kind.aliases {
            [] => String::new(),
            aliases => format!(", aliases = {aliases:?}"),
        };
        let next = version + 1;
        let name = kind.event_type;
        let _ = writeln!(text, "#[event_type({name:?}, version = {next}{aliases})]");
    }
    let _ = writeln!(
        text,
        "#[upcast(version = {version}, with = from_version_{version})]"
    );
    let body = body(changes, data);
    let mutable = if body.contains("] = ") { "mut " } else { "" };
    let _ = write!(
        text,
        "\n/// Data of version {version} in the shape of version {}.\n\
         fn from_version_{version}({mutable}data: serde_json::Value) -> serde_json::Value {{\n\
         {body}    data\n\
         }}",
        version + 1,
    );
    text
}

fn body(changes: &[Change], data: &Value) -> String {
    if let Some((was, now)) = rename(changes) {
        let (was, now) = (index("data", was), index("data", now));
        return format!("    {now} = {was}.take(); // if it has another name now\n");
    }
    if changes.is_empty() {
        return "    // make of it what the type reads today\n".to_owned();
    }
    let shown = outermost(changes);
    let shown = shown.filter(|change| !path(change).ends_with("[]"));
    shown.map(|change| line(change, data)).collect()
}

/// The changes without those inside an object or a list that is added as a whole.
pub(crate) fn outermost(changes: &[Change]) -> impl Iterator<Item = &Change> {
    changes.iter().filter(|change| {
        let inside = |other: &Change| match other {
            Change::Added { path: added, .. } => path(change)
                .strip_prefix(added.as_str())
                .is_some_and(|rest| rest.starts_with(['.', '['])),
            _ => false,
        };
        !changes.iter().any(inside)
    })
}

/// Where one field went and one of the same types came, it is probably the same field.
fn rename(changes: &[Change]) -> Option<(&str, &str)> {
    let ([
        Change::Added { path, now },
        Change::Removed { path: old, was },
    ]
    | [
        Change::Removed { path: old, was },
        Change::Added { path, now },
    ]) = changes
    else {
        return None;
    };
    let is_plain = !path.contains("[]") && !old.contains("[]");
    (was == now && is_plain).then_some((old, path))
}

fn line(change: &Change, data: &Value) -> String {
    let note = match change {
        Change::Added { now, .. } => {
            format!("{now}: what was the case before there was this field")
        }
        Change::Removed { path, .. } => return format!("    // `{path}` is not read any more\n"),
        Change::Retyped { path, was, now } => match at(data, path) {
            Some(value) => format!("{now}: made of what was {was}, such as {value}"),
            None => format!("{now}: made of what was {was}"),
        },
    };
    match path(change).split_once("[].") {
        Some((_, rest)) if rest.contains("[]") => {
            format!("    // each `{}`: {note}\n", path(change))
        }
        Some((list, rest)) => format!(
            "    for element in {}.as_array_mut().into_iter().flatten() {{\n        {} = json!(..); // {note}\n    }}\n",
            index("data", list),
            index("element", rest),
        ),
        None => format!(
            "    {} = json!(..); // {note}\n",
            index("data", path(change))
        ),
    }
}

pub(crate) fn path(change: &Change) -> &str {
    match change {
        Change::Added { path, .. }
        | Change::Removed { path, .. }
        | Change::Retyped { path, .. } => path,
    }
}

/// `data["address"]["city"]`
fn index(value: &str, path: &str) -> String {
    path.split('.')
        .fold(value.to_owned(), |code, name| format!("{code}[{name:?}]"))
}

/// A short value at `path`, where it is in no list.
fn at<'a>(data: &'a Value, path: &str) -> Option<&'a Value> {
    let value = path
        .split('.')
        .try_fold(data, |value, name| value.get(name))?;
    (value.to_string().len() <= 40).then_some(value)
}
