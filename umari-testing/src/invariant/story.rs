//! One story: a sequence of calls, some of them at the same moment.

use std::collections::BTreeSet;
use std::fmt;

use proptest::bool::weighted;
use proptest::collection::vec;
use proptest::strategy::{BoxedStrategy, Strategy, Union};

use super::Invariant;
use super::findings::{Finding, Key, Meeting};
use super::tally::Tally;
use crate::check;
use crate::command::{Call, Class, Ended, Run, execute, execute_on, fresh_context};
use crate::engine::{Engine, Role};
use crate::report::boundary;
use crate::report::story::cut;
use crate::world::World;

#[cfg(test)]
mod tests;

/// How often a call is made at the same moment as another.
const TOGETHER: f64 = 0.5;
/// How often that other one is the same call.
const ITSELF: f64 = 0.2;

/// One call, and who calls at the same moment.
#[derive(Clone)]
pub(crate) struct Step {
    /// Its place among the commands of the invariant.
    pub(crate) command: usize,
    pub(crate) call: Call,
    pub(crate) company: Company,
}

/// Who calls at the same moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Company {
    Nobody,
    /// The call of the next step.
    Next,
    /// The same caller, twice: a double click, or a request that was sent again.
    Itself,
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({:?})", self.call, self.company)
    }
}

/// Stories for this invariant. They shrink to fewer calls, and to calls that come alone.
pub(crate) fn stories(invariant: &Invariant) -> BoxedStrategy<Vec<Step>> {
    let calls = invariant
        .commands
        .iter()
        .enumerate()
        .map(|(command, candidate)| {
            let calls = candidate.calls.clone();
            calls.prop_map(move |call| (command, call)).boxed()
        });
    // Each is simpler without: first the second caller, then that the second is another one.
    let together = weighted(if invariant.races { TOGETHER } else { 0.0 });
    let step = (Union::new(calls), together, weighted(ITSELF));
    let step = step.prop_map(|((command, call), together, itself)| Step {
        command,
        call,
        company: match (together, itself) {
            (false, _) => Company::Nobody,
            (true, false) => Company::Next,
            (true, true) => Company::Itself,
        },
    });
    vec(step, 1..=invariant.calls.max(1)).boxed()
}

/// The steps of a story as they are called: alone, or two at the same moment.
pub(crate) fn moments(steps: &[Step]) -> Vec<(&Step, Option<&Step>)> {
    let mut moments = Vec::new();
    let mut rest = steps;
    while let [step, others @ ..] = rest {
        rest = others;
        let rival = match (step.company, others) {
            (Company::Nobody, _) | (Company::Next, []) => None,
            (Company::Itself, _) => Some(step),
            (Company::Next, [next, others @ ..]) => {
                rest = others;
                Some(next)
            }
        };
        moments.push((step, rival));
    }
    moments
}

/// Tells a story, and stops at the first finding.
pub(crate) fn tell(
    invariant: &Invariant,
    steps: &[Step],
    tally: &mut Tally,
) -> Result<(), Finding> {
    let mut told = Told::new(invariant, tally);
    for (step, rival) in moments(steps) {
        match rival {
            None => told.alone(step)?,
            Some(rival) => told.together(step, rival)?,
        }
    }
    Ok(())
}

/// The same calls, one after the other.
pub(crate) fn tell_in_order(invariant: &Invariant, steps: &[Step]) -> Result<(), Finding> {
    let mut tally = Tally::default();
    let mut told = Told::new(invariant, &mut tally);
    for (step, rival) in moments(steps) {
        told.alone(step)?;
        if let Some(rival) = rival {
            told.alone(rival)?;
        }
    }
    Ok(())
}

/// Judges every invariant.
pub(crate) fn judge(invariant: &Invariant, world: &World) -> Result<(), Finding> {
    for (index, rule) in invariant.rules.iter().enumerate() {
        rule.judge(world)
            .map_err(|broken| Finding::broken(index, broken, world))?;
    }
    Ok(())
}

/// A story so far.
struct Told<'a> {
    invariant: &'a Invariant,
    tally: &'a mut Tally,
    world: World,
    /// The commands that have been checked in this story.
    checked: BTreeSet<usize>,
}

impl<'a> Told<'a> {
    fn new(invariant: &'a Invariant, tally: &'a mut Tally) -> Self {
        Self {
            invariant,
            tally,
            world: invariant.world.clone(),
            checked: BTreeSet::new(),
        }
    }

