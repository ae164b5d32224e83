//! What runs after every call of a command: determinism, the idempotency law, the self-race.

use umari::command::CommandContext;

use super::{DETERMINISM, IDEMPOTENCY, SELF_RACE, self_race};
use crate::command::{Call, Ended, Run, compare_runs, execute};
use crate::engine::ids;
use crate::report::{Report, Verdict};

/// The number of the id that serves as a key where the test gave none.
const PROBE_KEY: u64 = 0xffff_ffff_ffff;

/// Runs the checks that apply to how the call ended. A panic is left to the `then` step.
pub(crate) fn all(run: &Run, call: &Call, context: &CommandContext) -> Verdict {
    if matches!(run.ended, Ended::Panicked(_)) {
        return Ok(());
    }
    let waivers = &run.before.waivers;
    let again = execute(&run.before, call, context);
    if waivers.runs(DETERMINISM) {
        determinism(run, &again, call)?;
    }
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
    let difference = compare_runs(run, again);
    let Some(difference) = difference else {
        return Ok(());
    };
    Err(Box::new(
        Report::new(format!(
            "`{}` decides differently on the same history",
            call.name()
        ))
        .scenario(&run.after.story)
        .section("runs (- first, + second)", difference)
        .cause(
            "something besides input and history takes part in the decision: a random id, \
                 the wall clock, the order of a hash map, a static",
        )
        .fix(
            "take it from the input; or, if it is meant, \
                 `.without(check::DETERMINISM, \"why\")`",
        ),
    ))
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
