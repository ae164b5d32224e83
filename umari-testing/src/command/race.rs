//! Several commands at the same moment, in every order that makes a difference.

use std::ops::Deref;
use std::rc::Rc;

use umari::command::CommandContext;

mod interleaving;
mod racers;
mod schedule;

pub use self::interleaving::Interleaving;
pub use self::racers::{Racer, Racers, RacingCall};
use self::schedule::{Schedule, name};

use super::{Call, fresh_context};
use crate::given::Given;
use crate::report::{Report, Verdict, boundary, count, demand, table};
use crate::world::World;

/// How many calls may race: the orders of five are 14,400.
const CALLS_MAX: usize = 4;

/// What came of several calls at the same moment, in every order in which they can read and commit.
///
/// The calls are named `a`, `b`, `c`, `d`, as they are written. A call that meets a conflict is made
/// again at once, as the host does.
///
/// The story goes on where all read before the first commits, and they commit in the order in which
/// they are written; there a conflict is not retried. Every step of [`Given`] is available.
#[derive(Debug, Clone)]
pub struct Race {
    given: Given,
    interleavings: Rc<[Interleaving]>,
}

impl Deref for Race {
    type Target = Given;

    fn deref(&self) -> &Given {
        &self.given
    }
}

impl Race {
    /// Where all calls read before the first commits, and they commit in the order in which they are
    /// written, only the first gets through: the others conflict with it. In production the host
    /// executes them again.
    ///
    /// # Panics
    ///
    /// Panics where the first does not commit, or another call ends in any other way.
    #[track_caller]
    pub fn then_conflict(&self) -> Self {
        demand(self.expect_conflict());
        self.clone()
    }

    /// In every interleaving all calls commit at the first attempt: none depends on what another writes.
    ///
    /// # Panics
    ///
    /// Panics where one conflicts, or ends in any other way.
    #[track_caller]
    pub fn then_all_commit(&self) -> Self {
        demand(
            self.expect_in_each("all calls were expected to commit in every order", |race| {
                (0..race.calls()).all(|call| race.commits_at_once(call))
            }),
        );
        self.clone()
    }

    /// In every interleaving exactly `number` calls write events in the end, conflicts retried.
    ///
    /// # Panics
    ///
    /// Panics where there are more of them, or fewer.
    #[track_caller]
    pub fn then_winners(&self, number: usize) -> Self {
        let winners = count(number, "winner");
        let were = if number == 1 { "was" } else { "were" };
        let headline = format!("{winners} {were} expected in every order");
        demand(self.expect_in_each(&headline, |race| race.winners() == number));
        self.clone()
    }

    /// Whatever `judge` asks of an interleaving holds in each. Its steps and assertions fail on their
    /// own, and the order in which they do is told.
    ///
    /// # Panics
    ///
    /// Panics where a step does.
    #[track_caller]
    pub fn then_in_each(&self, judge: impl Fn(&Interleaving)) -> Self {
        for race in self.interleavings.iter() {
            let named = Named(race.order());
            judge(race);
            drop(named);
        }
        self.clone()
    }

    /// One interleaving, as the reports call it: `"a reads, b reads, b commits, a commits"`.
    ///
    /// # Panics
    ///
    /// Panics where there is none of this name.
    #[track_caller]
    #[must_use = "an interleaving proves something only once a `then` step has been called"]
    pub fn interleaving(&self, order: &str) -> Interleaving {
        let known = self.interleavings.iter().find(|race| race.order() == order);
        demand(known.cloned().ok_or_else(|| {
            let known: Vec<_> = self.interleavings.iter().map(Interleaving::order).collect();
            Box::new(
                Report::new(format!("there is no interleaving `{order}`"))
                    .section("interleavings", rows(&known))
                    .cause(
                        "reads that follow each other are named in the order in which the calls \
                         are written",
                    ),
            )
        }))
    }

    /// Every interleaving. The first is the one where the story goes on.
    #[must_use]
    pub fn interleavings(&self) -> &[Interleaving] {
        &self.interleavings
    }

