//! The first step: what is the case before anything is tried.

use std::rc::Rc;
use std::time::Duration;

use umari::event::Event;
use umari::fold::Fold;
use umari::host::{AsOf, Host};
use umari::prelude::{CommandContext, DateTime, ExecuteOutput, FoldQuery, Utc};
use umari::projector::Projector;

use crate::check::Check;
use crate::command::{Call, CommandInput, Outcome, Race, race};
use crate::effect::EffectGiven;
use crate::engine::{Engine, Role};
use crate::events::{Events, chain};
use crate::http::Http;
use crate::projector::{self, Projection};
use crate::report::{Report, Verdict, boundary, demand, diff};
use crate::world::World;

/// A scenario begins with these events in the log.
///
/// # Panics
///
/// Panics where an event cannot be stored, or would not come back as it was.
#[track_caller]
#[must_use = "a scenario proves something only once a `then` step has been called"]
pub fn given(events: Events) -> Given {
    given_nothing().and(events)
}

/// A scenario begins with an empty log.
#[must_use = "a scenario proves something only once a `then` step has been called"]
pub fn given_nothing() -> Given {
    Given {
        world: World::new(),
    }
}

/// What is the case: a history, a clock, an environment.
///
/// Steps borrow it and return the next state, so one history can serve many cases:
///
/// ```
/// # use serde::{Deserialize, Serialize};
/// # use umari::prelude::*;
/// # use umari_testing::prelude::*;
/// # #[derive(Event, DomainIds, Serialize, Deserialize)]
/// # struct Counted { #[domain_id] counter_id: u64 }
/// # fn counter(counter_id: u64) -> EventCounter<Counted> { EventCounter::new().with("counter_id", counter_id) }
/// let counted = given(events![Counted { counter_id: 1 }, Counted { counter_id: 2 }]);
/// for counter_id in [1, 2] {
///     counted.then_state(counter(counter_id), 1);
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Given {
    pub(crate) world: World,
}

impl Given {
    fn change(&self, change: impl FnOnce(&mut World)) -> Self {
        let mut world = self.world.clone();
        change(&mut world);
        Self { world }
    }

    /// And these events after them.
    ///
    /// # Panics
    ///
    /// As [`given`].
    #[track_caller]
    #[must_use = "a scenario proves something only once a `then` step has been called"]
    pub fn and(&self, events: Events) -> Self {
        let mut world = self.world.clone();
        demand(world.append("given", &events));
        Self { world }
    }

    /// And whatever this command writes: history made by the code that makes it in production.
    ///
    /// # Panics
    ///
    /// Panics where the command does not succeed.
    #[track_caller]
    #[must_use = "a scenario proves something only once a `then` step has been called"]
    pub fn given_command<F, I, E>(&self, command: F, input: I) -> Self
    where
        F: Fn(I, CommandContext) -> Result<ExecuteOutput, E> + 'static,
        I: CommandInput,
        E: Into<anyhow::Error>,
    {
        let outcome = demand(Outcome::run(
            &self.world,
            Call::new(command, input),
            |c| c,
            "given",
        ));
        demand(outcome.demand_success("this command was given, so it has to succeed"));
        Self {
            world: outcome.world.clone(),
        }
    }

    /// From here on the clock shows `time`. It moves only when the scenario says so.
    #[must_use = "a scenario proves something only once a `then` step has been called"]
    pub fn at(&self, time: DateTime<Utc>) -> Self {
        self.change(|world| {
            world.now = time;
            world.story.line("at", &time.to_rfc3339());
        })
    }

    /// Moves the clock forward.
    #[must_use = "a scenario proves something only once a `then` step has been called"]
    pub fn after(&self, duration: Duration) -> Self {
        self.change(|world| {
            world.now += duration;
            world.story.line("after", &format!("{duration:?}"));
        })
    }

    /// Deletes the data key of the scope `name:value`: the payloads under it are gone.
    ///
    /// # Panics
    ///
    /// Panics where no event of this scope has been given, which would test nothing.
    #[track_caller]
    #[must_use = "a scenario proves something only once a `then` step has been called"]
    pub fn shredded(&self, name: &str, value: impl ToString) -> Self {
        let scope = format!("{name}:{}", value.to_string());
        let mut world = self.world.clone();
        if world.log.shred(&scope) == 0 {
            let scopes = world.log.scopes();
            Report::new(format!("no given event is encrypted under `{scope}`"))
                .scenario(&world.story)
                .section("scopes", scopes.join("\n"))
                .cause("an event is encrypted under the domain id that is marked `#[crypto_scope]`")
                .fail();
        }
        world.story.line("shredded", &scope);
        Self { world }
    }

