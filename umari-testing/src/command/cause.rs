//! Why a call probably did something else than the test expects.

use umari::host::QueryItem;

use super::{Outcome, Run};
use crate::check::clock;
use crate::engine::log::matches;
use crate::engine::transaction::Trace;
use crate::report::boundary::item_label;
use crate::report::{Report, Shown, near_miss};

impl Outcome {
    /// Why the events differ, where the lists alone say it.
    pub(super) fn event_cause(&self, expected: &[Shown], actual: &[Shown]) -> Option<String> {
        if let Some(position) = self.run.traces.iter().find_map(|trace| trace.duplicate) {
            return Some(format!(
                "the idempotency key was used before, by the event at position {position}, so the \
                 command did not decide again"
            ));
        }
        if actual.is_empty() {
            return Some("the command succeeded, and decided to emit nothing".to_owned());
        }
        lists(expected, actual)
    }

    /// Why the command decided otherwise: what it did not read.
    pub(super) fn other_decision(&self, report: Report) -> Report {
        let report = near_miss::explain(
            report,
            &self.run.traces,
            self.run.before.log.events(),
            self.run.emitted(),
        );
        clock::explain(shredded(report, &self.run), &self.run, &self.call)
    }

    /// Why the command read other events than `wanted`: what it did not ask for.
    pub(super) fn read_cause(&self, report: Report, wanted: &[Shown]) -> Report {
        let items = self
            .run
            .traces
            .iter()
            .flat_map(|trace| trace.condition.query.iter());
        let mut causes: Vec<String> = Vec::new();
        let mut fixes: Vec<String> = Vec::new();
        for item in items {
            let events = self.run.before.log.events();
            let extra = events
                .filter(|event| matches(item, &event.event_type, &event.tags))
                .find(|event| !wanted.contains(&Shown::from(*event)));
            let Some(extra) = extra else { continue };
            let unasked = unasked(item, &extra.tags);
            if unasked.is_empty() {
                continue;
            }
            let asked = item
                .tags
                .iter()
                .map(|tag| tag.split(':').next().unwrap_or(tag));
            let asked: Vec<_> = asked.chain([unasked[0]]).collect();
            causes.push(format!(
                "`{}` is read whatever its {}: calls that differ in nothing else conflict with each \
                 other, and each reads the events of all",
                item_label(item),
                unasked.join(", ")
            ));
            fixes.push(format!(
                "where the rule is about one {0}, select `{1}` by it too: `#[scope({2})]` on its \
                 variant, or `.with(\"{0}\", ..)`",
                unasked[0],
                extra.event_type,
                asked.join(", ")
            ));
        }
        if causes.is_empty() {
            // It read less, then.
            return near_miss::explain(
                report,
                &self.run.traces,
                self.run.before.log.events(),
                self.run.emitted(),
            );
        }
        report.cause(causes.join("\n")).fix(fixes.join("\n"))
    }
}

/// Why two lists of events differ, where they alone say it.
pub(crate) fn lists(expected: &[Shown], actual: &[Shown]) -> Option<String> {
    let (wanted, found) = (sorted(expected), sorted(actual));
    if wanted == found {
        return Some("the events are right, their order is not".to_owned());
    }
    another_type(expected, actual).or_else(|| other_tags(expected, actual))
}

/// Adds which events were found and could not be read, because their data key is deleted.
pub(super) fn shredded(report: Report, run: &Run) -> Report {
    let skipped = run.before.log.events().find(|event| {
        let read = |trace: &Trace| trace.read.contains(&event.position);
        event.payload.is_none() && run.traces.iter().any(read)
    });
    let Some(event) = skipped else { return report };
    report
        .also(
            "cause",
            format!(
                "`{}` at position {} was found and skipped: its data key is deleted, so to the folds it \
                 never happened",
                Shown::from(event).label(),
                event.position
            ),
        )
        .also(
            "fix",
            "where the rule has to outlive the data, decide on an event that is not encrypted and \
             says nothing about a person, such as one with a keyed hash of the name",
        )
}

/// One type is missing, and another is there instead.
fn another_type(expected: &[Shown], actual: &[Shown]) -> Option<String> {
    let only_in = |one: &[Shown], other: &[Shown]| -> Vec<Shown> {
        let is_new = |event: &&Shown| !other.iter().any(|o| o.event_type == event.event_type);
        one.iter().filter(is_new).cloned().collect()
    };
    let (missing, extra) = (only_in(expected, actual), only_in(actual, expected));
    let ([missing], [extra]) = (missing.as_slice(), extra.as_slice()) else {
        return None;
    };
    let same = missing.payload == extra.payload;
    Some(format!(
        "`{}` was emitted instead of `{}`{}",
        extra.event_type,
        missing.event_type,
        if same { ", with the same fields" } else { "" }
    ))
}

/// An event of the right type, in the right place, is about something else.
fn other_tags(expected: &[Shown], actual: &[Shown]) -> Option<String> {
    let mut pairs = expected.iter().zip(actual);
    let (expected, actual) =
        pairs.find(|(e, a)| e.event_type == a.event_type && e.tags != a.tags)?;
    let only_in = |one: &Shown, other: &Shown| -> String {
        let tags: Vec<_> = one
            .tags
            .iter()
            .filter(|tag| !other.tags.contains(tag))
            .collect();
        match tags.as_slice() {
            [] => "no such tag".to_owned(),
            tags => format!(
                "`{}`",
                tags.iter()
                    .map(|tag| tag.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
        }
    };
    Some(format!(
        "`{}` carries {} where the test expects {}: folds that ask for one do not find the other",
        actual.event_type,
        only_in(actual, expected),
        only_in(expected, actual),
    ))
}

/// The names of an event's tags that the item does not ask for.
fn unasked<'a>(item: &QueryItem, tags: &'a [String]) -> Vec<&'a str> {
    let name = |tag: &'a String| tag.split(':').next().unwrap_or(tag);
    tags.iter()
        .filter(|tag| !item.tags.contains(tag))
        .map(name)
        .collect()
}

fn sorted(events: &[Shown]) -> Vec<Shown> {
    let mut events = events.to_vec();
    events.sort_by_key(|event| (event.event_type.clone(), event.payload.to_string()));
    events
}
