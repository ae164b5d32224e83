//! What differs between two runs of a command.

use umari::command::ExecuteError;

use super::Section;
use super::wire::{Ended, Event, QueryItem};
use crate::command::{Ended as NativeEnded, Run};
use crate::report::{Shown, diff};

pub(super) fn differences(
    run: &Run,
    ended: &Ended,
    emitted: &[Event],
    queries: &[Vec<QueryItem>],
) -> Vec<Section> {
    let mut sections = Vec::new();
    let (native, component) = (described(&natively(&run.ended, ended)), described(ended));
    if let Some(difference) = diff::lines(&native, &component) {
        sections.push(("outcome (- native, + component)", difference));
    }
    let shown: Vec<Shown> = emitted.iter().map(Event::shown).collect();
    if let Some(difference) = diff::events(&run.shown(), &shown) {
        sections.push(("events (- native, + component)", difference));
    } else if let Some(difference) = diff::lines(&envelopes(run), &component_envelopes(emitted)) {
        sections.push(("envelopes (- native, + component)", difference));
    }
    // What ended before it could read says so already.
    let ended_early = queries.is_empty() && !sections.is_empty();
    let read = diff::lines(&native_boundary(run), &boundary(queries));
    if let (Some(difference), false) = (read, ended_early) {
        sections.push(("read (- native, + component)", difference));
    }
    sections
}

/// How the native run ended, in the component's terms. What the two hosts say in words of their own
/// is taken over.
fn natively(native: &NativeEnded, component: &Ended) -> Ended {
    let failure = match native {
        NativeEnded::Done(_) => return Ended::Success,
        // The native message also says where.
        NativeEnded::Panicked(message) => {
            return match component {
                Ended::Panicked(same) if message.starts_with(same.as_str()) => component.clone(),
                _ => Ended::Panicked(message.clone()),
            };
        }
        NativeEnded::Failed(failure) => failure,
    };
    match (ExecuteError::classify(&failure.error), component) {
        (ExecuteError::Invalid(invalid), _) => Ended::Invalid {
            message: invalid.to_string(),
            violations: invalid
                .violations
                .into_iter()
                .map(|it| (it.field, it.code, it.message))
                .collect(),
        },
        (ExecuteError::Rejected(rejection), _) => Ended::Rejected {
            code: rejection.code.into_owned(),
            message: rejection.message,
            details: rejection
                .details
                .and_then(|details| serde_json::to_string(&details).ok()),
        },
        (ExecuteError::Conflict(_), Ended::Conflict(_))
        | (ExecuteError::Failed(_), Ended::Failed(_)) => component.clone(),
        (ExecuteError::Conflict(reason), _) => Ended::Conflict(reason),
        (error, _) => Ended::Failed(error.to_string()),
    }
}

fn described(ended: &Ended) -> String {
    match ended {
        Ended::Success => "success\n".to_owned(),
        Ended::Invalid {
            message,
            violations,
        } => {
            let lines = violations
                .iter()
                .map(|(field, code, message)| format!("  {field}: {message} ({code})\n"));
            format!("invalid: {message}\n{}", lines.collect::<String>())
        }
        Ended::Rejected {
            code,
            message,
            details,
        } => {
            let details = details
                .as_deref()
                .map(|details| format!("  details {}\n", crate::events::json(details)));
            format!(
                "rejected: {message}\n  code {code}\n{}",
                details.unwrap_or_default()
            )
        }
        Ended::Conflict(reason) => format!("conflict: {reason}\n"),
        Ended::Failed(reason) => format!("failed: {reason}\n"),
        Ended::Panicked(message) => format!("panicked: {message}\n"),
        Ended::Crashed(how) => format!("{how}\n"),
    }
}

fn envelopes(run: &Run) -> String {
    run.emitted()
        .map(|event| {
            envelope(
                &event.event_type,
                event.schema_version,
                event.encryption_scope.as_deref(),
            )
        })
        .collect()
}

fn component_envelopes(emitted: &[Event]) -> String {
    emitted
        .iter()
        .map(|event| {
            envelope(
                &event.event_type,
                event.schema_version,
                event.encryption_scope.as_deref(),
            )
        })
        .collect()
}

fn envelope(event_type: &str, version: u32, scope: Option<&str>) -> String {
    let scope = scope.map_or_else(String::new, |scope| format!(", encrypted under {scope}"));
    format!("{event_type}  version {version}{scope}\n")
}

fn native_boundary(run: &Run) -> String {
    run.traces
        .iter()
        .map(|trace| {
            let items = trace.condition.query.iter();
            lines(items.map(|item| line(&item.types, &item.tags)))
        })
        .collect()
}

fn boundary(queries: &[Vec<QueryItem>]) -> String {
    queries
        .iter()
        .map(|query| lines(query.iter().map(|item| line(&item.types, &item.tags))))
        .collect()
}

/// The alternatives of one query; their order has no meaning.
fn lines(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<_> = items.collect();
    items.sort();
    items.concat()
}

fn line(types: &[String], tags: &[String]) -> String {
    let list = |items: &[String], any: &str| {
        let mut items = items.to_vec();
        items.sort();
        match items.is_empty() {
            true => any.to_owned(),
            false => items.join(", "),
        }
    };
    let (types, tags) = (list(types, "any type"), list(tags, "any domain id"));
    format!("{types}  {{{tags}}}\n")
}
