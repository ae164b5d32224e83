//! What holds whatever happens: invariants under random commands.
//!
//! A given/when/then test says what one call does in one situation. An invariant says what no
//! calls in any order may bring about, and is put to the test by stories that nobody has thought of:
//!
//! ```
//! use umari::prelude::*;
//! use umari_testing::prelude::*;
//! use umari_testing::proptest::prelude::*;
//!
//! #[derive(Event, DomainIds, Serialize, Deserialize)]
//! #[event_type("seat.reserved")]
//! struct SeatReserved {
//!     #[domain_id]
//!     show_id: u64,
//!     seat: u32,
//! }
//!
//! #[derive(Debug, DomainIds, Serialize, Deserialize)]
//! struct Reserve {
//!     #[domain_id]
//!     show_id: u64,
//!     seat: u32,
//! }
//!
//! fn reserve(input: Reserve, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
//!     Command::new(input, context)
//!         .fold::<EventFold<SeatReserved>>()
//!         .execute(|input, reserved| {
//!             let mut seats = reserved.events.iter().map(|event| event.data.seat);
//!             anyhow::ensure!(!seats.any(|seat| seat == input.seat), "the seat is taken");
//!             anyhow::ensure!(reserved.events.len() < 2, "the show is sold out");
//!             Ok(emit![SeatReserved { show_id: input.show_id, seat: input.seat }])
//!         })
//! }
//!
//! # /*
//! #[test]
//! # */
//! fn no_show_is_sold_twice() {
//!     invariant()
//!         .command(reserve, (1..3_u64, 0..4_u32).prop_map(|(show_id, seat)| Reserve { show_id, seat }))
//!         .always(EventCounter::<SeatReserved>::new().with("show_id", 1), |sold| *sold <= 2)
//!         .check();
//! }
//! # no_show_is_sold_twice();
//! ```
//!
//! This is behind the cargo feature `proptest` of `umari-testing`; `umari_testing::proptest` is the crate
//! [`proptest`], whose strategies make the inputs.
//!
//! # What is run
//!
//! Each of 512 stories is a sequence of up to 12 calls of the given commands, on the history of the
//! scenario, with the engine, the queries and the append conditions of every other test. The
//! invariants are judged before the first call and after every one that wrote an event. A finding is
//!
//! - an invariant that does not hold;
//! - a command that panics, or fails with an error that is neither a rejection nor invalid input;
//! - what the [checks](crate::check) of commands find. Since they call a command four times, they
//!   run on the first call of each command in a story that succeeds; what the scenario is
//!   [`without`](crate::Given::without) they leave out.
//!
//! Rejections are part of every story. But a command that wrote no event in any of the stories, and an
//! invariant whose fold never read one, fail the test: it would have proven nothing of them.
//!
//! # Calls at the same moment
//!
//! About every other call is made at the same moment as the next, or twice at once. Both read the
//! same history, the first commits, and the second commits if its append condition allows; where it
//! conflicts it is called again, as the host does. That finds boundaries which are too narrow: a
//! decision that rests on what no fold of the `Command` reads (a `FoldQuery` beside it, for one)
//! keeps every invariant as long as calls come one after the other.
//!
//! # What a failure says
//!
//! The story is shrunk: to fewer calls, one after the other where that is enough, with simpler
//! inputs. The failure shows it in words, the state that broke the invariant, and the calls as steps
//! of a given/when/then test of their own.
//!
//! # The same on every machine
//!
//! Stories are made from a seed that is 0 unless [`seed`](Invariant::seed) or `PROPTEST_RNG_SEED` says
//! otherwise, so a test that passes goes on passing until the code changes, and nothing is written to
//! the source tree. To look further, now and then, run with another seed or with more stories:
//! `PROPTEST_RNG_SEED=$RANDOM PROPTEST_CASES=10000 cargo test`. A failure says its seed.

use std::fmt;

use proptest::strategy::{BoxedStrategy, Strategy};
use proptest::test_runner::{Config, RngSeed};
use umari::command::{CommandContext, ExecuteOutput};
use umari::decider::Decider;
use umari::fold::Fold;

mod findings;
mod rules;
mod search;
mod story;
mod tally;

