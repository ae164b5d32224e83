//! Given/when/then tests for umari modules, run natively in milliseconds.
//!
//! One engine serves every kind of test: an event log in memory with the store's own rules for
//! queries, append conditions and idempotency, SQLite in memory behind the host's guards, a
//! scripted HTTP target, a clock that stands still and ids that count. The code under test runs
//! on it through the SDK's real code. Nothing is folded directly: a fold that asks for the wrong
//! domain id sees here what it would see in production, which is nothing.
//!
//! # A first test
//!
//! Besides a C compiler, which SQLite is built with, it takes
//!
//! ```text
//! cargo new --lib shop && cd shop
//! cargo add umari anyhow serde
//! cargo add --dev umari-testing
//! ```
//!
//! (the derives and `anyhow::Result` want `serde` and `anyhow` by name), this `src/lib.rs`, and `cargo test`.
//!
//! ```
//! use umari::prelude::*;
//!
//! #[derive(Event, DomainIds, Serialize, Deserialize)]
//! #[event_type("shop.connected")]
//! pub struct ShopConnected {
//!     #[domain_id]
//!     pub shop_id: u64,
//! }
//!
//! #[derive(DomainIds, Serialize, Deserialize)]
//! pub struct Input {
//!     #[domain_id]
//!     pub shop_id: u64,
//! }
//!
//! pub fn connect_shop(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
//!     Command::new(input, context).fold::<EventCounter<ShopConnected>>().execute(|input, connected| {
//!         anyhow::ensure!(connected == 0, "shop is already connected");
//!         Ok(emit![ShopConnected { shop_id: input.shop_id }])
//!     })
//! }
//!
//! # /*
//! #[cfg(test)]
//! # */
//! mod tests {
//!     use super::*;
//!     use umari_testing::prelude::*;
//!
//! # /*
//!     #[test]
//! # */ pub
//!     fn a_shop_is_connected_once() {
//!         given_nothing()
//!             .when(connect_shop, Input { shop_id: 42 })
//!             .then(events![ShopConnected { shop_id: 42 }])
//!             .when(connect_shop, Input { shop_id: 42 })
//!             .then_rejected("already connected");
//!     }
//! }
//! # fn main() { tests::a_shop_is_connected_once() }
//! ```
//!
//! # In one screen
//!
//! ```
//! use umari::prelude::*;
//! use umari_testing::prelude::*;
//! # #[derive(Event, DomainIds, Serialize, Deserialize)]
//! # #[event_type("shop.connected")]
//! # struct ShopConnected { #[domain_id] shop_id: u64 }
//! # #[derive(Event, DomainIds, Serialize, Deserialize)]
//! # #[event_type("plan.created")]
//! # struct PlanCreated { #[domain_id] plan_id: u64, #[domain_id] shop_id: u64 }
//! # #[derive(Event, DomainIds, Serialize, Deserialize)]
//! # #[event_type("shop.greeted")]
//! # struct ShopGreeted { #[domain_id] shop_id: u64 }
//! # mod create_plan {
//! #     use super::*;
//! #     #[derive(DomainIds, Serialize, Deserialize)]
//! #     pub struct Input { #[domain_id] pub plan_id: u64, #[domain_id] pub shop_id: u64 }
//! #     pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
//! #         Command::new(input, context)
//! #             .fold_with(|input| EventCounter::<ShopConnected>::new().with("shop_id", input.shop_id))
//! #             .fold_with(|input| EventCounter::<PlanCreated>::new().with("plan_id", input.plan_id))
//! #             .execute(|input, (shops, plans)| {
//! #                 anyhow::ensure!(shops > 0, "shop does not exist");
//! #                 anyhow::ensure!(plans == 0, "plan already exists");
//! #                 Ok(emit![PlanCreated { plan_id: input.plan_id, shop_id: input.shop_id }])
//! #             })
//! #     }
//! # }
//! # struct Plans;
//! # impl Projector for Plans {
//! #     type Query = SingleEvent<PlanCreated>;
//! #     fn init() -> anyhow::Result<Self> {
//! #         execute_batch("CREATE TABLE IF NOT EXISTS plans (plan_id TEXT PRIMARY KEY)")?;
//! #         Ok(Self)
//! #     }
//! #     fn handle(&mut self, event: StoredEvent<PlanCreated>) -> anyhow::Result<()> {
//! #         execute("INSERT INTO plans VALUES (?1)", params![event.data.plan_id.to_string()])?;
//! #         Ok(())
//! #     }
//! # }
//! # struct Greet;
//! # impl Effect for Greet {
//! #     type Query = SingleEvent<ShopConnected>;
//! #     fn init() -> anyhow::Result<Self> { Ok(Self) }
//! #     fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
//! #         let shop_id = event.data.shop_id;
//! #         let greeted = EventCounter::<ShopGreeted>::new().with("shop_id", shop_id);
//! #         if FoldQuery::new().fold(greeted).run()? > 0 { return Ok(()); }
//! #         let answer = Client::new()
//! #             .post("https://greet.test/")
//! #             .header("Idempotency-Key", event.id.to_string())
//! #             .json(&json!({ "shop": shop_id }))
//! #             .send()?;
//! #         anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
//! #         #[derive(DomainIds)]
//! #         struct Record { #[domain_id] shop_id: u64 }
//! #         Command::new(Record { shop_id }, CommandContext::new())
//! #             .fold::<EventCounter<ShopGreeted>>()
//! #             .execute(|input, greeted| Ok(match greeted {
//! #                 0 => emit![ShopGreeted { shop_id: input.shop_id }],
//! #                 _ => emit![],
//! #             }))?;
//! #         Ok(())
//! #     }
//! # }
//! # fn main() {
//!
//! // A history, which steps borrow: it can serve many cases.
//! let shop = given(events![ShopConnected { shop_id: 42 }]);
//!
//! // A command, and a story that goes on.
//! shop.when(create_plan::execute, create_plan::Input { plan_id: 1, shop_id: 42 })
//!     .then(events![PlanCreated { plan_id: 1, shop_id: 42 }])
//!     .when(create_plan::execute, create_plan::Input { plan_id: 1, shop_id: 42 })
//!     .then_rejected("plan already exists");
//!
//! // Wrong input, as it comes over the wire.
//! shop.when_json(create_plan::execute, r#"{ "shop_id": 42 }"#).then_invalid("plan_id");
//!
//! // A fold, through the query that production uses.
//! let plans = || EventCounter::<PlanCreated>::new();
//! shop.and(events![PlanCreated { plan_id: 1, shop_id: 42 }]).then_state(plans(), 1);
//!
//! // A projector, on real SQLite.
//! shop.and(events![PlanCreated { plan_id: 1, shop_id: 42 }])
//!     .project::<Plans>()
//!     .then_rows("SELECT plan_id FROM plans", rows![["1"]]);
//!
//! // An effect, with a scripted HTTP target.
//! given_nothing()
//!     .with_http(|http| http.post("https://greet.test/").reply(200))
//!     .when_event(ShopConnected { shop_id: 42 })
//!     .run::<Greet>()
//!     .then_requests([Request::post("https://greet.test/").json(json!({ "shop": 42 }))])
//!     .then(events![ShopGreeted { shop_id: 42 }])
//!     .redelivered()
//!     .then_no_requests();
//! # }
//! ```
//!
//! [`steps`] has every step there is, in examples. [`cookbook`] answers twenty questions, such as how to test
//! a deadline, each with a test.
//!
//! # What is checked without being asked
//!
//! See [`check`]: races of a command with itself, idempotency, determinism, the machine's clock, the
//! laws of projectors, orders that nobody promised, crashes and refusals that effects meet, and what
//! JSON and upcasts do to events. What shredding does is checked where a scenario asks for it.
//!
//! # Events that stay readable
//!
//! One test, `event_lock!().event(sample).fold(fold).check()`, keeps every event type and version that
//! stores may hold in `umari-events.lock`, replays each payload through the code of today, and says
//! what to write where a change would make one unreadable: see [`EventLock`].
//!
//! # What holds whatever happens
//!
//! With the feature `proptest`, `invariant().command(f, inputs).always(fold, |state| ..).check()` calls
//! commands in random order, also two at the same moment, and shrinks what breaks an invariant to a
//! short story; `histories()` makes random histories for `proptest!`. See the module `invariant`.
//!
//! # On the real component
//!
//! With the feature `component` each `when`, `project` and `run` happens a second time: on the built
//! WASM component, in the host that production runs, with the same history, clock, variables and
//! HTTP target. A difference fails the test and is shown; see [`check::COMPONENT`]. So does a component
//! that is missing or older than its sources.
//!
//! ```text
//! umari test                        # builds what is out of date, then runs the tests so
//! ```
//!
//! By hand it is `umari build && cargo test --features umari-testing/component`, with the command
//! `umari` on the path or named in `UMARI_BIN`. It is another process, so that tests compile as fast
//! as without. A component takes about a millisecond more for each step, once it is compiled.
//!
//! # What these tests do not prove
//!
//! There is one process and no network: no timeouts, no partial failures of the store. There is
//! no WASM without the feature `component`: a module that runs out of memory or time, or that uses
//! what its target lacks, passes.
//! Native code sees the real wall clock and randomness where it asks for them itself, and not through
//! the SDK; checks find both where they change what a command emits, and the clock's hand in a decision
//! is named where a test fails for it.

