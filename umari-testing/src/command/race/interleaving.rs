//! One order of reads and commits, and what came of it.

use std::ops::Deref;
use std::rc::Rc;

use umari::command::CommandContext;
use umari::host::{QueryItem, RawEvent};

use super::super::run::{Class, execute_on};
use super::super::{Call, Ended, Run, execute};
use super::schedule::{Schedule, name};
use crate::engine::log::Log;
use crate::engine::{Engine, Role};
use crate::given::Given;
use crate::report::{Report, Verdict, count, demand};
use crate::world::World;

/// One order in which racing calls read and commit, and what came of it. The story goes on after all
/// of them: every step of [`Given`] is available.
#[derive(Debug, Clone)]
pub struct Interleaving {
    /// After the last commit, conflicts retried.
    given: Given,
    order: Rc<str>,
    /// By call, in the order in which they are written.
    attempts: Rc<[Attempts]>,
    /// After the last commit, conflicts left alone; absent where there was none.
    unretried: Option<World>,
}

/// What came of one call: the race itself, and the call after it where that met a conflict.
#[derive(Debug)]
struct Attempts {
    racing: Run,
    /// The log just before it committed, or tried to.
    before_commit: Log,
    again: Option<Run>,
}

impl Attempts {
    fn last(&self) -> &Run {
        self.again.as_ref().unwrap_or(&self.racing)
    }

    /// How many events the call wrote in the end.
    fn written(&self) -> usize {
        let run = self.last();
        match run.ended {
            Ended::Done(_) => run.traces.iter().map(|trace| trace.attempted.len()).sum(),
            _ => 0,
        }
    }
}

impl Deref for Interleaving {
    type Target = Given;

    fn deref(&self) -> &Given {
        &self.given
    }
}

impl Interleaving {
    /// The order in words: `a reads, b reads, a commits, b commits`.
    #[must_use]
    pub fn order(&self) -> &str {
        &self.order
    }

    /// This call committed at the first attempt.
    ///
    /// # Panics
    ///
    /// Panics where it did not, or there is no call of this name.
    #[track_caller]
    pub fn then_commits(&self, call: char) -> Self {
        let index = demand(self.index(call));
        demand(self.expect(self.commits_at_once(index), call, "to commit"));
        self.clone()
    }

    /// This call met a conflict, whatever came of it when it was made again.
    ///
    /// # Panics
    ///
    /// Panics where it did not, or there is no call of this name.
    #[track_caller]
    pub fn then_conflicts(&self, call: char) -> Self {
        let index = demand(self.index(call));
        demand(self.expect(self.conflicts(index), call, "to meet a conflict"));
        self.clone()
    }

    /// This call was rejected in the end, at once or when it was made again after a conflict, with a
    /// message that contains `text`.
    ///
    /// # Panics
    ///
    /// Panics where it was not, or there is no call of this name.
    #[track_caller]
    pub fn then_rejects(&self, call: char, text: &str) -> Self {
        let index = demand(self.index(call));
        let holds = matches!(
            &self.attempts[index].last().ended,
            Ended::Failed(failure)
                if failure.class == Class::Rejected && failure.message.contains(text)
        );
        demand(self.expect(holds, call, &format!("to be rejected with {text:?}")));
        self.clone()
    }

    fn expect(&self, holds: bool, call: char, what: &str) -> Verdict {
        if holds {
            return Ok(());
        }
        Err(Box::new(
            Report::new(format!("`{call}` was expected {what}")).scenario(&self.world.story),
        ))
    }

    fn index(&self, call: char) -> Verdict<usize> {
        (0..self.calls())
            .find(|index| name(*index) == call)
            .ok_or_else(|| {
                Box::new(
                    Report::new(format!("no racing call is called `{call}`"))
                        .scenario(&self.world.story),
                )
            })
    }

    pub(super) fn calls(&self) -> usize {
        self.attempts.len()
    }

    pub(super) fn commits_at_once(&self, call: usize) -> bool {
        matches!(self.attempts[call].racing.ended, Ended::Done(_))
    }

    pub(super) fn conflicts(&self, call: usize) -> bool {
        is_conflict(&self.attempts[call].racing.ended)
    }

    pub(super) fn first_ended(&self, call: usize) -> &Ended {
        &self.attempts[call].racing.ended
    }

    /// How many calls wrote events in the end.
    pub(super) fn winners(&self) -> usize {
        self.attempts
            .iter()
            .filter(|attempts| attempts.written() > 0)
            .count()
    }

    pub(super) fn nothing_succeeds(&self) -> bool {
        self.attempts
            .iter()
            .all(|attempts| !matches!(attempts.last().ended, Ended::Done(_)))
    }