    /// Sets a configuration variable.
    #[must_use = "a scenario proves something only once a `then` step has been called"]
    pub fn env(&self, name: &str, value: &str) -> Self {
        self.change(|world| {
            world.env.insert(name.to_owned(), value.to_owned());
        })
    }

    /// Switches a check off for the rest of this scenario, for a `reason`.
    ///
    /// # Panics
    ///
    /// Panics where the reason is empty.
    #[track_caller]
    #[must_use = "a scenario proves something only once a `then` step has been called"]
    pub fn without(&self, check: Check, reason: &str) -> Self {
        let mut world = self.world.clone();
        world.waivers.waive(check, reason);
        Self { world }
    }

    /// The targets of this scenario drop repeated requests by themselves, or do no harm with them:
    /// the crash sweep lets an effect repeat a request that carries no `Idempotency-Key`.
    ///
    /// # Panics
    ///
    /// Panics where the reason is empty.
    #[track_caller]
    #[must_use = "a scenario proves something only once a `then` step has been called"]
    pub fn tolerates_repeats(&self, reason: &str) -> Self {
        assert!(
            !reason.trim().is_empty(),
            "`.tolerates_repeats(..)` needs a reason"
        );
        self.change(|world| world.repeats = Some(reason.to_owned()))
    }

    /// Scripts the HTTP target of effects. Scripts add to those of earlier calls.
    #[must_use = "a scenario proves something only once a `then` step has been called"]
    pub fn with_http<R>(&self, script: impl FnOnce(&Http) -> R) -> Self {
        self.change(|world| {
            script(&world.http);
        })
    }

    /// Calls a command.
    ///
    /// The input goes by JSON when the automatic checks call the command again, as it does in
    /// production; it need not be `Clone`. For an input without serde, use
    /// [`when_called`](Given::when_called).
    ///
    /// # Panics
    ///
    /// Panics where a [check](crate::check) finds a fault.
    #[track_caller]
    #[must_use = "a call proves something only once a `then` step has been called"]
    pub fn when<F, I, E>(&self, command: F, input: I) -> Outcome
    where
        F: Fn(I, CommandContext) -> Result<ExecuteOutput, E> + 'static,
        I: CommandInput,
        E: Into<anyhow::Error>,
    {
        demand(Outcome::when(
            &self.world,
            Call::new(command, input),
            |context| context,
        ))
    }

    /// Calls a command in a context of the test's making.
    ///
    /// # Panics
    ///
    /// As [`when`](Given::when).
    #[track_caller]
    #[must_use = "a call proves something only once a `then` step has been called"]
    pub fn when_with<F, I, E>(
        &self,
        command: F,
        input: I,
        context: impl FnOnce(CommandContext) -> CommandContext,
    ) -> Outcome
    where
        F: Fn(I, CommandContext) -> Result<ExecuteOutput, E> + 'static,
        I: CommandInput,
        E: Into<anyhow::Error>,
    {
        demand(Outcome::when(
            &self.world,
            Call::new(command, input),
            context,
        ))
    }

    /// Calls whatever the closure calls: for commands whose input is neither `Serialize` nor
    /// `Deserialize`, such as the private ones of an effect.
    ///
    /// The closure runs several times, so that every automatic check applies.
    ///
    /// # Panics
    ///
    /// As [`when`](Given::when).
    #[track_caller]
    #[must_use = "a call proves something only once a `then` step has been called"]
    pub fn when_called<E>(
        &self,
        call: impl Fn(CommandContext) -> Result<ExecuteOutput, E> + 'static,
    ) -> Outcome
    where
        E: Into<anyhow::Error>,
    {
        demand(Outcome::when(&self.world, Call::closure(call), |context| {
            context
        }))
    }

    /// Calls a command as the wire does: the input is decoded from JSON by the SDK's own code,
    /// so that its messages about wrong input are what callers see.
    ///
    /// # Panics
    ///
    /// As [`when`](Given::when).
    #[track_caller]
    #[must_use = "a call proves something only once a `then` step has been called"]
    pub fn when_json<F, I, E>(&self, command: F, input: impl ToString) -> Outcome
    where
        F: Fn(I, CommandContext) -> Result<ExecuteOutput, E> + 'static,
        I: serde::de::DeserializeOwned + 'static,
        E: Into<anyhow::Error>,
    {
        demand(Outcome::when(
            &self.world,
            Call::json(command, input.to_string()),
            |context| context,
        ))
    }

