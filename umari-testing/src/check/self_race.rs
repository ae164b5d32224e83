//! Check 1: two calls at the same moment cannot both commit where they are rivals.

use umari::host::{QueryItem, RawEvent};

use crate::command::{Call, Run};
use crate::engine::log::matches;
use crate::report::boundary::{cell, item_label};
use crate::report::{Report, Verdict, label};

/// `again` ran on the same snapshot as `run`, which has committed since.
pub(crate) fn check(run: &Run, again: &Run, call: &Call) -> Verdict {
    if run.emitted().next().is_none() || conflicts(run, again) {
        return Ok(());
    }
    let query: Vec<_> = again
        .traces
        .iter()
        .flat_map(|trace| trace.condition.query.iter().cloned())
        .collect();
    for event in run.emitted() {
        if let Some(rivalry) = rivalry(event, &query, run, again) {
            return Err(Box::new(report(event, &rivalry, run, call)));
        }
    }
    Ok(())
}

/// Whether the second append fails once the first has happened.
fn conflicts(run: &Run, again: &Run) -> bool {
    again
        .traces
        .iter()
        .filter(|trace| !trace.attempted.is_empty())
        .any(|trace| run.after.log.conflict(&trace.condition).is_some())
}

/// Why two calls that emit the same event are rivals.
enum Rivalry {
    /// The command reads events of this type, but by tags that its own event does not carry.
    ReadOtherwise(QueryItem),
    /// The event is the first with these tags.
    Creates(Vec<String>),
}

fn rivalry(event: &RawEvent, query: &[QueryItem], run: &Run, again: &Run) -> Option<Rivalry> {
    let reads_type = |item: &&QueryItem| {
        item.types.contains(&event.event_type) && !matches(item, &event.event_type, &event.tags)
    };
    // A made-up id differs from run to run, so no two calls share it.
    let shared = |tag: &&String| {
        again
            .emitted()
            .any(|other| other.event_type == event.event_type && other.tags.contains(tag))
    };
    if !event.tags.iter().all(|tag| shared(&tag)) {
        return None;
    }
    if let Some(item) = query.iter().find(reads_type) {
        return Some(Rivalry::ReadOtherwise(item.clone()));
    }
    let is_new = |tag: &&String| {
        !run.before
            .log
            .events()
            .any(|known| known.tags.contains(tag))
    };
    let created: Vec<_> = event.tags.iter().filter(is_new).cloned().collect();
    (!created.is_empty()).then_some(Rivalry::Creates(created))
}

fn report(event: &RawEvent, rivalry: &Rivalry, run: &Run, call: &Call) -> Report {
    let name = &event.event_type;
    let report = Report::new(format!(
        "`{}` is emitted but no fold of this command reads it",
        label(name, &event.tags)
    ))
    .scenario(&run.after.story);
    let queries = run
        .traces
        .iter()
        .flat_map(|trace| trace.condition.query.iter());
    let mut rows: Vec<_> = queries
        .map(|item| vec![item_label(item), cell(item, event)])
        .collect();
    if rows.is_empty() {
        rows.push(vec!["this command has no fold".to_owned()]);
    }
    let report = report.section(
        "folds, and whether they read it",
        crate::report::table::columns(&rows),
    );
    let both = format!(
        "two calls of `{}` at the same moment would both commit",
        call.name()
    );
    match rivalry {
        Rivalry::ReadOtherwise(item) => report
            .cause(format!(
                "{both}: the command looks for `{}`, and would not find its own event",
                item_label(item)
            ))
            .fix(format!(
                "select `{name}` by a domain id that the emitted event carries, with `#[scope(..)]` \
                 on its variant; or mark the missing field of `{name}` with `#[domain_id]`\n{}",
                waive()
            )),
        Rivalry::Creates(tags) => {
            let names: Vec<_> =
                tags.iter().map(|tag| tag.split(':').next().unwrap_or(tag)).collect();
            report
                .cause(format!("{both}, and both would be the first event of {}", tags.join(", ")))
                .fix(format!(
                    "add a fold that reads `{name}`, with `#[scope({})]` on its variant, and decide \
                     on what it says\n{}",
                    names[0],
                    waive()
                ))
        }
    }
}

fn waive() -> &'static str {
    "or, if such calls are independent facts, `.without(check::SELF_RACE, \"why\")`"
}
