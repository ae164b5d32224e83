//! Queries: what a function makes of a history when it asks the log by itself.

use std::fmt::{self, Debug};
use std::rc::Rc;

use umari::host::{Host, RawEvent};

use crate::check::snapshot;
use crate::engine::{Engine, Role};
use crate::events::Events;
use crate::metadata;
use crate::panics;
use crate::report::story::cut;
use crate::report::{Report, Shown, Verdict, boundary, demand, diff};
use crate::world::World;

/// What came of a query; made by [`Given::query`](crate::Given::query).
pub struct QueryOutcome<T> {
    world: World,
    ask: Rc<dyn Fn() -> anyhow::Result<T>>,
    engine: Rc<Engine>,
    answer: Rc<Answer<T>>,
}

impl<T> Clone for QueryOutcome<T> {
    fn clone(&self) -> Self {
        Self {
            world: self.world.clone(),
            ask: Rc::clone(&self.ask),
            engine: Rc::clone(&self.engine),
            answer: Rc::clone(&self.answer),
        }
    }
}

impl<T> Debug for QueryOutcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueryOutcome").finish_non_exhaustive()
    }
}

enum Answer<T> {
    State(T),
    Failed(String),
    Panicked(String),
}

impl<T> QueryOutcome<T> {
    pub(crate) fn ask<E: Into<anyhow::Error>>(
        mut world: World,
        query: impl Fn() -> Result<T, E> + 'static,
    ) -> Self {
        let ask: Rc<dyn Fn() -> anyhow::Result<T>> = Rc::new(move || query().map_err(Into::into));
        world.story.line("query", "|| ..");
        let (engine, answer) = answer(&world, &*ask);
        match &answer {
            Answer::State(_) => {}
            Answer::Failed(message) => world.story.line("failed", &cut(message)),
            Answer::Panicked(message) => world.story.line("panicked", &cut(message)),
        }
        Self {
            world,
            ask,
            engine,
            answer: Rc::new(answer),
        }
    }

    /// The query returns exactly this; and again, when it is asked again.
    ///
    /// # Panics
    ///
    /// Panics where it returns something else, fails or panics.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the expected state is written in place"
    )]
    pub fn then_state(&self, expected: T) -> Self
    where
        T: PartialEq + Debug,
    {
        demand(self.expect_state(&expected));
        self.clone()
    }

    /// The query fails, with a message that contains `text`.
    ///
    /// # Panics
    ///
    /// Panics where it succeeds, panics, or says something else.
    #[track_caller]
    pub fn then_failed(&self, text: &str) -> Self {
        demand(self.expect_failure(text));
        self.clone()
    }

    /// The query read exactly these events.
    ///
    /// # Panics
    ///
    /// Panics where it read others.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "`events![..]` is written in place"
    )]
    pub fn then_read(&self, events: Events) -> Self {
        demand(self.expect_read(&events));
        self.clone()
    }

    /// What the query returned.
    ///
    /// # Panics
    ///
    /// Panics where it failed or panicked.
    #[track_caller]
    pub fn state(&self) -> &T {
        demand(self.demand_state("a state was asked for"))
    }

    fn demand_state(&self, because: &str) -> Verdict<&T> {
        let (verb, message) = match &*self.answer {
            Answer::State(state) => return Ok(state),
            Answer::Failed(message) => ("failed", message),
            Answer::Panicked(message) => ("panicked", message),
        };
        let report = self.report(format!("{because}, but the query {verb}"));
        Err(self.with_boundary(report.cause(message)))
    }

    fn expect_state(&self, expected: &T) -> Verdict
    where
        T: PartialEq + Debug,
    {
        let state = self.demand_state("a state was expected")?;
        if state != expected {
            let difference = super::difference(expected, state);
            return Err(self.with_boundary(
                self.report("the query does not return what is expected")
                    .section("state (- expected, + actual)", difference),
            ));
        }
        match answer(&self.world, &*self.ask).1 {
            Answer::State(again) if again == *state => self.check_snapshots(state),
            Answer::State(again) => Err(Box::new(
                self.report("the query returns something else when it is asked again")
                    .section(
                        "state (- first, + second)",
                        super::difference(state, &again),
                    )
                    .cause(
                        "something besides the history takes part: the wall clock, a random \
                         value, the order of a hash map, a static",
                    ),
            )),
            Answer::Failed(message) | Answer::Panicked(message) => Err(Box::new(
                self.report("the query fails when it is asked again")
                    .cause(message),
            )),
        }
    }

    fn check_snapshots(&self, state: &T) -> Verdict
    where
        T: PartialEq + Debug,
    {
        let traces = self.engine.traces.borrow();
        snapshot::check(&self.world, Role::Fold, &traces, &|engine| match answer_on(
            engine, &*self.ask,
        ) {
            Answer::State(other) if other == *state => format!("{state:#?}"),
            Answer::State(other) => super::another(state, &other),
            Answer::Failed(message) | Answer::Panicked(message) => message,
        })
    }

    fn expect_failure(&self, text: &str) -> Verdict {
        let message = match &*self.answer {
            Answer::Failed(message) if message.contains(text) => return Ok(()),
            Answer::Failed(message) => message,
            Answer::State(_) => {
                return Err(self.with_boundary(self.report(format!(
                    "the query was expected to fail with {text:?}, but succeeded"
                ))));
            }
            Answer::Panicked(message) => {
                return Err(self.with_boundary(
                    self.report(format!(
                        "the query was expected to fail with {text:?}, but panicked"
                    ))
                    .cause(message),
                ));
            }
        };
        Err(
            self.with_boundary(self.report("the query failed for another reason").section(
                "message (- expected to contain, + actual)",
                diff::lines(text, message).unwrap_or_default(),
            )),
        )
    }

    fn expect_read(&self, expected: &Events) -> Verdict {
        let read: Vec<RawEvent> = super::read_events(&self.engine);
        let shown: Vec<_> = read.iter().map(Shown::from).collect();
        let difference = diff::events(&expected.shown(), &shown)
            .or_else(|| metadata::difference_of_each(expected.facts(), read.iter()));
        match difference {
            None => Ok(()),
            Some(difference) => Err(self.with_boundary(
                self.report("the query read other events than expected")
                    .section("events (- expected, + read)", difference),
            )),
        }
    }

    fn report(&self, headline: impl Into<String>) -> Report {
        Report::new(headline).scenario(&self.world.story)
    }

    fn with_boundary(&self, report: Report) -> Box<Report> {
        let traces = self.engine.traces.borrow();
        Box::new(report.section("boundary", boundary::grid(&traces, self.world.log.events())))
    }
}

/// Asks once, on an engine of its own.
fn answer<T>(world: &World, ask: &dyn Fn() -> anyhow::Result<T>) -> (Rc<Engine>, Answer<T>) {
    let engine = Engine::new(world, Role::Fold);
    let answer = answer_on(&engine, ask);
    (engine, answer)
}

fn answer_on<T>(engine: &Rc<Engine>, ask: &dyn Fn() -> anyhow::Result<T>) -> Answer<T> {
    let _guard = umari::host::install(Rc::clone(engine) as Rc<dyn Host>);
    match panics::catch(ask) {
        Ok(Ok(state)) => Answer::State(state),
        Ok(Err(error)) => Answer::Failed(format!("{error:#}")),
        Err(message) => Answer::Panicked(message),
    }
}
