//! What the event lock says, and what to do about it.

use std::fmt::Write as _;
use std::path::Path;

use super::file::{Entry, FILE_NAME, Golden, Unusable};
use super::kind::Kind;
use super::shape::Change;
use super::upcast;
use crate::report::Report;
use crate::report::diff;

const UPDATE: &str = "UMARI_UPDATE=1 cargo test";

pub(crate) fn no_events() -> Report {
    Report::new("this event lock has no event")
        .cause("no sample was given, so there is nothing to hold against the file")
        .fix("`.event(sample)` for each event type of this crate")
}

pub(crate) fn registered_twice(name: &str) -> Report {
    Report::new(format!("`{name}` is registered twice"))
        .cause("two samples have this event type")
        .fix(
            "give one sample for each type: the one that says most, with options that are `Some` and \
             lists that have an element; if these are two types, one of them needs another name",
        )
}

pub(crate) fn name_shared(name: &str, one: &str, other: &str) -> Report {
    Report::new(format!(
        "`{one}` and `{other}` both claim events named `{name}`"
    ))
    .cause(format!(
        "the name of one is an alias of the other, so a stored `{name}` would be read as both"
    ))
    .fix(format!(
        "take `{name}` from the `aliases` of the type that never had this name"
    ))
}

pub(crate) fn not_committed(path: &Path) -> Report {
    Report::new(format!("there is no `{FILE_NAME}`"))
        .section("expected at", path.display().to_string())
        .cause("in CI (the variable `CI` is set) a missing file is one that nobody committed")
        .fix("run this test on your machine, which writes the file, and commit it")
}

pub(crate) fn unusable(error: &Unusable) -> Box<Report> {
    let report = Report::new(format!("`{FILE_NAME}` cannot be used")).cause(error.to_string());
    Box::new(match error {
        Unusable::Io(_) => report.fix("make it a file that this test may read"),
        Unusable::Conflict { .. } => report.fix(
            "where both sides added entries, keep them all; where both changed one entry, take either; \
             then `UMARI_UPDATE=1 cargo test` adds what the merged code has besides",
        ),
        Unusable::Malformed(_) | Unusable::Twice { .. } | Unusable::NoTag { .. } => report.fix(
            "take back what was edited by hand, with your version control; if it is gone, \
             the last commit has the file as it was",
        ),
        Unusable::LaterVersion(_) => report.fix("raise the version of `umari-testing`"),
        Unusable::Edited {
            shape, expected, ..
        } => {
            let lines = |shape: &std::collections::BTreeMap<String, String>| {
                let lines = shape
                    .iter()
                    .map(|(path, types)| format!("{path}: {types}\n"));
                lines.collect::<String>()
            };
            let lines = diff::lines(&lines(expected), &lines(shape));
            report
                .section("shape (- of its payloads, + in the file)", lines.unwrap_or_default())
                .fix(format!(
                    "take the edit back: a payload is what some release wrote, so it never changes; \
                     one that was stored before there was a lock is registered with \
                     `Events::with_stored`, and added by `{UPDATE}`"
                ))
        }
    })
}

pub(crate) fn not_locked(event_type: &str, version: u32) -> Report {
    Report::new(format!(
        "`{event_type}` version {version} is not in `{FILE_NAME}` yet"
    ))
    .cause("it is new since the file was written")
    .fix(format!("`{UPDATE}`, and commit the file"))
}

pub(crate) fn not_registered(entry: &Entry, heir: Option<&str>) -> Report {
    let name = &entry.event_type;
    let report = Report::new(format!(
        "`{name}` version {} is locked, and this test has no event of that name",
        entry.version
    ));
    let report = report.cause(match heir {
        Some(heir) => format!(
            "stores may hold such events, and nothing reads them any more; `{heir}` is new and has the same \
             fields, so the type was probably renamed"
        ),
        None => "stores may hold such events, and nothing reads them any more".to_owned(),
    });
    report.fix(format!(
        "if it was renamed, say so: `#[event_type(\"{}\", aliases = [{name:?}])]`\n\
         if it was only forgotten here, register it: `.event(sample)`\n\
         if nothing writes it any more, keep the type for reading, and register it\n\
         if no store holds one, remove its entry from `{FILE_NAME}` by hand",
        heir.unwrap_or("new.name"),
    ))
}