    /// What a call asked the log for.
    pub(super) fn query(&self, call: usize) -> Vec<QueryItem> {
        let traces = self.attempts[call].racing.traces.iter();
        traces
            .flat_map(|trace| trace.condition.query.iter().cloned())
            .collect()
    }

    /// What others wrote between a call's read and its commit.
    pub(super) fn written_before(&self, call: usize) -> Vec<RawEvent> {
        let attempts = &self.attempts[call];
        let read_up_to = attempts.racing.before.log.head();
        attempts.before_commit.after(read_up_to).cloned().collect()
    }

    /// How a call ended, as in `conflicts, then is rejected: sold before`.
    pub(super) fn words(&self, call: usize) -> String {
        let attempts = &self.attempts[call];
        let last = match &attempts.last().ended {
            Ended::Done(_) => match attempts.written() {
                0 => "writes nothing".to_owned(),
                number => format!("commits {}", count(number, "event")),
            },
            ended => ended.to_string(),
        };
        match attempts.again {
            Some(_) => format!("conflicts, then {last}"),
            None => last,
        }
    }

    /// Every call and how it ended, one to a line.
    pub(super) fn describe(&self) -> String {
        let mut text = format!("{}\n", self.order);
        for call in 0..self.calls() {
            text.push_str(&format!("{} {}\n", name(call), self.words(call)));
        }
        text
    }

    /// Where the story goes on after this order, with its conflicts left alone.
    pub(super) fn without_retries(&self) -> Given {
        Given {
            world: self
                .unretried
                .clone()
                .unwrap_or_else(|| self.given.world.clone()),
        }
    }
}

fn is_conflict(ended: &Ended) -> bool {
    matches!(ended, Ended::Failed(failure) if failure.class == Class::Conflict)
}

/// Runs the calls in this order, once with conflicts retried and, where there are some, once without.
pub(super) fn run(
    world: &World,
    calls: &[(Call, CommandContext)],
    schedule: &Schedule,
) -> Interleaving {
    let (given, attempts) = commit_all(world, calls, schedule, true);
    let conflicts = attempts.iter().any(|attempts| attempts.again.is_some());
    let mut interleaving = Interleaving {
        given: Given { world: given },
        order: schedule.to_string().into(),
        attempts: attempts.into(),
        unretried: conflicts.then(|| commit_all(world, calls, schedule, false).0),
    };
    tell(&mut interleaving, world);
    interleaving
}

/// Adds what happened to the stories.
fn tell(interleaving: &mut Interleaving, before: &World) {
    let words: Vec<_> = (0..interleaving.calls())
        .map(|call| format!("{} {}", name(call), interleaving.words(call)))
        .collect();
    let first: Vec<_> = (0..interleaving.calls())
        .map(|call| match interleaving.first_ended(call) {
            Ended::Done(_) => format!("{} {}", name(call), interleaving.words(call)),
            ended => format!("{} {ended}", name(call)),
        })
        .collect();
    let order = Rc::clone(&interleaving.order);
    let head = before.log.head();
    let add = |world: &mut World, lines: &[String]| {
        world.story.line("order", &order);
        world.story.events("emitted", world.log.after(head));
        for line in lines {
            world.story.line("ended", line);
        }
    };
    add(&mut interleaving.given.world, &words);
    if let Some(world) = &mut interleaving.unretried {
        add(world, &first);
    }
}

/// The log after each commit decides what the next call reads and what it conflicts with.
fn commit_all(
    world: &World,
    calls: &[(Call, CommandContext)],
    schedule: &Schedule,
    retried: bool,
) -> (World, Vec<Attempts>) {
    let mut logs = vec![world.log.clone()];
    let mut world = world.clone();
    let mut attempts: Vec<(usize, Attempts)> = Vec::new();
    for turn in &schedule.commits {
        let (call, context) = &calls[turn.call];
        let mut read = world.clone();
        read.log = logs[turn.read_after].clone();
        let before_commit = logs.last().cloned().unwrap_or_default();
        let engine = Engine::new(&read, Role::Command);
        engine.race_with(before_commit.clone());
        let racing = execute_on(&engine, &read, call, context);
        let reached = !engine.rival_waits();
        world.fresh_ids = racing.after.fresh_ids;
        world.log = if reached {
            racing.after.log.clone()
        } else {
            before_commit.clone()
        };
        let again = (retried && is_conflict(&racing.ended)).then(|| execute(&world, call, context));
        if let Some(again) = &again {
            world.log = again.after.log.clone();
            world.fresh_ids = again.after.fresh_ids;
        }
        logs.push(world.log.clone());
        let attempt = Attempts {
            racing,
            before_commit,
            again,
        };
        attempts.push((turn.call, attempt));
    }
    attempts.sort_by_key(|(call, _)| *call);
    let attempts = attempts.into_iter().map(|(_, attempts)| attempts);
    (world, attempts.collect())
}