pub use self::rules::Judgement;

use self::rules::{Always, AlwaysDecider, Holds, Rule};
use crate::command::{Call, CommandInput, function_name};
use crate::given::{Given, given_nothing};
use crate::report::demand;
use crate::world::World;

/// Stories, where nobody says otherwise. Two calls that must meet in the right place of a story do so
/// in about one of fifty; these take a third of a second in an unoptimised build.
const STORIES: u32 = 512;
/// Calls in the longest story, where nobody says otherwise.
const CALLS: usize = 12;

/// An invariant of histories that begin with an empty log; see [`invariant`](self).
pub fn invariant() -> Invariant {
    given_nothing().invariant()
}

impl Given {
    /// What holds whatever commands do to this history; see [`invariant`](self).
    ///
    /// # Examples
    ///
    /// ```
    /// use umari::prelude::*;
    /// use umari_testing::prelude::*;
    /// use umari_testing::proptest::prelude::*;
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct TicketAdded { #[domain_id] show_id: u64 }
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct TicketSold { #[domain_id] show_id: u64, #[domain_id] order_id: u64 }
    /// # #[derive(Debug, DomainIds, Serialize, Deserialize)]
    /// # struct Sell { #[domain_id] show_id: u64, order_id: u64 }
    /// # type Added = EventCounter<TicketAdded>;
    /// # type Sold = EventCounter<TicketSold>;
    /// # fn sell(input: Sell, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    /// #     Command::new(input, context).fold::<Added>().fold::<Sold>().execute(|input, (added, sold)| {
    /// #         anyhow::ensure!(sold < added, "sold out");
    /// #         Ok(emit![TicketSold { show_id: input.show_id, order_id: input.order_id }])
    /// #     })
    /// # }
    ///
    /// given(events![TicketAdded { show_id: 1 }, TicketAdded { show_id: 1 }])
    ///     .invariant()
    ///     .command(sell, (0..4_u64).prop_map(|order_id| Sell { show_id: 1, order_id }))
    ///     .holds("no ticket is sold that there is not", |now| {
    ///         let (added, sold) = (now.fold(Added::new()), now.fold(Sold::new()));
    ///         if sold <= added { Ok(()) } else { Err(format!("{sold} sold of {added}")) }
    ///     })
    ///     .check();
    /// ```
    pub fn invariant(&self) -> Invariant {
        Invariant {
            world: self.world.clone(),
            commands: Vec::new(),
            rules: Vec::new(),
            stories: None,
            calls: CALLS,
            seed: None,
            races: true,
        }
    }
}

/// Commands, and what has to hold whatever they do. See [`invariant`](self).
#[must_use = "an invariant is put to the test by `check`"]
pub struct Invariant {
    world: World,
    commands: Vec<Candidate>,
    rules: Vec<Box<dyn Rule>>,
    stories: Option<u32>,
    calls: usize,
    seed: Option<u64>,
    races: bool,
}

/// A command that stories may call.
struct Candidate {
    name: String,
    calls: BoxedStrategy<Call>,
}

impl fmt::Debug for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.commands.iter().map(|command| &command.name).collect();
        f.debug_struct("Invariant")
            .field("commands", &names)
            .field("rules", &self.rules.len())
            .finish_non_exhaustive()
    }
}

impl Invariant {
    /// Stories may call this command, with inputs from a strategy. Inputs travel as JSON, as in
    /// [`when`](Given::when), and need `Debug`, since what a strategy yields does; those without it go by
    /// [`command_with`](Invariant::command_with).
    ///
    /// Few values for domain ids (`1..4_u64`) make calls meet. Many keep them apart.
    pub fn command<F, I, E, S>(self, command: F, inputs: S) -> Self
    where
        F: Fn(I, CommandContext) -> Result<ExecuteOutput, E> + Clone + 'static,
        I: CommandInput + fmt::Debug,
        E: Into<anyhow::Error> + 'static,
        S: Strategy<Value = I> + 'static,
    {
        self.command_with(command, inputs, |input| input)
    }