    /// Calls two commands at the same moment: both read the same history, the first commits,
    /// then the second tries to.
    ///
    /// # Panics
    ///
    /// Panics where the first does not succeed.
    #[track_caller]
    #[must_use = "a race proves something only once a `then` step has been called"]
    pub fn when_racing<F, I, E, G, J, D>(&self, first: (F, I), second: (G, J)) -> Race
    where
        F: Fn(I, CommandContext) -> Result<ExecuteOutput, E> + 'static,
        I: CommandInput,
        E: Into<anyhow::Error>,
        G: Fn(J, CommandContext) -> Result<ExecuteOutput, D> + 'static,
        J: CommandInput,
        D: Into<anyhow::Error>,
    {
        let (first, second) = (Call::new(first.0, first.1), Call::new(second.0, second.1));
        demand(race(&self.world, first, second))
    }

    /// The state of a fold over this history, read through the query that production uses.
    ///
    /// # Panics
    ///
    /// Panics where the fold cannot be run, or panics itself.
    #[track_caller]
    #[must_use]
    pub fn fold<F: Fold>(&self, fold: F) -> F::State {
        demand(self.run_fold(fold, None)).0
    }

    /// The state of a fold as it was at a position (`u64`) or a moment (`DateTime<Utc>`), that
    /// position or moment included.
    ///
    /// # Panics
    ///
    /// As [`fold`](Given::fold).
    #[track_caller]
    #[must_use]
    pub fn fold_as_of<F: Fold>(&self, bound: impl Into<AsOf>, fold: F) -> F::State {
        demand(self.run_fold(fold, Some(bound.into()))).0
    }

    /// The state of this fold is `expected`.
    ///
    /// # Panics
    ///
    /// Panics where it is not.
    #[track_caller]
    pub fn then_state<F: Fold>(&self, fold: F, expected: F::State) -> Self
    where
        F::State: PartialEq + std::fmt::Debug,
    {
        demand(self.check_state(fold, &expected));
        self.clone()
    }

    /// Runs a projector over this history.
    ///
    /// # Panics
    ///
    /// Panics where [`PROJECTOR_LAWS`](crate::check::PROJECTOR_LAWS) finds a fault.
    #[track_caller]
    #[must_use = "a scenario proves something only once a `then` step has been called"]
    pub fn project<P: Projector>(&self) -> Projection {
        demand(projector::run::<P>(&self.world))
    }

    /// One more event, which an effect is about to be handed.
    ///
    /// # Panics
    ///
    /// As [`given`].
    #[track_caller]
    pub fn when_event<E: Event>(&self, event: E) -> EffectGiven {
        let mut world = self.world.clone();
        let before = world.log.head();
        demand(world.append("event", &Events::new().with(event)));
        EffectGiven::new(world, before)
    }

    /// An effect is about to be handed every event of this history, as when it is deployed.
    pub fn when_caught_up(&self) -> EffectGiven {
        EffectGiven::new(self.world.clone(), 0)
    }

    /// Runs a fold on an engine that remembers what it read.
    fn run_fold<F: Fold>(&self, fold: F, bound: Option<AsOf>) -> Verdict<(F::State, Rc<Engine>)> {
        let engine = Engine::new(&self.world, Role::Fold);
        let guard = umari::host::install(Rc::clone(&engine) as Rc<dyn Host>);
        let query = FoldQuery::new().fold(fold);
        let state = match bound {
            Some(bound) => query.as_of(bound).run(),
            None => query.run(),
        };
        drop(guard);
        match state {
            Ok(state) => Ok((state, engine)),
            Err(error) => {
                let name = short(std::any::type_name::<F>());
                let report = Report::new(format!("`{name}` could not be run"));
                Err(Box::new(
                    report.scenario(&self.world.story).cause(chain(&error)),
                ))
            }
        }
    }

    fn check_state<F: Fold>(&self, fold: F, expected: &F::State) -> Verdict
    where
        F::State: PartialEq + std::fmt::Debug,
    {
        let (state, engine) = self.run_fold(fold, None)?;
        if state == *expected {
            return Ok(());
        }
        let name = std::any::type_name::<F>();
        let fields = diff::lines(&format!("{expected:#?}"), &format!("{state:#?}"));
        let grid = boundary::grid(&engine.traces.borrow(), self.world.log.events());
        Err(Box::new(
            Report::new(format!("the state of `{}` is not as expected", short(name)))
                .scenario(&self.world.story)
                .section("state (- expected, + actual)", fields.unwrap_or_default())
                .section("boundary", grid),
        ))
    }
}

/// The last segment of a type's path, with what it is generic over.
pub(crate) fn short(name: &str) -> String {
    let mut short = String::new();
    let mut segment = String::new();
    for character in name.chars() {
        if character.is_alphanumeric() || character == '_' {
            segment.push(character);
        } else if character == ':' {
            segment.clear();
        } else {
            short.push_str(&segment);
            segment.clear();
            short.push(character);
        }
    }
    short + &segment
}
