//! What runs after every call of a command: determinism, the idempotency law, the self-race.

use umari::command::CommandContext;

use super::{CLOCK, DETERMINISM, IDEMPOTENCY, SELF_RACE, clock, self_race, snapshot, upcast_loss};
use crate::command::{Call, Ended, Run, compare_runs, execute, execute_on};
use crate::engine::{Role, ids};
use crate::report::{Report, Verdict, diff};

/// How often a command or fold runs on the same history. Two maps of two keys have the same order
/// as often as not, so what hangs on one passes once in 2^31 scenarios.
pub(crate) const RUNS: u32 = 32;

/// The number of the id that serves as a key where the test gave none.
const PROBE_KEY: u64 = 0xffff_ffff_ffff;

/// Runs the checks that apply to how the call ended. A panic is left to the `then` step.
pub(crate) fn all(run: &Run, call: &Call, context: &CommandContext) -> Verdict {
    if matches!(run.ended, Ended::Panicked(_)) {
        return Ok(());
    }
    let waivers = &run.before.waivers;
    upcast_loss::check(&run.before, &run.losses)?;
    if waivers.runs(CLOCK) {
        // Before the decisions are compared, which differ by the same time, and say less of it.
        clock::check(run, call)?;
    }
    let again = execute(&run.before, call, context);
    if waivers.runs(DETERMINISM) {
        determinism(run, &again, call)?;
        for _ in 2..RUNS {
            determinism(run, &execute(&run.before, call, context), call)?;
        }
    }
    snapshot::check(&run.before, Role::Command, &run.traces, &|engine| {
        of(&execute_on(engine, &run.before, call, context))
    })?;
    if !matches!(run.ended, Ended::Done(_)) {
        return Ok(());
    }
    if waivers.runs(IDEMPOTENCY) {
        idempotency(run, call, context)?;
    }
    if waivers.runs(SELF_RACE) {
        self_race::check(run, &again, call)?;
    }
    Ok(())
}

/// Check 3: the same history and the same input give the same decision.
fn determinism(run: &Run, again: &Run, call: &Call) -> Verdict {
    if same_text(run, again) || compare_runs(run, again).is_none() {
        return Ok(());
    }
    // Which of two decisions comes first is chance; what the report says of them is not.
    let (one, another) = match (of(run), of(again)) {
        (one, another) if one <= another => (run, again),
        _ => (again, run),
    };
    let difference = compare_runs(one, another).unwrap_or_default();
    let headline = format!("`{}` decides differently on the same history", call.name());
    let report = Report::new(headline).scenario(&run.before.story);
    Err(Box::new(nondeterminism(
        report.section("decisions (- one, + another)", difference),
    )))
}

/// The quick comparison, which spares most runs from being parsed.
fn same_text(run: &Run, again: &Run) -> bool {
    let events = |run: &Run| -> Vec<_> {
        run.emitted()
            .map(|event| {
                (
                    event.event_type.clone(),
                    event.tags.clone(),
                    event.payload.clone(),
                )
            })
            .collect()
    };
    run.ended.to_string() == again.ended.to_string() && events(run) == events(again)
}

/// A decision as text, for putting two of them into an order.
fn of(run: &Run) -> String {
    format!("{}\n{}", run.ended, diff::list(&run.shown()))
}

/// Says what a difference between two equal runs may come from.
pub(crate) fn nondeterminism(report: Report) -> Report {
    report
        .cause(
            "something besides input and history takes part: the order of a `HashMap` or `HashSet`, \
             which differs from one map to the next, a random id, the wall clock, a static",
        )
        .fix(
            "use a `BTreeMap`, or sort before you choose; take ids and times from the input; \
             or, if it is meant, `.without(check::DETERMINISM, \"why\")`",
        )
}

/// Check 2: a second call with the same key writes nothing and succeeds.
fn idempotency(run: &Run, call: &Call, context: &CommandContext) -> Verdict {
    let key = context
        .idempotency_key
        .unwrap_or_else(|| ids::fresh(PROBE_KEY));
    let context = context.clone().with_idempotency_key(key);
    let first = execute(&run.before, call, &context);
    let second = execute(&first.after, call, &context);
    if first.emitted().next().is_none()
        || (matches!(second.ended, Ended::Done(_)) && second.emitted().next().is_none())
    {
        return Ok(());
    }
    let ignored = first
        .traces
        .iter()
        .all(|trace| trace.condition.idempotency_key.is_none());
    let report = Report::new(format!(
        "`{}` does not keep the idempotency law: called twice with one key, it {}",
        call.name(),
        match &second.ended {
            Ended::Done(_) => "emits twice".to_owned(),
            ended => format!("ends the second time with `{ended}`"),
        }
    ))
    .scenario(&run.after.story);
    let waive = "or, if it is meant, `.without(check::IDEMPOTENCY, \"why\")`";
    Err(Box::new(if ignored {
        report
            .cause("the context that it was called with does not reach `Command::new`")
            .fix(format!(
                "pass the context on: `Command::new(input, context)`\n{waive}"
            ))
    } else {
        report
            .cause("it does something before, or besides, its one `Command`")
            .fix(format!(
                "give each further `Command` a key of its own\n{waive}"
            ))
    }))
}