pub mod check;
mod command;
#[cfg(feature = "component")]
mod component;
pub mod cookbook;
mod effect;
mod engine;
mod event_lock;
mod events;
mod given;
#[cfg(feature = "proptest")]
mod histories;
mod http;
#[cfg(feature = "proptest")]
pub mod invariant;
mod metadata;
mod never;
mod panics;
pub mod prelude;
mod projector;
mod report;
mod rows;
mod shared;
mod state;
pub mod steps;
mod world;

pub use crate::command::{
    CommandFunction, CommandInput, Interleaving, Outcome, Race, Racer, Racers,
};
pub use crate::effect::{EffectGiven, EffectOutcome};
pub use crate::event_lock::{EventLock, Writing};
pub use crate::events::Events;
pub use crate::given::{Given, given, given_nothing};
#[cfg(feature = "proptest")]
pub use crate::histories::{Histories, histories};
pub use crate::http::{Http, Request, Route};
pub use crate::metadata::Metadata;
pub use crate::projector::Projection;
pub use crate::state::{Past, QueryOutcome, Reader};

#[cfg(feature = "proptest")]
pub use proptest;

/// What the macros write into tests.
#[doc(hidden)]
pub mod __private {
    pub use crate::command::RacingCall;
    pub use crate::state::{AsDecider, AsFold};
    pub use umari::sqlite::SqliteValue;
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
