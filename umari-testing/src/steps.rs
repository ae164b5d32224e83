//! Every step, each in an example that runs.
//!
//! The examples share a small shop: `connected(42)` and `plan(1)` are events, `connect_shop` and
//! `create_plan` commands, `Plans` is a projector and `Greet` an effect.
//!
//! # Given
//!
//! A history by events, by commands, or by both. A step borrows what it goes on from, so one history
//! serves many cases.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/steps/shop.rs")); }
//! # use shop::*;
//! # use umari::prelude::*;
//! # use umari_testing::prelude::*;
//! let shop = given(events![connected(42)]).and(events![plan(1), plan(2)]);
//! shop.then_state(EventCounter::<PlanCreated>::new(), 2);
//!
//! given_nothing()
//!     .given_command(connect_shop::execute, connect_shop::Input { shop_id: 42 })
//!     .given_command(create_plan::execute, create_plan::input(1))
//!     .then_state(EventCounter::<PlanCreated>::new(), 1);
//! ```
//!
//! The clock stands still until it is moved; configuration is what the scenario says; deleted data keys
//! take their payloads along.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/steps/shop.rs")); }
//! # use shop::*;
//! # use umari::prelude::*;
//! # use umari_testing::prelude::*;
//! let noon: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
//! let shop = given_nothing()
//!     .at(noon)
//!     .and(events![connected(42)])
//!     .after(Duration::from_secs(3600))
//!     .env("GREETING", "hello")
//!     .and(events![connected(43)])
//!     .shredded("shop_id", 42);
//! shop.then_state(EventCounter::<ShopConnected>::new(), 1);
//! assert_eq!(shop.history()[1].timestamp, noon + Duration::from_secs(3600));
//! ```
//!
//! Metadata is said of a list: see [`Events::correlated`](crate::Events::correlated),
//! [`caused_by`](crate::Events::caused_by), [`triggered_by`](crate::Events::triggered_by),
//! [`with_key`](crate::Events::with_key), [`at`](crate::Events::at), [`with_gap`](crate::Events::with_gap), and
//! [`with_stored`](crate::Events::with_stored) for events of earlier releases.
//!
//! A [check](crate::check) that runs without being asked is switched off by its name.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/steps/shop.rs")); }
//! # use shop::*;
//! # use umari::prelude::*;
//! # use umari_testing::prelude::*;
//! // Greets again at every call.
//! fn greet(input: connect_shop::Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
//!     Command::new(input, context).execute(|input, ()| Ok(emit![ShopGreeted { shop_id: input.shop_id }]))
//! }
//!
//! given_nothing()
//!     .without(check::SELF_RACE, "a second greeting does no harm")
//!     .when(greet, connect_shop::Input { shop_id: 42 })
//!     .then_count::<ShopGreeted>(1);
//! ```
//!
//! # When and then: commands
//!
//! A story goes on after `then`.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/steps/shop.rs")); }
//! # use shop::*;
//! # use umari::prelude::*;
//! # use umari_testing::prelude::*;
//! given(events![connected(42)])
//!     .when(create_plan::execute, create_plan::input(1))
//!     .then(events![plan(1)])
//!     .then_contains(plan(1))
//!     .then_event::<PlanCreated>(|plan| plan.months == 24)
//!     .then_count::<PlanCreated>(1)
//!     .then_tags(["plan_id:1", "shop_id:42"])
//!     .then_read(events![connected(42)])
//!     .when(create_plan::execute, create_plan::input(1))
//!     .then_rejected("already exists")
//!     .then_rejected_with::<PlanError>(|error| *error == PlanError::Exists);
//! ```
//!
//! In a context of the test's making; again, as a caller does who got no answer; from JSON, as it comes over
//! the wire; and by a closure, for an input without serde.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/steps/shop.rs")); }
//! # use shop::*;
//! # use umari::prelude::*;
//! # use umari_testing::prelude::*;
//! let (key, chain) = (Uuid::from_u128(1), Uuid::from_u128(2));
//! let created = given(events![connected(42)]).when_with(
//!     create_plan::execute,
//!     create_plan::input(1),
//!     |context| context.with_idempotency_key(key).with_correlation_id(chain),
//! );
//! created.then_metadata(Metadata::new().with_key(key).correlated(chain));
//! assert_eq!(created.receipt().position, Some(2));
//! created.when_again().then_nothing();
//!
//! given(events![connected(42)])
//!     .when_json(create_plan::execute, json!({ "plan_id": 1, "shop_id": 42 }))
//!     .then_invalid("months");
//!
//! given(events![connected(42)])
//!     .when_called(|context| create_plan::execute(create_plan::input(1), context))
//!     .then(events![plan(1)]);
//!
//! // What a command that calls others makes of a conflict.
//! given_nothing()
//!     .when_called(|_| -> Result<ExecuteOutput, _> {
//!         Err(umari::host::TransactionError::Conflict("somebody was faster".to_owned()))
//!     })
//!     .then_conflict();
//! ```
//!
//! # Racing
//!
//! [`when_racing`](crate::Given::when_racing) tries every order in which two to four calls can read and commit.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/steps/shop.rs")); }
//! # use shop::*;
//! # use umari::prelude::*;
//! # use umari_testing::prelude::*;
//! let race = given(events![connected(42)]).when_racing((
//!     (create_plan::execute, create_plan::input(1)),
//!     (create_plan::execute, create_plan::input(1)),
//! ));
//! race.then_conflict()
//!     .then_winners(1)
//!     .then_in_each(|order| {
//!         order.then_state(EventCounter::<PlanCreated>::new(), 1);
//!     });
//! race.interleaving("a reads, a commits, b reads, b commits")
//!     .then_commits('a')
//!     .then_rejects('b', "already exists");
//! race.interleaving("a reads, b reads, b commits, a commits").then_conflicts('a');
//!
//! given(events![connected(42)])
//!     .when_racing([1, 2, 3].map(|plan_id| (create_plan::execute, create_plan::input(plan_id))))
//!     .then_all_commit();
//! ```
//!
//! # Folds, deciders and queries
//!
//! [`fold`](crate::Given::fold) and [`decider`](crate::Given::decider) return a state,
//! [`then_state`](crate::Given::then_state) compares it, [`as_of`](crate::Given::as_of) does both in the past.
//! [`query`](crate::Given::query) runs whatever a function asks of the log;
//! [`when_decided`](crate::Given::when_decided) lets a decider decide.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/steps/shop.rs")); }
//! # use shop::*;
//! # use umari::prelude::*;
//! # use umari_testing::prelude::*;
//! let shop = given(events![connected(42), plan(1), plan(2)]);
//! assert_eq!(shop.fold(EventCounter::<PlanCreated>::new()), 2);
//! shop.then_state(EventCounter::<PlanCreated>::new(), 2);
//! shop.as_of(2).then_state(EventCounter::<PlanCreated>::new(), 1);
//! shop.query(|| {
//!     FoldQuery::new()
//!         .fold(EventCounter::<ShopConnected>::new())
//!         .fold(EventCounter::<PlanCreated>::new())
//!         .run()
//! })
//! .then_state((1, 2))
//! .then_read(events![connected(42), plan(1), plan(2)]);
//! ```
//!
//! # Projectors
//!
//! On SQLite, in memory, with the host's guards.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/steps/shop.rs")); }
//! # use shop::*;
//! # use umari::prelude::*;
//! # use umari_testing::prelude::*;
//! given(events![plan(1), plan(2)])
//!     .project::<Plans>()
//!     .then_rows("SELECT plan_id, months FROM plans ORDER BY plan_id", rows![[1, 24], [2, 24]])
//!     .then_query("SELECT months FROM plans WHERE plan_id = ?1", params![2], rows![[24]])
//!     .then_table("plans", expect![[r#"
//!         plan_id  months
//!         -------  ------
//!         1        24
//!         2        24
//!     "#]]);
//!
//! given(events![plan(1), PlanCreated { months: 1_200, ..plan(2) }])
//!     .project::<Plans>()
//!     .then_fails_at::<PlanCreated>("nobody lives that long")
//!     .then_rows("SELECT plan_id FROM plans", rows![[1]]);
//! ```
//!
//! # Effects
//!
//! Handed one new event, several, or everything from the beginning, with a scripted HTTP target.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/steps/shop.rs")); }
//! # use shop::*;
//! # use umari::prelude::*;
//! # use umari_testing::prelude::*;
//! let target = given_nothing().with_http(|http| http.post(GREET).reply(503).reply(200));
//! let failed = target.when_event(connected(42)).run::<Greet>();
//! failed
//!     .then_failed("refused: 503")
//!     .then_nothing()
//!     .retried_after_error()
//!     .then_requests([Request::post(GREET).json(json!({ "shop": 42 }))])
//!     .then(events![ShopGreeted { shop_id: 42 }])
//!     .then_partition_key("42")
//!     .redelivered()
//!     .then_no_requests()
//!     .then_nothing();
//!
//! let chain = Uuid::from_u128(2);
//! given_nothing()
//!     .with_http(|http| http.post(GREET).reply(200))
//!     .when_events(events![connected(42), connected(43)].correlated(chain))
//!     .run::<Greet>()
//!     .then(events![ShopGreeted { shop_id: 42 }, ShopGreeted { shop_id: 43 }])
//!     .then_metadata(Metadata::new().correlated(chain));
//!
//! given(events![connected(42), plan(1)])
//!     .tolerates_repeats("greetings are harmless")
//!     .with_http(|http| http.post(GREET).reply(200))
//!     .when_caught_up()
//!     .run::<Greet>()
//!     .then_requests([Request::post(GREET)]);
//! ```
//!
//! What an effect has made forgotten.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/steps/shop.rs")); }
//! # use shop::*;
//! # use umari::prelude::*;
//! # use umari_testing::prelude::*;
//! given(events![connected(42), connected(43)])
//!     .when_event(ErasureRequested { shop_id: 42 })
//!     .run::<Erase>()
//!     .then_shredded("shop_id", 42)
//!     .then_state(EventCounter::<ShopConnected>::new(), 1);
//! ```
