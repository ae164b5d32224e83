//! A fold that goes on from a state that was written and read is as if it had never been.

use std::rc::Rc;

use serde_json::Value;

use super::SNAPSHOT;
use super::command::RUNS;
use crate::engine::snapshots::{Kept, Snapshots};
use crate::engine::transaction::Trace;
use crate::engine::{Engine, Role};
use crate::given::short;
use crate::report::{Report, Verdict, diff};
use crate::shared::inner_name;
use crate::world::World;

/// Places at which one history is cut: one of many tells no more than that of few.
const CUTS_MAX: usize = 32;
/// Reads of one scenario that are cut.
const READS_MAX: usize = 8;

/// Cuts the history of each reader that has snapshots after each of its events, lets it go on from the
/// state there, and compares. `run` runs the scenario on an engine, and says what came of it;
/// `traces` are those of a run that was not disturbed.
pub(crate) fn check(
    world: &World,
    role: Role,
    traces: &[Trace],
    run: &dyn Fn(&Rc<Engine>) -> String,
) -> Verdict {
    let any = traces
        .iter()
        .any(|trace| trace.kept.iter().any(|it| it.has_key));
    if !any || !world.waivers.runs(SNAPSHOT) {
        return Ok(());
    }
    let play = |snapshots: Snapshots| {
        let engine = Engine::new(world, role);
        *engine.snapshots.borrow_mut() = snapshots;
        let said = run(&engine);
        (said, engine.traces.take())
    };
    let (said, whole) = play(Snapshots::Asked);
    // What is otherwise each time, such as the order of a hash set, is for another check to say.
    let unchanging = |part: &dyn Fn(&str, &[Trace]) -> Option<Value>| {
        let first = part(&said, &whole);
        (1..RUNS).all(|_| {
            let (said, traces) = play(Snapshots::Asked);
            part(&said, &traces) == first
        })
    };
    for (transaction, trace) in whole.iter().enumerate().take(READS_MAX) {
        is_written(world, trace)?;
        for &at in trace.read.iter().take(CUTS_MAX) {
            let (_, cut) = play(Snapshots::Cut { transaction, at });
            let Some(cut) = cut.get(transaction) else {
                continue;
            };
            let states: Vec<_> = cut.kept.iter().map(|kept| kept.state.clone()).collect();
            let (resumed_said, resumed) = play(Snapshots::Resumed {
                transaction,
                at,
                states: states.clone(),
            });
            let Some(resumed) = resumed.get(transaction) else {
                continue;
            };
            for (place, state) in states.iter().enumerate() {
                let Some(state) = state else { continue };
                let cut = Cut {
                    world,
                    name: name(trace, place),
                    at,
                    state,
                };
                let unchanging = |shape: fn(Value) -> Value| {
                    unchanging(&|_, traces| {
                        let state = traces.get(transaction)?.kept.get(place)?.state.as_ref()?;
                        Some(shape(value(state)))
                    })
                };
                cut.compare(&trace.kept[place], &resumed.kept[place], &unchanging)?;
            }
            if said != resumed_said && unchanging(&|said, _| Some(said.into())) {
                return Err(decides_otherwise(
                    world,
                    trace,
                    at,
                    &states,
                    &said,
                    &resumed_said,
                ));
            }
        }
    }
    Ok(())
}

fn name(trace: &Trace, place: usize) -> String {
    trace.readings.get(place).map_or_else(
        || format!("reader {place}"),
        |reading| short(inner_name(reading.reader)),
    )
}

fn is_written(world: &World, trace: &Trace) -> Verdict {
    for (place, kept) in trace.kept.iter().enumerate() {
        if trace.ended && kept.has_key && kept.state.is_none() {
            let name = name(trace, place);
            return Err(Box::new(
                Report::new(format!("the state of `{name}` cannot be written as JSON"))
                    .scenario(&world.story)
                    .cause(
                        "it has snapshots, and none is ever kept: the keys of a map are no texts or \
                         numbers in JSON, or a `Serialize` of its own fails",
                    )
                    .fix(format!(
                        "use texts or numbers for keys, or a list of pairs; or take \
                         `Snapshot::NEVER`; or `.without(check::{SNAPSHOT}, \"why\")`"
                    )),
            ));
        }
    }
    Ok(())
}

