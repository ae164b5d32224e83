//! The first step: what is the case before anything is tried.

use std::time::Duration;

use umari::decider::Decider;
use umari::event::Event;
use umari::fold::Fold;
use umari::host::{AsOf, RawEvent};
use umari::prelude::{CommandContext, DateTime, DomainIds, ExecuteOutput, FromDomainIds, Utc};
use umari::projector::Projector;

use crate::check::Check;
use crate::command::{Call, CommandFunction, CommandInput, Outcome, Race, Racers, race};
use crate::effect::EffectGiven;
use crate::events::Events;
use crate::http::Http;
use crate::projector::{self, Projection};
use crate::report::{Report, demand};
use crate::state::{self, AsDecider, AsFold, Past, QueryOutcome, Reader};
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
        F: CommandFunction<I, E> + 'static,
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
    /// [`then_survives_shredding`](Outcome::then_survives_shredding) tries this with every scope.
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
        F: CommandFunction<I, E> + 'static,
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
        F: CommandFunction<I, E> + 'static,
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

    /// Makes two to four calls at the same moment, and tries every order in which they can read and
    /// commit. What others wrote after a call has read, and before it commits, is a conflict where the
    /// call depends on it.
    ///
    /// Calls of one command go in an array, calls of several commands in a tuple. The automatic
    /// checks do not run.
    ///
    /// # Examples
    ///
    /// ```
    /// # use umari::prelude::*;
    /// # use umari_testing::prelude::*;
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct SeatReserved { #[domain_id] show_id: u64, name: String }
    /// # #[derive(DomainIds, Serialize, Deserialize)]
    /// # struct Reserve { #[domain_id] show_id: u64, name: String }
    /// # fn reserve(input: Reserve, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    /// #     Command::new(input, context)
    /// #         .fold::<EventCounter<SeatReserved>>()
    /// #         .execute(|input, reserved| {
    /// #             anyhow::ensure!(reserved < 2, "sold out");
    /// #             Ok(emit![SeatReserved { show_id: input.show_id, name: input.name }])
    /// #         })
    /// # }
    /// # fn seat(name: &str) -> SeatReserved { SeatReserved { show_id: 7, name: name.to_owned() } }
    /// # fn input(name: &str) -> Reserve { Reserve { show_id: 7, name: name.to_owned() } }
    /// // One of two seats is taken.
    /// let race = given(events![seat("kim")])
    ///     .when_racing([(reserve, input("ada")), (reserve, input("bob"))]);
    /// race.then_winners(1)
    ///     .then_in_each(|show| {
    ///         show.then_state(EventCounter::<SeatReserved>::new(), 2);
    ///     })
    ///     .interleaving("a reads, b reads, b commits, a commits")
    ///     .then_commits('b')
    ///     .then_conflicts('a')
    ///     .then_rejects('a', "sold out");
    /// ```
    ///
    /// # Panics
    ///
    /// Panics where none of the commands succeeds in any order, or they are not two to four.
    #[track_caller]
    #[must_use = "a race proves something only once a `then` step has been called"]
    pub fn when_racing<K, R: Racers<K>>(&self, calls: R) -> Race {
        demand(race(&self.world, calls.calls()))
    }

    /// The state of a fold over this history, read through the query that production uses.
    ///
    /// # Panics
    ///
    /// Panics where the fold cannot be run, or panics itself.
    #[track_caller]
    #[must_use]
    pub fn fold<F: Fold>(&self, fold: F) -> F::State {
        demand(state::state::<AsFold, F>(&self.world, fold, None))
    }

    /// The state of a decider over this history, read through the query that production uses.
    ///
    /// # Panics
    ///
    /// As [`fold`](Given::fold).
    #[track_caller]
    #[must_use]
    pub fn decider<D: Decider>(&self, decider: D) -> D::State {
        demand(state::state::<AsDecider, D>(&self.world, decider, None))
    }

    /// The state of this fold or decider is `expected`, however often it runs.
    ///
    /// # Panics
    ///
    /// Panics where it is not, and where [`DETERMINISM`](crate::check::DETERMINISM) finds that it hangs on
    /// more than the history.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the expected state is written in place"
    )]
    pub fn then_state<K, R: Reader<K>>(&self, reader: R, expected: R::State) -> Self
    where
        R::State: PartialEq + std::fmt::Debug,
    {
        demand(state::check(&self.world, reader, None, &expected));
        self.clone()
    }

    /// This history as it was at a position (`u64`) or a moment (`DateTime<Utc>`), that position or
    /// moment included.
    ///
    /// # Examples
    ///
    /// ```
    /// # use umari::prelude::*;
    /// # use umari_testing::prelude::*;
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct Counted { #[domain_id] counter_id: u64 }
    /// let history = given(events![Counted { counter_id: 1 }])
    ///     .at("2026-03-01T12:00:00Z".parse().unwrap())
    ///     .and(events![Counted { counter_id: 1 }]);
    /// let eleven: DateTime<Utc> = "2026-03-01T11:00:00Z".parse().unwrap();
    /// history.then_state(EventCounter::<Counted>::new(), 2);
    /// history.as_of(1).then_state(EventCounter::<Counted>::new(), 1);
    /// history.as_of(eleven).then_state(EventCounter::<Counted>::new(), 1);
    /// ```
    #[must_use = "the past proves something only once a state has been read"]
    pub fn as_of(&self, bound: impl Into<AsOf>) -> Past {
        Past::new(self.world.clone(), bound.into())
    }

    /// Asks the log by a function, as an effect does: several folds and deciders in one read, bounded,
    /// or in the past.
    ///
    /// # Examples
    ///
    /// ```
    /// # use umari::prelude::*;
    /// # use umari_testing::prelude::*;
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct Sold { #[domain_id] shop_id: u64 }
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct Returned { #[domain_id] shop_id: u64 }
    /// fn balance(shop_id: u64) -> Result<i64, FoldError> {
    ///     let (sold, returned) = FoldQuery::new()
    ///         .fold(EventCounter::<Sold>::new().with("shop_id", shop_id))
    ///         .fold(EventCounter::<Returned>::new().with("shop_id", shop_id))
    ///         .max_events(3)
    ///         .run()?;
    ///     Ok(sold as i64 - returned as i64)
    /// }
    ///
    /// let sold = || Sold { shop_id: 42 };
    /// let shop = given(events![sold(), sold(), Returned { shop_id: 42 }]);
    /// shop.query(|| balance(42))
    ///     .then_state(1)
    ///     .then_read(events![sold(), sold(), Returned { shop_id: 42 }]);
    /// shop.and(events![sold()]).query(|| balance(42)).then_failed("limit of 3 events");
    /// ```
    #[must_use = "a query proves something only once a `then` step has been called"]
    pub fn query<T, E>(&self, query: impl Fn() -> Result<T, E> + 'static) -> QueryOutcome<T>
    where
        E: Into<anyhow::Error>,
    {
        QueryOutcome::ask(self.world.clone(), query)
    }

    /// Lets a decider decide that is built from the input's domain ids, as
    /// [`Command::decide`](umari::command::Command::decide) does.
    ///
    /// # Examples
    ///
    /// ```
    /// use umari::prelude::*;
    /// use umari_testing::prelude::*;
    ///
    /// #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// struct SeatReserved {
    ///     #[domain_id]
    ///     show_id: u64,
    /// }
    ///
    /// #[derive(DomainIds, Serialize, Deserialize)]
    /// struct Reserve {
    ///     #[domain_id]
    ///     show_id: u64,
    /// }
    ///
    /// #[derive(DomainIds, FromDomainIds)]
    /// struct Seats {
    ///     #[domain_id]
    ///     show_id: u64,
    /// }
    ///
    /// impl Decider for Seats {
    ///     type Events = SingleEvent<SeatReserved>;
    ///     type State = u32;
    ///     type Input = Reserve;
    ///
    ///     fn initial(&self) -> u32 {
    ///         2
    ///     }
    ///
    ///     fn evolve(&self, free: u32, _: StoredEvent<SeatReserved>) -> u32 {
    ///         free - 1
    ///     }
    ///
    ///     fn decide(&self, input: Reserve, free: u32) -> anyhow::Result<Emit> {
    ///         anyhow::ensure!(free > 0, "sold out");
    ///         Ok(emit![SeatReserved { show_id: input.show_id }])
    ///     }
    /// }
    ///
    /// given(events![SeatReserved { show_id: 7 }])
    ///     .then_state(Seats { show_id: 7 }, 1)
    ///     .when_decided::<Seats>(Reserve { show_id: 7 })
    ///     .then(events![SeatReserved { show_id: 7 }])
    ///     .then_state(Seats { show_id: 7 }, 0)
    ///     .when_decided::<Seats>(Reserve { show_id: 7 })
    ///     .then_rejected("sold out");
    /// ```
    ///
    /// # Panics
    ///
    /// As [`when`](Given::when).
    #[track_caller]
    #[must_use = "a call proves something only once a `then` step has been called"]
    pub fn when_decided<D>(&self, input: D::Input) -> Outcome
    where
        D: Decider + FromDomainIds<Args = ()>,
        D::Input: CommandInput + DomainIds,
    {
        let call = Call::decider::<D>(input);
        demand(Outcome::when(&self.world, call, |context| context))
    }

    /// Runs a projector over this history.
    ///
    /// # Panics
    ///
    /// Panics where [`PROJECTOR_LAWS`](crate::check::PROJECTOR_LAWS) or
    /// [`EVENT_ORDER`](crate::check::EVENT_ORDER) finds a fault.
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
        self.when_events(Events::new().with(event))
    }

    /// More events, which an effect is about to be handed; with metadata, if the list has some.
    ///
    /// # Panics
    ///
    /// As [`given`].
    #[track_caller]
    pub fn when_events(&self, events: Events) -> EffectGiven {
        let mut world = self.world.clone();
        let before = world.log.head();
        demand(world.append("event", &events));
        EffectGiven::new(world, before)
    }

    /// An effect is about to be handed every event of this history, as when it is deployed.
    pub fn when_caught_up(&self) -> EffectGiven {
        EffectGiven::new(self.world.clone(), 0)
    }

    /// Every event of the log so far with its envelope, in order of position.
    pub fn history(&self) -> Vec<RawEvent> {
        self.world.log.events().cloned().collect()
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