    fn expect_conflict(&self) -> Verdict {
        let Some(race) = self.interleavings.first() else {
            return Ok(());
        };
        let report = self
            .report("the later calls were expected to conflict with the first")
            .section("interleavings", self.table(|_| true));
        if !race.commits_at_once(0) {
            let ended = race.first_ended(0);
            return Err(Box::new(report.cause(format!(
                "{} comes first and has to commit, but ended with `{ended}`",
                name(0)
            ))));
        }
        let Some(late) = (1..race.calls()).find(|call| !race.conflicts(*call)) else {
            return Ok(());
        };
        let written = race.written_before(late);
        let cells = boundary::cells(&race.query(late), &written.iter().collect::<Vec<_>>());
        let report = report.section(
            "what the later call reads of what was written before",
            cells,
        );
        Err(Box::new(if race.commits_at_once(late) {
            report
                .cause(format!(
                    "{} committed too: it reads nothing that was written before",
                    name(late)
                ))
                .fix(
                    "where they are rivals, let the later one read what the earlier one writes, by \
                     a fold; where they are not, `.then_all_commit()` says so",
                )
        } else {
            let ended = race.first_ended(late);
            report.cause(format!("{} ended with `{ended}`", name(late)))
        }))
    }

    fn expect_in_each(&self, headline: &str, holds: impl Fn(&Interleaving) -> bool) -> Verdict {
        if self.interleavings.iter().all(&holds) {
            return Ok(());
        }
        Err(Box::new(self.report(headline).section(
            "interleavings (! not as expected)",
            self.table(holds),
        )))
    }

    fn report(&self, headline: impl Into<String>) -> Report {
        Report::new(headline).scenario(&self.given.world.story)
    }

    /// Every interleaving with how each call ended; those where `holds` does not are marked.
    fn table(&self, holds: impl Fn(&Interleaving) -> bool) -> String {
        let all_hold = self.interleavings.iter().all(&holds);
        let lines = self.interleavings.iter().map(|race| {
            let mut row = Vec::new();
            if !all_hold {
                row.push(if holds(race) { "" } else { "!" }.to_owned());
            }
            row.push(race.order().to_owned());
            row.extend(
                (0..race.calls()).map(|call| format!("{} {}", name(call), race.words(call))),
            );
            row
        });
        table::columns(&table::elide(lines.collect()))
    }
}

/// Tells the order in which an assertion of the test failed; a step tells it by itself.
struct Named<'a>(&'a str);

impl Drop for Named<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("in the interleaving `{}`", self.0);
        }
    }
}

fn rows(orders: &[&str]) -> String {
    let rows = orders.iter().map(|order| vec![(*order).to_owned()]);
    table::columns(&table::elide(rows.collect()))
}

/// Makes `calls` at the same moment, in every order.
pub(crate) fn race(world: &World, calls: Vec<RacingCall>) -> Verdict<Race> {
    if !(2..=CALLS_MAX).contains(&calls.len()) {
        return Err(Box::new(
            Report::new(format!(
                "a race has 2 to {CALLS_MAX} calls, and this one has {}",
                calls.len()
            ))
            .scenario(&world.story),
        ));
    }
    let mut world = world.clone();
    let mut racing: Vec<(Call, CommandContext)> = Vec::new();
    for (index, RacingCall(call)) in calls.into_iter().enumerate() {
        call.check_input()?;
        let keyword = if index == 0 { "when" } else { "racing" };
        world
            .story
            .line(keyword, &format!("{} = {call}", name(index)));
        let (next, context) = fresh_context(&world, |context| context);
        world = next;
        racing.push((call, context));
    }
    let interleavings: Vec<_> = Schedule::all(racing.len())
        .into_iter()
        .map(|schedule| interleaving::run(&world, &racing, &schedule))
        .collect();
    let nothing_happens = interleavings.iter().all(Interleaving::nothing_succeeds);
    let Some(first) = interleavings.first() else {
        return Err(Box::new(Report::new("a race without an interleaving")));
    };
    if nothing_happens {
        return Err(Box::new(
            Report::new("none of the racing commands succeeds, in any order")
                .scenario(&world.story)
                .section("interleaving", first.describe()),
        ));
    }
    Ok(Race {
        given: first.without_retries(),
        interleavings: interleavings.into(),
    })
}