/// An upcast is missing or fails, or the shape has changed and the version has not.
pub(crate) fn unreadable(
    kind: &Kind,
    entry: &Entry,
    golden: &Golden,
    changes: &[Change],
    error: &str,
) -> Report {
    let (name, version) = (&entry.event_type, entry.version);
    let is_present = version == kind.version;
    let report = Report::new(if is_present {
        format!("stored events `{name}` of version {version}, which is the present one, cannot be read any more")
    } else {
        format!("stored events `{name}` of version {version} cannot be read any more")
    })
    .section("fields (- locked, + now)", fields(changes))
    .section("locked payload", golden.data.to_string())
    .cause(error);
    if version > kind.version {
        return report.fix(format!(
            "a release with version {version} was locked here: take the type back to it, or on from it; \
             a version is never taken back"
        ));
    }
    if !is_present && !error.contains("has no upcast from there") {
        return report.fix(format!(
            "repair the upcast: `#[upcast(version = {version}, ..)]` has to make today's `{}` of this payload",
            kind.event_type
        ));
    }
    let code = upcast::code(kind, version, changes, &golden.data);
    if !is_present {
        return report.fix(format!(
            "say how version {version} is read:\n\n{}",
            indent(&code)
        ));
    }
    let defaults: Vec<_> = upcast::outermost(changes)
        .map(|change| match change {
            Change::Added { path, .. } => Some(format!("`{path}`")),
            _ => None,
        })
        .collect::<Option<_>>()
        .unwrap_or_default();
    let default = if defaults.is_empty() {
        String::new()
    } else {
        format!(
            "if old events do well without {}, mark the field with `#[serde(default)]`, or make it an `Option`; \
             then `{UPDATE}`\notherwise ",
            defaults.join(", ")
        )
    };
    report.fix(format!(
        "{default}raise the version and say how the old one is read:\n\n{}\n\n{}",
        indent(&code),
        start_over(entry)
    ))
}

/// The locked payload is read, and some of it is lost or has another type.
pub(crate) fn lost(kind: &Kind, entry: &Entry, golden: &Golden, changes: &[Change]) -> Report {
    let (name, version) = (&entry.event_type, entry.version);
    Report::new(format!("the shape of `{name}` has changed, and its version has not"))
        .section("fields (- locked, + now)", fields(changes))
        .section("locked payload", golden.data.to_string())
        .cause(format!(
            "events of version {version} are still read, but those that are written from now on say something else \
             under the same version: no reader could tell them apart, and earlier releases fail at them"
        ))
        .fix(format!(
            "raise the version and say how the old one is read:\n\n{}\n\n{}",
            indent(&upcast::code(kind, version, changes, &golden.data)),
            start_over(entry)
        ))
}

/// The fields are the same, and one is written in other words.
pub(crate) fn written_otherwise(kind: &Kind, entry: &Entry, fields: &str) -> Report {
    let (name, version) = (&entry.event_type, entry.version);
    Report::new(format!(
        "`{name}` writes a value otherwise than it did, and its version is the same"
    ))
    .section("fields (- locked, + read and written again)", fields)
    .cause(
        "a name in an enum, a format or a default has changed: what is written from now on \
             would differ from what stores hold under the same version",
    )
    .fix(format!(
        "raise the version and say how the old one is read:\n\n{}\n\n{}",
        indent(&upcast::code(kind, version, &[], &serde_json::Value::Null)),
        start_over(entry)
    ))
}

pub(crate) fn says_more(entry: &Entry, changes: &[Change]) -> Report {
    Report::new(format!(
        "the sample of `{}` says more than `{FILE_NAME}` knows, and old events are still read",
        entry.event_type
    ))
    .section("fields (- locked, + now)", fields(changes))
    .cause(
        "every locked payload of this version is read without it and written as it was, so no upcast is needed",
    )
    .fix(format!("`{UPDATE}`, which keeps the locked payloads and adds this one; commit the file"))
}

