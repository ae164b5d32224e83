//! What a deployment is going to do, and what it has done, for people and for scripts.

use serde_json::{Value, json};

use super::plan::Step;
use super::{Deployed, Outcome, Planned, Policy};
use crate::output::table::{Align, Table};
use crate::output::{self, BUSY, GOOD, units};

/// Shows what is going to happen to each module. It is the result of a dry run, and the opening of
/// any other.
pub(super) fn plan(planned: &[Planned<'_>], dry_run: bool, json: bool) {
    if json {
        if dry_run {
            planned.iter().for_each(|it| output::json(&document(it)));
        }
        return;
    }
    let table = table(planned).render("  ");
    if dry_run {
        output::result(&table);
    } else {
        output::note(&table);
    }
}

/// Shows one module after its deployment.
pub(super) fn deployed(deployed: &Deployed, policy: Policy) {
    let (style, verb) = match deployed.outcome {
        Outcome::Uploaded if policy.activates() => (GOOD, "Deployed"),
        Outcome::Uploaded => (GOOD, "Uploaded"),
        Outcome::Activated => (GOOD, "Activated"),
        Outcome::Unchanged => (BUSY, "Unchanged"),
    };
    let Deployed {
        kind,
        name,
        version,
        size,
        ..
    } = deployed;
    output::result(&output::status_line(
        style,
        verb,
        &format!("{kind} {name} {version} ({})", units::bytes(*size)),
    ));
}

fn table(planned: &[Planned<'_>]) -> Table {
    let mut table = Table::new(&[
        ("KIND", Align::Left),
        ("MODULE", Align::Left),
        ("VERSION", Align::Left),
        ("SIZE", Align::Right),
        ("STEP", Align::Left),
        ("", Align::Left),
    ]);
    for it in planned {
        let (step, note) = words(it);
        table.row([
            it.artifact.kind.to_string(),
            it.name.to_owned(),
            it.step.version().to_owned(),
            units::bytes(it.artifact.size()),
            step.to_owned(),
            note,
        ]);
    }
    table
}

fn document(it: &Planned<'_>) -> Value {
    let (step, note) = words(it);
    json!({
        "event": "planned",
        "kind": it.artifact.kind,
        "name": it.name,
        "version": it.step.version(),
        "size": it.artifact.size(),
        "step": step,
        "note": note,
    })
}

/// The step in one word, and what there is to say about it.
fn words(it: &Planned<'_>) -> (&'static str, String) {
    let instead = match &it.active {
        Some(active) if it.is_replayed_over(active) => {
            format!("in place of {active}, once it is replayed")
        }
        Some(active) => format!("in place of {active}"),
        None => String::new(),
    };
    match &it.step {
        Step::Keep { .. } => ("unchanged", String::new()),
        Step::Activate { .. } => ("activate", instead),
        Step::Conflict { version } => (
            "refused",
            format!("the server has other content under {version}"),
        ),
        Step::Upload { .. } | Step::Ask { .. } if it.known => ("changed", instead),
        Step::Upload { .. } | Step::Ask { .. } => ("new", String::new()),
    }
}