    fn alone(&mut self, step: &Step) -> Result<(), Finding> {
        step.call.check_input().map_err(Finding::fault)?;
        self.world.story.line("when", &step.call.to_string());
        let (world, context) = fresh_context(&self.world, |context| context);
        let mut run = execute(&world, &step.call, &context);
        write_end(&mut run);
        self.accept(step, &run)?;
        if matches!(run.ended, Ended::Done(_)) && self.checked.insert(step.command) {
            check::command::all(&run, &step.call, &context)
                .map_err(|report| Finding::checked(step.command, report))?;
        }
        if self.world.log.head() > world.log.head() {
            judge(self.invariant, &self.world).map_err(|finding| {
                finding.with_boundary(boundary::grid(&run.traces, run.before.log.events()))
            })?;
        }
        Ok(())
    }

    /// Both read what is there now. The first commits; so does the second, if its condition allows.
    fn together(&mut self, first: &Step, second: &Step) -> Result<(), Finding> {
        first.call.check_input().map_err(Finding::fault)?;
        second.call.check_input().map_err(Finding::fault)?;
        let before = self.world.clone();
        let (world, first_context) = fresh_context(&before, |context| context);
        let (mut world, second_context) = fresh_context(&world, |context| context);
        let mut winner = execute(&world, &first.call, &first_context);
        if winner.emitted().next().is_none() || !matches!(winner.ended, Ended::Done(_)) {
            // Nothing happened between the two, so they came one after the other.
            self.alone(first)?;
            return self.alone(second);
        }
        world.story.line("when", &first.call.to_string());
        world.story.line("racing", &second.call.to_string());
        world.story.events("emitted", winner.emitted());
        winner.after.story = world.story.clone();
        self.accept(first, &winner)?;

        let engine = Engine::new(&world, Role::Command);
        engine.race_with(winner.after.log.clone());
        let mut run = execute_on(&engine, &world, &second.call, &second_context);
        let meeting = Meeting::new(&first.call, &second.call, late_events(&run, &winner));
        let is_conflict =
            matches!(&run.ended, Ended::Failed(failure) if failure.class == Class::Conflict);
        if is_conflict {
            // As the host does.
            run = execute(&winner.after, &second.call, &second_context);
            let story = &mut run.after.story;
            story.line("second", "conflict, so it was called again");
            write_second(&mut run, "again");
        } else {
            if engine.rival_waits() {
                // It came to no commit, so what it read was the past.
                run.after.log = winner.after.log.clone();
            }
            run.before.log = winner.after.log.clone();
            write_second(&mut run, "second");
        }
        self.accept(second, &run)
            .and_then(|()| judge(self.invariant, &self.world))
            .map_err(|finding| finding.with(meeting))
    }

    /// Goes on after a run, unless its end is a finding.
    fn accept(&mut self, step: &Step, run: &Run) -> Result<(), Finding> {
        let wrote = run.emitted().next().is_some();
        self.tally.count(step.command, &run.ended, wrote);
        self.world = run.after.clone();
        let key = match &run.ended {
            Ended::Panicked(_) => Key::Panicked(step.command),
            Ended::Failed(failure) if failure.class == Class::Failed => Key::Failed(step.command),
            _ => return Ok(()),
        };
        Err(Finding::ended(key, step.call.name(), run))
    }
}

/// Adds how a run ended to its story.
fn write_end(run: &mut Run) {
    let events: Vec<_> = run.emitted().cloned().collect();
    let story = &mut run.after.story;
    match &run.ended {
        Ended::Done(_) if events.is_empty() => story.line("emitted", "nothing"),
        Ended::Done(_) => story.events("emitted", events.iter()),
        Ended::Failed(failure) => story.line(failure.class.word(), &cut(&failure.message)),
        Ended::Panicked(message) => story.line("panicked", &cut(message)),
    }
}

/// The same for the second of two.
fn write_second(run: &mut Run, keyword: &'static str) {
    let events: Vec<_> = run.emitted().cloned().collect();
    let story = &mut run.after.story;
    match &run.ended {
        Ended::Done(_) if events.is_empty() => story.line(keyword, "emitted nothing"),
        Ended::Done(_) => story.events(keyword, events.iter()),
        ended => story.line(keyword, &cut(&ended.to_string())),
    }
}

/// Which of the winner's events the second reads, query item by query item.
fn late_events(run: &Run, winner: &Run) -> String {
    let events: Vec<_> = winner.emitted().collect();
    run.traces
        .iter()
        .filter(|trace| !trace.attempted.is_empty())
        .map(|trace| match &*trace.condition.query {
            [] => "it commits without having read anything\n".to_owned(),
            query => boundary::cells(query, &events),
        })
        .collect()
}
