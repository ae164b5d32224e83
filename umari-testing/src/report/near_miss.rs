//! Given events that a call did not read, although they seem to be about the same thing.

use std::collections::BTreeSet;

use umari::host::{QueryItem, RawEvent};

use super::{Report, label};
use crate::engine::log::{matches, matches_any};
use crate::engine::transaction::Trace;

/// More of them would hide the one that counts.
const MISSES_MAX: usize = 3;

/// Why an event was asked for, and not found.
enum Miss<'a> {
    /// It carries the value that was asked for under another name.
    Renamed { asked: &'a str, carried: &'a str },
    /// It is about something that the call is about, but is asked for by something else.
    AskedOtherwise {
        asked: Vec<&'a str>,
        shared: &'a str,
    },
}

/// Adds the events that `traces` nearly read as the probable cause, where there are any.
pub(crate) fn explain<'a>(
    report: Report,
    traces: &'a [Trace],
    events: impl Iterator<Item = &'a RawEvent> + Clone,
    emitted: impl Iterator<Item = &'a RawEvent>,
) -> Report {
    let mut about: BTreeSet<&str> = emitted
        .flat_map(|event| event.tags.iter().map(String::as_str))
        .collect();
    let items = traces.iter().flat_map(|trace| trace.condition.query.iter());
    about.extend(items.flat_map(|item| item.tags.iter().map(String::as_str)));
    let mut causes = Vec::new();
    let mut fixes = Vec::new();
    for trace in traces {
        let before = |event: &&RawEvent| event.position <= trace.condition.after;
        for event in events.clone().filter(before) {
            if let Some(miss) = miss(&trace.condition.query, event, &about) {
                let (cause, fix) = words(event, &miss);
                causes.push(cause);
                if !fixes.contains(&fix) {
                    fixes.push(fix);
                }
            }
        }
    }
    if causes.is_empty() {
        return report;
    }
    causes.truncate(MISSES_MAX);
    fixes.truncate(MISSES_MAX);
    report
        .also("cause", causes.join("\n"))
        .also("fix", fixes.join("\n"))
}

fn miss<'a>(
    query: &'a [QueryItem],
    event: &'a RawEvent,
    about: &BTreeSet<&'a str>,
) -> Option<Miss<'a>> {
    if matches_any(query, &event.event_type, &event.tags) {
        return None;
    }
    let item = query
        .iter()
        .find(|item| item.types.contains(&event.event_type))?;
    debug_assert!(!matches(item, &event.event_type, &event.tags));
    let missing = item.tags.iter().filter(|tag| !event.tags.contains(tag));
    let missing: Vec<_> = missing.map(String::as_str).collect();
    for asked in &missing {
        let carries_name = event.tags.iter().any(|tag| name(tag) == name(asked));
        let same_value = |tag: &&String| value(tag) == value(asked);
        if !carries_name && let Some(carried) = event.tags.iter().find(same_value) {
            return Some(Miss::Renamed { asked, carried });
        }
    }
    let mut tags = event.tags.iter().map(String::as_str);
    let shared = tags.find(|tag| about.contains(tag))?;
    Some(Miss::AskedOtherwise {
        asked: missing,
        shared,
    })
}

fn words(event: &RawEvent, miss: &Miss<'_>) -> (String, String) {
    let event_type = &event.event_type;
    let unread = format!(
        "`{}` at position {} was not read",
        label(event_type, &event.tags),
        event.position
    );
    match miss {
        Miss::Renamed { asked, carried } => (
            format!(
                "{unread}: it carries `{carried}` where `{asked}` is asked for, and a stored event keeps \
                 the tags that it was written with"
            ),
            format!(
                "where the domain id was renamed, keep its old name: `#[domain_id(\"{}\")]` on the field of \
                 `{event_type}` and on those that select it",
                name(carried)
            ),
        ),
        Miss::AskedOtherwise { asked, shared } => (
            format!(
                "{unread}: it shares `{shared}` with this call, but is asked for by `{}`",
                asked.join(", ")
            ),
            format!(
                "where it should count, select `{event_type}` by what the rule is about: \
                 `#[scope({})]` on its variant",
                name(shared)
            ),
        ),
    }
}

fn name(tag: &str) -> &str {
    tag.split_once(':').map_or(tag, |(name, _)| name)
}

fn value(tag: &str) -> &str {
    tag.split_once(':').map_or("", |(_, value)| value)
}