    /// The same for inputs without `Debug`: `build` makes them of whatever the strategy yields.
    ///
    /// ```
    /// # use umari::prelude::*;
    /// # use umari_testing::prelude::*;
    /// # #[derive(Event, DomainIds, Serialize, Deserialize)]
    /// # struct ShopConnected { #[domain_id] shop_id: u64 }
    /// #[derive(DomainIds, Serialize, Deserialize)]
    /// struct Connect {
    ///     #[domain_id]
    ///     shop_id: u64,
    /// }
    /// # fn connect(input: Connect, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    /// #     Command::new(input, context).fold::<EventCounter<ShopConnected>>().execute(|input, connected| {
    /// #         anyhow::ensure!(connected == 0, "connected already");
    /// #         Ok(emit![ShopConnected { shop_id: input.shop_id }])
    /// #     })
    /// # }
    ///
    /// invariant()
    ///     .command_with(connect, 1..4_u64, |shop_id| Connect { shop_id })
    ///     .always(EventCounter::<ShopConnected>::new().with("shop_id", 1), |shops| *shops <= 1)
    ///     .check();
    /// ```
    pub fn command_with<F, I, E, S>(
        mut self,
        command: F,
        values: S,
        build: impl Fn(S::Value) -> I + 'static,
    ) -> Self
    where
        F: Fn(I, CommandContext) -> Result<ExecuteOutput, E> + Clone + 'static,
        I: CommandInput,
        E: Into<anyhow::Error> + 'static,
        S: Strategy + 'static,
    {
        self.commands.push(Candidate {
            name: function_name::<F>(),
            calls: values
                .prop_map(move |value| Call::new(command.clone(), build(value)))
                .boxed(),
        });
        self
    }

    /// The state of this fold is always such that `judge` is content: it returns `true`, or `Ok(())`.
    /// The message of an `Err` is shown.
    pub fn always<F, J>(mut self, fold: F, judge: impl Fn(&F::State) -> J + 'static) -> Self
    where
        F: Fold,
        F::State: fmt::Debug,
        J: Judgement,
    {
        self.rules.push(Box::new(Always::new(fold, judge)));
        self
    }

    /// The same for the state of a decider.
    pub fn always_decider<D, J>(
        mut self,
        decider: D,
        judge: impl Fn(&D::State) -> J + 'static,
    ) -> Self
    where
        D: Decider,
        D::State: fmt::Debug,
        J: Judgement,
    {
        self.rules
            .push(Box::new(AlwaysDecider::new(decider, judge)));
        self
    }

    /// Whatever `judge` asks of the history, with as many folds as it likes, always holds. `what` says in
    /// words what that is.
    pub fn holds<J: Judgement>(
        mut self,
        what: &str,
        judge: impl Fn(&Given) -> J + 'static,
    ) -> Self {
        self.rules.push(Box::new(Holds::new(what, judge)));
        self
    }

    /// Tells so many stories. Without it they are as many as `PROPTEST_CASES` says, or 512.
    pub fn stories(mut self, stories: u32) -> Self {
        self.stories = Some(stories);
        self
    }

    /// A story has at most so many calls; without it, 12.
    pub fn calls(mut self, calls: usize) -> Self {
        self.calls = calls;
        self
    }

    /// Makes the stories from this seed. Without it they come from `PROPTEST_RNG_SEED`, or from 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// No two calls are made at the same moment: for commands that one caller alone may call, one
    /// after the other, as those of an effect are.
    pub fn one_after_the_other(mut self) -> Self {
        self.races = false;
        self
    }

    /// Tells the stories.
    ///
    /// # Panics
    ///
    /// Panics with the shortest story that could be found for a [finding](self#what-is-run).
    #[track_caller]
    pub fn check(self) {
        demand(search::run(&self));
    }

    /// How many stories are told, from which seed.
    fn extent(&self) -> (u32, u64) {
        let wanted = Config::default();
        let stories = match std::env::var_os("PROPTEST_CASES") {
            Some(_) => wanted.cases,
            None => STORIES,
        };
        let seed = match wanted.rng_seed {
            RngSeed::Fixed(seed) => seed,
            RngSeed::Random => 0,
        };
        (self.stories.unwrap_or(stories), self.seed.unwrap_or(seed))
    }
}
