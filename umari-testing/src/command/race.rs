//! Two commands at the same moment.

use std::ops::Deref;
use std::rc::Rc;

use umari::host::NewEvent;

use super::run::{Class, execute_on};
use super::{Call, Ended, Run, execute, fresh_context};
use crate::engine::log::Origin;
use crate::engine::{Engine, Role};
use crate::given::Given;
use crate::report::{Report, Verdict, boundary};
use crate::world::World;

/// What came of two calls that read the same history, of which the first committed first.
///
/// The story goes on after both: every step of [`Given`] is available.
#[derive(Debug, Clone)]
pub struct Race {
    given: Given,
    second: Rc<Run>,
    /// How many events the first appended.
    first_events: usize,
}

impl Deref for Race {
    type Target = Given;

    fn deref(&self) -> &Given {
        &self.given
    }
}

impl Race {
    /// The second could not commit, because the first had changed what it depends on. In
    /// production the host executes it again.
    ///
    /// # Panics
    ///
    /// Panics where the second ended in any other way.
    #[track_caller]
    pub fn then_conflict(&self) -> Self {
        match &self.second.ended {
            Ended::Failed(failure) if failure.class == Class::Conflict => self.clone(),
            ended => {
                let cause = match ended {
                    Ended::Done(_) => {
                        "both committed: the second reads nothing that the first wrote"
                    }
                    _ => &ended.to_string(),
                };
                self.report("the second command was expected to conflict with the first")
                    .cause(cause)
                    .section("what the second reads of the first", self.late_events())
                    .fail()
            }
        }
    }

    /// Both committed: neither depends on what the other wrote.
    ///
    /// # Panics
    ///
    /// Panics where the second did not.
    #[track_caller]
    pub fn then_both_commit(&self) -> Self {
        match &self.second.ended {
            Ended::Done(_) => self.clone(),
            ended => {
                let report = self.report("both commands were expected to commit");
                report.cause(ended.to_string()).fail()
            }
        }
    }

    fn report(&self, headline: &str) -> Report {
        Report::new(headline).scenario(&self.given.world.story)
    }

    /// Which of the first's events match the second's query.
    fn late_events(&self) -> String {
        let written = self.second.after.log.after(self.second.before.log.head());
        let events: Vec<_> = written.take(self.first_events).collect();
        let traces = self.second.traces.iter();
        traces
            .map(|trace| boundary::cells(&trace.condition.query, &events))
            .collect()
    }
}

/// Runs `first` to its end between the read and the append of `second`.
pub(crate) fn race(world: &World, first: Call, second: Call) -> Verdict<Race> {
    first.check_input()?;
    second.check_input()?;
    let mut world = world.clone();
    world.story.line("when", &format!("{first}"));
    world.story.line("racing", &format!("{second}"));
    let (world, first_context) = fresh_context(&world, |context| context);
    let (world, second_context) = fresh_context(&world, |context| context);

    let winner = execute(&world, &first, &first_context);
    if !matches!(winner.ended, Ended::Done(_)) {
        return Err(Box::new(
            Report::new("the first of two racing commands has to succeed")
                .scenario(&world.story)
                .cause(winner.ended.to_string()),
        ));
    }
    let engine = Engine::new(&world, Role::Command);
    let origin = winner
        .traces
        .last()
        .map_or_else(|| "".into(), |t| Rc::clone(&t.condition.command));
    let events: Vec<NewEvent> = winner
        .traces
        .iter()
        .flat_map(|trace| trace.attempted.iter().cloned())
        .collect();
    let first_events = events.len();
    if first_events > 0 {
        engine.race_with(
            events,
            Origin {
                command: origin,
                correlation_id: first_context.correlation_id,
                causation_id: first_context.causation_id,
                triggering_event_id: None,
                idempotency_key: None,
                timestamp: world.now,
            },
        );
    }
    let run = execute_on(&engine, &world, &second, &second_context);
    let mut after = run.after.clone();
    after.story.events("emitted", run.emitted());
    after.story.line("second", &run.ended.to_string());
    Ok(Race {
        given: Given { world: after },
        second: Rc::new(run),
        first_events,
    })
}
