//! Event-sourced business logic as plain functions over events.
//!
//! A module is a command, a projector or an effect: a small crate that is compiled to a WASM
//! component and run by a host. The same code runs natively in tests, on the same seam ([`host`]), so
//! what is proven in milliseconds is what runs.
//!
//! # In five minutes
//!
//! **An event** is a fact, and its domain ids are how it is found again. Each becomes a tag, such as
//! `shop_id:42`.
//!
//! ```
//! use umari::prelude::*;
//!
//! #[derive(Event, DomainIds, Serialize, Deserialize)]
//! #[event_type("plan.created")]
//! pub struct PlanCreated {
//!     #[domain_id]
//!     pub shop_id: u64,
//!     #[domain_id]
//!     pub plan_id: u64,
//!     pub title: String,
//! }
//! ```
//!
//! **A command** reads what its decision depends on, decides, and says what happened. What it reads
//! is its consistency boundary: where anybody writes an event into it before the command does, the
//! command writes nothing and is run again. There are no streams and no aggregates to fit a rule
//! into. Here the boundary is every plan of one shop, and the rule that titles are unique in it.
//!
//! ```
//! # use umari::prelude::*;
//! # #[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
//! # #[event_type("plan.created")]
//! # pub struct PlanCreated {
//! #     #[domain_id]
//! #     pub shop_id: u64,
//! #     #[domain_id]
//! #     pub plan_id: u64,
//! #     pub title: String,
//! # }
//! /// Which titles a shop has given its plans.
//! #[derive(DomainIds)]
//! struct Titles {
//!     #[domain_id]
//!     shop_id: u64,
//! }
//!
//! impl Fold for Titles {
//!     type Events = SingleEvent<PlanCreated>;
//!     type State = Vec<String>;
//!
//!     fn apply(&self, titles: &mut Vec<String>, event: StoredEvent<PlanCreated>) {
//!         titles.push(event.data.title);
//!     }
//! }
//!
//! #[derive(DomainIds, Serialize, Deserialize)]
//! pub struct Input {
//!     #[domain_id]
//!     pub shop_id: u64,
//!     #[domain_id]
//!     pub plan_id: u64,
//!     pub title: String,
//! }
//!
//! #[export_command(name = "create-plan")]
//! pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
//!     Command::new(input, context)
//!         .fold_with(|input| Titles { shop_id: input.shop_id })
//!         .execute(|input, titles| {
//!             anyhow::ensure!(
//!                 !titles.contains(&input.title),
//!                 Rejection::new("title-taken", "another plan has this title")
//!             );
//!             Ok(emit![PlanCreated {
//!                 shop_id: input.shop_id,
//!                 plan_id: input.plan_id,
//!                 title: input.title,
//!             }])
//!         })
//! }
//!
//! // And the proof. `umari-testing` stands in for the host: a log in memory, with the real rules.
//! use umari_testing::prelude::*;
//!
//! let gold = |plan_id| PlanCreated { shop_id: 42, plan_id, title: "Gold".to_owned() };
//! let input = |shop_id| Input { shop_id, plan_id: 2, title: "Gold".to_owned() };
//!
//! given(events![gold(1)])
//!     .when(execute, input(42))
//!     .then_rejected("another plan has this title");
//! given(events![gold(1)])
//!     .when(execute, input(43))
//!     .then(events![PlanCreated { shop_id: 43, ..gold(2) }]);
//! ```
//!
//! **A projector** turns events into rows of its own SQLite file, which any program can read.
//!
//! ```standalone_crate
//! # use umari::prelude::*;
//! # #[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
//! # #[event_type("plan.created")]
//! # pub struct PlanCreated {
//! #     #[domain_id]
//! #     pub shop_id: u64,
//! #     #[domain_id]
//! #     pub plan_id: u64,
//! #     pub title: String,
//! # }
//! struct Plans {}
//!
//! impl Projector for Plans {
//!     type Query = SingleEvent<PlanCreated>;
//!
//!     fn init() -> anyhow::Result<Self> {
//!         execute_batch("CREATE TABLE IF NOT EXISTS plans (plan_id INTEGER PRIMARY KEY, title TEXT)")?;
//!         Ok(Plans {})
//!     }
//!
//!     fn handle(&mut self, event: StoredEvent<PlanCreated>) -> anyhow::Result<()> {
//!         let plan = event.data;
//!         execute("INSERT INTO plans VALUES (?1, ?2)", params![plan.plan_id, plan.title])?;
//!         Ok(())
//!     }
//! }
//!
//! export_projector!(Plans);
//!
//! # fn main() {
//! use umari_testing::prelude::*;
//!
//! given(events![PlanCreated { shop_id: 42, plan_id: 1, title: "Gold".to_owned() }])
//!     .project::<Plans>()
//!     .then_rows("SELECT plan_id, title FROM plans", rows![(1, "Gold")]);
//! # }
//! ```
//!
//! **An effect** reacts with what only the outside can do, and records that it did, so that an event
//! which is delivered twice is acted on once: see [`effect`].
//!
//! # Where to look
//!
//! | for | see |
//! |---|---|
//! | what happened, how it is stored, and how its shape may change | [`event`] |
//! | how events are found, one domain id or many | [`domain_id`] |
//! | state from events | [`fold`], [`decider`] |
//! | state from the last few of very many events | [`snapshot`] |
//! | deciding and writing | [`command`] |
//! | asking the log without deciding, now or as of then | [`fold_query`] |
//! | rows | [`projector`], [`sqlite`] |
//! | acting on the outside | [`effect`], [`http`], [`env`](mod@env) |
//! | encrypted events, and making them unreadable | [`crypto`] |
//! | what time it is, in production and in tests | [`clock`] |
//! | what a module may ask of its host, and how tests stand in for it | [`host`] |
//! | everything that module code needs, in one import | [`prelude`] |
//!
//! # Features
//!
//! | feature | what it adds |
//! |---|---|
//! | `http` (default) | [`http::Client`](mod@http) for effects |
//! | `validator` (default) | errors of `input.validate()?` become violations with the field's path |
//! | `schemars` | a command whose input has `JsonSchema` tells its schema |
//! | `decimal` | `rust_decimal::Decimal` in the prelude and in SQLite |
//!
//! # Small modules
//!
//! `umari build` optimises a module as a whole and for size. Two choices are yours: write
//! `anyhow = { version = "1", default-features = false }`, as its backtraces, which a component never shows,
//! are 40 KB of code (cargo gives one build one set of features, so a single dependency that wants `std` of
//! it has every module carry them); and leave `schemars` out of commands whose schema nobody asks for, which
//! saves as much again.

#![cfg_attr(docsrs, feature(doc_cfg))]

// The derives write `::umari`, and this crate's own tests use them too.
extern crate self as umari;

mod boundary;
pub mod clock;
pub mod command;
pub mod crypto;
mod debug;
pub mod decider;
pub mod domain_id;
pub mod effect;
pub mod env;
pub mod event;
mod export;
pub mod fold;
pub mod fold_query;
pub mod host;
#[cfg(feature = "http")]
pub mod http;
pub mod limits;
pub mod prelude;
pub mod projector;
pub mod snapshot;
pub mod sqlite;

#[doc(hidden)]
pub mod __private;