pub(crate) fn domain_ids(entry: &Entry, gone: &[String], new: &[String]) -> Report {
    let name = &entry.event_type;
    let report = Report::new(match (gone, new) {
        ([], new) => format!("`{name}` has a new domain id: {}", new.join(", ")),
        (gone, []) => format!("`{name}` has lost a domain id: {}", gone.join(", ")),
        (gone, new) => format!(
            "`{name}` has other domain ids: {} instead of {}",
            new.join(", "),
            gone.join(", ")
        ),
    });
    let mut cause =
        "stored events keep their tags, which no upcast and no alias changes:".to_owned();
    let tags = &entry.payloads[entry.payloads.len() - 1].tags;
    let _ = write!(cause, " a stored one is tagged {}", tags.join(", "));
    for id in new {
        let _ = write!(
            cause,
            "\na fold that selects by `{id}` does not see the events stored so far"
        );
    }
    for id in gone {
        let _ = write!(
            cause,
            "\na fold that selects by `{id}` sees the events stored so far, and none from now on"
        );
    }
    let update = format!("accept it: `{UPDATE}`");
    report.cause(cause).fix(match (gone, new) {
        ([old], [new]) => format!(
            "if only the field was renamed, keep the tag: `#[domain_id({old:?})]` on `{new}`\n\
             if it is meant, and every fold can do with what it sees, {update}"
        ),
        ([], _) => format!("if every fold can do without the earlier events, {update}"),
        _ => format!(
            "keep the domain id as long as a fold selects by it\n\
             if none does, {update}"
        ),
    })
}

pub(crate) fn crypto_scope(entry: &Entry, now: Option<&str>) -> Report {
    let name = &entry.event_type;
    let report = Report::new(match (entry.crypto_scope.as_deref(), now) {
        (None, Some(now)) => format!("`{name}` is now encrypted, under `{now}`"),
        (Some(was), None) => format!("`{name}` is no longer encrypted; it was under `{was}`"),
        (was, now) => format!(
            "`{name}` is now encrypted under `{}`; it was under `{}`",
            now.unwrap_or_default(),
            was.unwrap_or_default()
        ),
    });
    let cause = match (entry.crypto_scope.as_deref(), now) {
        (None, Some(now)) => format!(
            "events that are stored stay plain text: deleting the key of a `{now}` makes those unreadable \
             that are written from now on, and no earlier one"
        ),
        (Some(was), None) => format!(
            "events that are written from now on are plain text for good: deleting the key of a `{was}` \
             makes only the earlier ones unreadable"
        ),
        (was, now) => format!(
            "whoever asks to be forgotten is forgotten in part: deleting the key of a `{}` reaches only the \
             events stored so far, and that of a `{}` only those from now on",
            was.unwrap_or_default(),
            now.unwrap_or_default()
        ),
    };
    report.cause(cause).fix(format!(
        "take it back; or, if that is known to whoever answers for the data, accept it: `{UPDATE}`"
    ))
}

fn start_over(entry: &Entry) -> String {
    format!(
        "if no store holds a `{}` of version {}, remove its entry from `{FILE_NAME}` by hand, then `{UPDATE}`",
        entry.event_type, entry.version
    )
}

fn fields(changes: &[Change]) -> String {
    let mut was = String::new();
    let mut now = String::new();
    let mut text = String::new();
    for change in changes {
        was.clear();
        now.clear();
        match change {
            Change::Added { path, now: types } => now = format!("{path}: {types}"),
            Change::Removed { path, was: types } => was = format!("{path}: {types}"),
            Change::Retyped {
                path,
                was: old,
                now: new,
            } => {
                was = format!("{path}: {old}");
                now = format!("{path}: {new}");
            }
        }
        text.push_str(&diff::lines(&was, &now).unwrap_or_default());
    }
    text
}

fn indent(code: &str) -> String {
    let lines = code.lines().map(|line| match line {
        "" => "\n".to_owned(),
        line => format!("    {line}\n"),
    });
    lines.collect::<String>().trim_end().to_owned()
}