/// One reader, cut at one place.
struct Cut<'a> {
    world: &'a World,
    name: String,
    at: u64,
    state: &'a str,
}

impl Cut<'_> {
    /// `unchanging` says whether the state in the end has the same shape each time.
    fn compare(
        &self,
        whole: &Kept,
        resumed: &Kept,
        unchanging: &dyn Fn(fn(Value) -> Value) -> bool,
    ) -> Verdict {
        let Self { name, .. } = self;
        if resumed.discarded {
            return Err(Box::new(
                self.report(format!(
                    "`{name}` cannot read the state that it has written"
                ))
                .cause(
                    "it has snapshots, and none is ever of use: `Deserialize` does not take what \
                         `Serialize` writes, as with a number that JSON has not",
                )
                .fix(fix()),
            ));
        }
        let (Some(whole), Some(resumed)) = (&whole.state, &resumed.state) else {
            return Ok(());
        };
        let (whole, resumed) = (value(whole), value(resumed));
        if whole == resumed {
            return Ok(());
        }
        let is_order = sorted(whole.clone()) == sorted(resumed.clone());
        if !unchanging(if is_order { |state| state } else { sorted }) {
            return Ok(());
        }
        let difference = diff::lines(&pretty(&whole), &pretty(&resumed)).unwrap_or_default();
        Err(Box::new(
            self.report(format!(
                "`{name}` comes to another state when it goes on from a snapshot"
            ))
            .section(
                "state in the end (- without the snapshot, + with it)",
                difference,
            )
            .cause(LOST)
            .fix(fix()),
        ))
    }

    fn report(&self, headline: String) -> Report {
        let state = pretty(&value(self.state));
        Report::new(headline)
            .scenario(&self.world.story)
            .section("snapshot", format!("at position {}: {state}", self.at))
    }
}

fn decides_otherwise(
    world: &World,
    trace: &Trace,
    at: u64,
    states: &[Option<String>],
    said: &str,
    resumed: &str,
) -> Box<Report> {
    let kept = states.iter().enumerate();
    let kept = kept.filter_map(|(place, state)| Some((name(trace, place), state.as_ref()?)));
    let (names, states): (Vec<_>, Vec<_>) = kept
        .map(|(name, state)| {
            let state = format!("{name}: {}", value(state));
            (format!("`{name}`"), state)
        })
        .unzip();
    let (who, goes) = (
        names.join(" and "),
        if names.len() == 1 { "goes" } else { "go" },
    );
    Box::new(
        Report::new(format!(
            "the outcome is another when {who} {goes} on from a snapshot"
        ))
        .scenario(&world.story)
        .section(
            "snapshot",
            format!("at position {at}\n{}", states.join("\n")),
        )
        .section(
            "outcome (- without the snapshot, + with it)",
            diff::lines(said, resumed).unwrap_or_default(),
        )
        .cause(LOST)
        .fix(fix()),
    )
}

const LOST: &str = "what the fold knew at that position is not all in the JSON of its state, or does not come back \
                    as it was: a field with `#[serde(skip)]`, a number that is rounded, a static";

fn fix() -> String {
    format!(
        "write all of the state that `apply` or a decision needs; or take `Snapshot::NEVER`; or \
         `.without(check::{SNAPSHOT}, \"why\")`"
    )
}

/// The SDK wrote it, so it is JSON.
fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// Every list in one order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            let mut items: Vec<_> = items.into_iter().map(sorted).collect();
            items.sort_by_cached_key(ToString::to_string);
            Value::Array(items)
        }
        Value::Object(fields) => {
            let fields = fields
                .into_iter()
                .map(|(name, value)| (name, sorted(value)));
            Value::Object(fields.collect())
        }
        other => other,
    }
}
