//! Times that a command took from the machine instead of the scenario.
//!
//! Nothing can hook `SystemTime::now()`. But a scenario has a clock of its own, by default a day
//! that has passed, so whatever shows the present of this machine, and was not put into the
//! scenario by the test, was read from the machine's clock.

use std::time::SystemTime;

use serde_json::Value;
use umari::prelude::{DateTime, Utc};

use super::CLOCK;
use crate::command::{Call, Run};
use crate::report::{Report, Shown, Verdict, leaves};

/// Two readings of one clock in one test are no further apart, in seconds.
const NEAR_SECONDS: i64 = 60;
/// A scenario whose clock is so near to the machine's cannot tell the two apart, in seconds.
const APART_SECONDS: i64 = 24 * 60 * 60;

/// What to write instead.
const FIX: &str = "ask for the time with `umari::clock::now()`, which is the scenario's clock in tests and the \
                   host's in production; or take it from the input";

/// Finds the machine's time in what a command emitted.
pub(crate) fn check(run: &Run, call: &Call) -> Verdict {
    let (machine, scenario) = (DateTime::<Utc>::from(SystemTime::now()), run.before.now);
    if (machine - scenario).num_seconds().abs() < APART_SECONDS {
        return Ok(());
    }
    for event in run.shown() {
        for (path, value) in leaves(&event.payload) {
            if shows(&value, machine) && !is_given(&value, run, call) {
                return Err(Box::new(report(run, call, &event, &path)));
            }
        }
    }
    Ok(())
}

/// Whether a value is in the input or in the history, and was not read from any clock.
fn is_given(value: &Value, run: &Run, call: &Call) -> bool {
    let history = run
        .before
        .log
        .events()
        .map(|event| Shown::from(event).payload);
    let mut given = history.chain([crate::events::json(call.input())]);
    given.any(|payload| leaves(&payload).iter().any(|(_, known)| known == value))
}

fn report(run: &Run, call: &Call, event: &Shown, path: &str) -> Report {
    Report::new(format!("`{}` reads the machine's clock", call.name()))
        .scenario(&run.after.story)
        .cause(format!(
            "`{path}` of `{}` shows the present of this machine, while the scenario's clock shows {}",
            event.label(),
            run.before.now.to_rfc3339()
        ))
        .fix(format!(
            "{FIX}\nor, if it is meant, `.without(check::{CLOCK}, \"why\")`"
        ))
}

/// Adds a probable cause to a decision that nobody expected: a time on which scenario and machine
/// disagree.
pub(crate) fn explain(report: Report, run: &Run, call: &Call) -> Report {
    if run.asked_time {
        return report;
    }
    let (machine, scenario) = (DateTime::<Utc>::from(SystemTime::now()), run.before.now);
    let (first, last) = (machine.min(scenario), machine.max(scenario));
    let between = |value: &Value| {
        let time = value.as_str()?.parse::<DateTime<Utc>>().ok()?;
        (first < time && time < last).then_some(time)
    };
    let given = run.before.log.events().map(|event| {
        let place = format!("`{}` at position {}", event.event_type, event.position);
        (place, Shown::from(event).payload)
    });
    let input = ("the input".to_owned(), crate::events::json(call.input()));
    for (place, payload) in given.chain([input]) {
        for (path, value) in leaves(&payload) {
            if let Some(time) = between(&value) {
                let cause = format!(
                    "`{path}` of {place}, {}, lies between the scenario's clock, {}, and the machine's: a \
                     command that asks `SystemTime::now()` or `Utc::now()` gets the machine's",
                    time.to_rfc3339(),
                    scenario.to_rfc3339()
                );
                return report.also("cause", cause).also("fix", FIX);
            }
        }
    }
    report
}

/// Whether a value is `time`, or near to it, in one of the ways in which times are written.
fn shows(value: &Value, time: DateTime<Utc>) -> bool {
    let near = |seconds: i64| (seconds - time.timestamp()).abs() <= NEAR_SECONDS;
    match value {
        Value::String(text) => match text.parse::<DateTime<Utc>>() {
            Ok(written) => near(written.timestamp()),
            Err(_) => *text == time.date_naive().to_string(),
        },
        Value::Number(number) => {
            let whole = number.as_i64().or_else(|| {
                let real = number.as_f64().filter(|real| real.abs() < 1e15)?;
                #[expect(clippy::cast_possible_truncation, reason = "only whole seconds count")]
                let whole = real as i64;
                Some(whole)
            });
            // Seconds, and thousandths, millionths and billionths of one.
            whole.is_some_and(|whole| {
                [1, 1_000, 1_000_000, 1_000_000_000]
                    .into_iter()
                    .any(|unit| near(whole / unit))
            })
        }
        _ => false,
    }
}
