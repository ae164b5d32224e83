//! Twenty questions, each with a test that answers it.
//!
//! | | |
//! |---|---|
//! | Decisions | [1. How do I prove that a name is unique?](#1-how-do-i-prove-that-a-name-is-unique) |
//! | | [2. How do I prove that two callers cannot both win?](#2-how-do-i-prove-that-two-callers-cannot-both-win) |
//! | | [3. How do I test a retry with an idempotency key?](#3-how-do-i-test-a-retry-with-an-idempotency-key) |
//! | | [4. How do I test a deadline without waiting?](#4-how-do-i-test-a-deadline-without-waiting) |
//! | | [5. How do I assert the code and the details of a rejection?](#5-how-do-i-assert-the-code-and-the-details-of-a-rejection) |
//! | | [6. How do I check the validation messages of an input?](#6-how-do-i-check-the-validation-messages-of-an-input) |
//! | | [7. Why did my command read that event, or not read it?](#7-why-did-my-command-read-that-event-or-not-read-it) |
//! | | [8. How do I test private commands and folds?](#8-how-do-i-test-private-commands-and-folds) |
//! | Tests | [9. How do I write a table of cases, or use rstest or cucumber?](#9-how-do-i-write-a-table-of-cases-or-use-rstest-or-cucumber) |
//! | | [10. Can one test call commands of several crates?](#10-can-one-test-call-commands-of-several-crates) |
//! | | [11. How do I switch off a check that does not fit?](#11-how-do-i-switch-off-a-check-that-does-not-fit) |
//! | Read models | [12. How do I know that a projector survives restarts?](#12-how-do-i-know-that-a-projector-survives-restarts) |
//! | | [13. How do I keep and test money in a projector?](#13-how-do-i-keep-and-test-money-in-a-projector) |
//! | | [14. How do I ask what was known at a past moment?](#14-how-do-i-ask-what-was-known-at-a-past-moment) |
//! | Effects | [15. How do I make sure that a service is called once?](#15-how-do-i-make-sure-that-a-service-is-called-once) |
//! | | [16. What happens when the service refuses, or does not answer?](#16-what-happens-when-the-service-refuses-or-does-not-answer) |
//! | Events over the years | [17. How do I rename an event, and read its old versions?](#17-how-do-i-rename-an-event-and-read-its-old-versions) |
//! | | [18. How do I keep stored events readable?](#18-how-do-i-keep-stored-events-readable) |
//! | | [19. What is left when a customer is forgotten?](#19-what-is-left-when-a-customer-is-forgotten) |
//! | | [20. What holds whatever happens?](#20-what-holds-whatever-happens) |
//!
//! The examples share a small shop: `kettle()`, `order(1)` and `paid(1, "49.90")` are events,
//! `add_product`, `place_order` and `pay_order` modules with a command each, `Bestsellers` is a projector
//! and `PrintLabels` an effect. There are two kettles, and `place_order::input(1)` orders one of them. [The
//! shop](#the-shop) is at the end of the page; all else comes from `umari::prelude` and
//! `umari_testing::prelude`. [`steps`](crate::steps) has every step there is.
//!
//! # 1. How do I prove that a name is unique?
//!
//! Add it twice under different ids, one after the other and at the same moment. The race is the proof: a
//! command that looks the name up beside its `Command`, in a `FoldQuery`, say, passes the first test, and
//! two callers at once both get through. This one has a fold that reads by the name alone:
//! `EventCounter::<ProductAdded>::new().with("name", input.name.clone())`.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! given(events![product(7, "kettle", 2)])
//!     .when(add_product::execute, add_product::input(8, "kettle"))
//!     .then_rejected("the name is taken");
//!
//! given_nothing()
//!     .when_racing([
//!         (add_product::execute, add_product::input(7, "kettle")),
//!         (add_product::execute, add_product::input(8, "kettle")),
//!     ])
//!     .then_conflict();
//! ```
//!
//! # 2. How do I prove that two callers cannot both win?
//!
//! Let them race. Every order in which they can read and commit is tried, and conflicts are retried as the
//! host does, so what holds in each holds in production. `then_all_commit` proves the contrary: that calls
//! do not stand in each other's way.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! let one_left = given(events![kettle(), order(1)]);
//! one_left
//!     .when_racing([
//!         (place_order::execute, place_order::input(2)),
//!         (place_order::execute, place_order::input(3)),
//!     ])
//!     .then_winners(1)
//!     .then_in_each(|shop| {
//!         shop.then_state(EventCounter::<OrderPlaced>::new(), 2);
//!     });
//! ```
//!
//! # 3. How do I test a retry with an idempotency key?
//!
//! A caller that got no answer calls again with the same key. The second call writes nothing and returns
//! the position of what the first one wrote. That a second call does so is also [checked](crate::check) of
//! every command, with a key that the check makes up.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! let key = Uuid::from_u128(1);
//! let placed = given(events![kettle()])
//!     .when_with(place_order::execute, place_order::input(1), |context| {
//!         context.with_idempotency_key(key)
//!     })
//!     .then(events![order(1)]);
//!
//! let again = placed.when_again().then_nothing();
//! assert_eq!(again.receipt().position, placed.receipt().position);
//! ```
//!
//! # 4. How do I test a deadline without waiting?
//!
//! Ask the SDK for the time, with `umari::clock::now()`. In production that is the host's clock, in a scenario
//! its own, which also sets the timestamps of events and moves only when it is told to. A command that asks
//! the operating system instead cannot be tested on the other side of a deadline, and is told so.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
//! let pay = || pay_order::Input { order_id: 1 };
//! let placed = given(events![kettle(), order(1)]);
//!
//! placed.after(minutes(15)).when(pay_order::execute, pay()).then(events![paid(1, "49.90")]);
//! placed.after(minutes(16)).when(pay_order::execute, pay()).then_rejected("the order has expired");
//! ```
//!
//! # 5. How do I assert the code and the details of a rejection?
//!
//! A `Rejection` is what a program acts on: over HTTP, its code and details are those of the answer.
//! `when_json` calls the command as the wire does, and a `Rejection` as JSON has every word that the caller
//! is told.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! given(events![kettle(), order(1), order(2)])
//!     .when_json(place_order::execute, json!({ "order_id": 3, "product_id": 7 }))
//!     .then_rejected_with::<Rejection>(|rejection| {
//!         json!(rejection)
//!             == json!({
//!                 "code": "sold-out",
//!                 "message": "all pieces are ordered",
//!                 "details": { "pieces": 2 },
//!             })
//!     });
//! ```
//!
//! # 6. How do I check the validation messages of an input?
//!
//! `then_invalid` names the field, also where it is missing. For the words, classify what `validate`
//! returns: that is the message of the answer, with every field that is wrong.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! given_nothing()
//!     .when_json(add_product::execute, json!({ "product_id": 7, "name": "kettle" }))
//!     .then_invalid("pieces");
//!
//! let wrong = add_product::Input { name: String::new(), pieces: 0, product_id: 7 };
//! let told = ExecuteError::classify(&wrong.validate().unwrap_err().into());
//! assert_eq!(
//!     told.to_string(),
//!     "invalid input: name: must be 1 to 40 characters; pieces: must be at least 1",
//! );
//! ```
//!
//! # 7. Why did my command read that event, or not read it?
//!
//! `then_read` pins the boundary: the events that the decision stands on. One too many, and calls conflict
//! that have nothing to do with each other; one too few, and rivals both win. Where it does not hold, the
//! failure has a row for each event and a column for each fold, and says in every cell why it was read or
//! not.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! let teapot = product(8, "teapot", 1);
//! given(events![kettle(), teapot, order(1)])
//!     .when(place_order::execute, place_order::input(2))
//!     .then_read(events![kettle(), order(1)]);
//! ```
//!
//! # 8. How do I test private commands and folds?
//!
//! As any other, from `#[cfg(test)] mod tests` in the same crate. Where the input has no serde, since no
//! wire carries it, call the command by a closure, which runs several times so that the checks apply.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! fn record(context: CommandContext) -> anyhow::Result<ExecuteOutput> {
//!     record_label(RecordLabel { order_id: 1 }, context)
//! }
//!
//! given_nothing()
//!     .then_state(LabelledFold { order_id: 1 }, false)
//!     .when_called(record)
//!     .then(events![labelled(1)])
//!     .then_state(LabelledFold { order_id: 1 }, true)
//!     .when_called(record)
//!     .then_nothing();
//! ```
//!
//! # 9. How do I write a table of cases, or use rstest or cucumber?
//!
//! Steps borrow the history that they go on from, so one serves every case. A function that returns it is a
//! fixture of rstest. For cucumber, the world holds a `Given` (every outcome can be cloned into one) and
//! each step of the story replaces it.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! let shop = given(events![kettle(), order(1)]);
//! for (order_id, refusal) in [(1, Some("placed already")), (2, None)] {
//!     let outcome = shop.when(place_order::execute, place_order::input(order_id));
//!     match refusal {
//!         Some(text) => outcome.then_rejected(text),
//!         None => outcome.then(events![order(order_id)]),
//!     };
//! }
//!
//! #[derive(Debug)]
//! struct World {
//!     shop: Given,
//! }
//!
//! fn a_customer_orders(world: &mut World, order_id: u64) {
//!     let ordered = world.shop.when(place_order::execute, place_order::input(order_id));
//!     world.shop = Given::clone(&ordered.then(events![order(order_id)]));
//! }
//!
//! fn orders_are(world: &mut World, orders: u64) {
//!     world.shop.then_state(EventCounter::<OrderPlaced>::new(), orders);
//! }
//!
//! let mut world = World { shop: given(events![kettle()]) };
//! a_customer_orders(&mut world, 1);
//! a_customer_orders(&mut world, 2);
//! orders_are(&mut world, 2);
//! ```
//!
//! # 10. Can one test call commands of several crates?
//!
//! Yes: natively nothing is exported, so any number of module crates link into one test. Put it where all
//! of them are dev-dependencies. `given_command` makes history by the code that makes it in production,
//! which keeps the test honest when a command begins to emit something else.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! // `add_product`, `place_order` and `pay_order` could each be a crate of its own.
//! given_nothing()
//!     .given_command(add_product::execute, add_product::input(7, "kettle"))
//!     .at(noon())
//!     .when(place_order::execute, place_order::input(1))
//!     .then(events![order(1)])
//!     .when(pay_order::execute, pay_order::Input { order_id: 1 })
//!     .then(events![paid(1, "49.90")])
//!     .project::<Bestsellers>()
//!     .then_rows("SELECT name, orders FROM products", rows![["kettle", 1]]);
//! ```
//!
//! # 11. How do I switch off a check that does not fit?
//!
//! By its name, for one scenario, with a reason that the next reader will need. Here the command draws a
//! code, and the check for determinism would say so. All [other checks](crate::check) stay on.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! #[derive(Event, DomainIds, Serialize, Deserialize)]
//! struct VoucherIssued {
//!     #[domain_id]
//!     code: Uuid,
//! }
//!
//! #[derive(DomainIds, Serialize, Deserialize)]
//! struct Issue {}
//!
//! fn issue(input: Issue, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
//!     Command::new(input, context).execute(|_, ()| Ok(emit![VoucherIssued { code: Uuid::new_v4() }]))
//! }
//!
//! given_nothing()
//!     .without(check::DETERMINISM, "a code that could be guessed is worth nothing")
//!     .when(issue, Issue {})
//!     .then_count::<VoucherIssued>(1);
//! ```
//!
//! # 12. How do I know that a projector survives restarts?
//!
//! Every `project` also restarts the projector, interrupts it and rebuilds its tables, at each event, and
//! compares the rows. So no test of yours is about restarts. This projector fails its first test, since it
//! counts in a field that a restart sets back to zero: count in the table, by `SET orders = orders + 1`.
//!
//! ```should_panic
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! struct Counts {
//!     orders: i64,
//! }
//!
//! impl Projector for Counts {
//!     type Query = SingleEvent<OrderPlaced>;
//!
//!     fn init() -> anyhow::Result<Self> {
//!         execute_batch("CREATE TABLE IF NOT EXISTS counts (orders INTEGER)")?;
//!         Ok(Self { orders: 0 })
//!     }
//!
//!     fn handle(&mut self, _: StoredEvent<OrderPlaced>) -> anyhow::Result<()> {
//!         self.orders += 1;
//!         execute("INSERT INTO counts VALUES (?1)", params![self.orders])?;
//!         Ok(())
//!     }
//! }
//!
//! given(events![order(1), order(2)]).project::<Counts>(); // Panics, and shows the rows that differ.
//! ```
//!
//! # 13. How do I keep and test money in a projector?
//!
//! As a `Decimal`, which SQLite holds as text; add in Rust, since SQL would add in floating point, where
//! 0.1 + 0.2 is not 0.3. Test with exactly these two. `Decimal` is in the prelude with the feature
//! `decimal` of `umari`.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! struct Revenue;
//!
//! impl Projector for Revenue {
//!     type Query = SingleEvent<OrderPaid>;
//!
//!     fn init() -> anyhow::Result<Self> {
//!         execute_batch(
//!             "CREATE TABLE IF NOT EXISTS revenue (amount TEXT);
//!              INSERT INTO revenue SELECT '0' WHERE NOT EXISTS (SELECT * FROM revenue)",
//!         )?;
//!         Ok(Self)
//!     }
//!
//!     fn handle(&mut self, event: StoredEvent<OrderPaid>) -> anyhow::Result<()> {
//!         let so_far: Decimal = query_one("SELECT amount FROM revenue", params![]).get("amount");
//!         execute("UPDATE revenue SET amount = ?1", params![so_far + event.data.amount])?;
//!         Ok(())
//!     }
//! }
//!
//! given(events![paid(1, "0.10"), paid(2, "0.20")])
//!     .project::<Revenue>()
//!     .then_rows("SELECT amount FROM revenue", rows![["0.30"]]);
//! ```
//!
//! # 14. How do I ask what was known at a past moment?
//!
//! `as_of` reads folds up to a moment or a position, as `FoldQuery::as_of` does in a module. A read model
//! has no past of its own, but every stage of a story can be projected, since a step leaves what it goes on
//! from as it was.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! let monday = given(events![kettle()]).at(noon()).and(events![order(1)]);
//! let tuesday = monday.after(Duration::from_secs(24 * 3600)).and(events![order(2)]);
//!
//! tuesday.as_of(noon()).then_state(EventCounter::<OrderPlaced>::new(), 1);
//!
//! let orders = "SELECT orders FROM products";
//! monday.project::<Bestsellers>().then_rows(orders, rows![[1]]);
//! tuesday.project::<Bestsellers>().then_rows(orders, rows![[2]]);
//! ```
//!
//! # 15. How do I make sure that a service is called once?
//!
//! Nobody can promise that a call is made exactly once: a crash between the call and its record repeats it.
//! What an effect can do is to look for the record first, and to send a key that depends on the event
//! alone, by which the service knows the repetition. Both are tested here; and `run` kills the effect
//! before and after every call, too.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! let printed = given(events![order(1)])
//!     .with_http(|http| http.post(LABELS).reply(201))
//!     .when_event(paid(1, "49.90"))
//!     .run::<PrintLabels>();
//! let payment = &printed.history()[1];
//! printed
//!     .then_requests([Request::post(LABELS)
//!         .header("Idempotency-Key", &payment.id.to_string())
//!         .json(json!({ "order": 1 }))])
//!     .then(events![labelled(1)])
//!     .redelivered()
//!     .then_no_requests()
//!     .then_nothing();
//! ```
//!
//! # 16. What happens when the service refuses, or does not answer?
//!
//! Answers are given in turn, and `fails` is none at all: `timeout`, `connection-refused`, `dns-error`. An
//! effect that returns the error is handed the event again after a while, and records nothing before that.
//! Its partition key says who waits meanwhile: only the events of the same order.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! given(events![order(1)])
//!     .with_http(|http| http.post(LABELS).reply(503).fails("timeout").reply(201))
//!     .when_event(paid(1, "49.90"))
//!     .run::<PrintLabels>()
//!     .then_partition_key("1")
//!     .then_failed("refused: 503")
//!     .then_nothing()
//!     .retried_after_error()
//!     .then_failed("no answer arrived in time")
//!     .then_nothing()
//!     .retried_after_error()
//!     .then(events![labelled(1)]);
//! ```
//!
//! # 17. How do I rename an event, and read its old versions?
//!
//! Stored events stay as they are, so the new code reads them by the old name (`aliases`) and the old shape
//! (`#[upcast]`). `with_stored` gives an event as an earlier release wrote it; what today's code makes of
//! it is the test.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! #[derive(Event, DomainIds, Serialize, Deserialize)]
//! #[event_type("review.written", version = 2, aliases = ["review.added"])]
//! #[upcast(version = 1, from = ReviewAdded)]
//! struct ReviewWritten {
//!     #[domain_id]
//!     product_id: u64,
//!     stars: u32,
//! }
//!
//! /// The first version.
//! #[derive(Deserialize)]
//! struct ReviewAdded {
//!     product_id: u64,
//!     good: bool,
//! }
//!
//! impl From<ReviewAdded> for ReviewWritten {
//!     fn from(old: ReviewAdded) -> Self {
//!         Self { product_id: old.product_id, stars: if old.good { 5 } else { 1 } }
//!     }
//! }
//!
//! let old = json!({ "product_id": 7, "good": true });
//! let review = given(Events::new().with_stored("review.added", 1, ["product_id:7"], &old))
//!     .fold(LatestEvent::<ReviewWritten>::new().with("product_id", 7))
//!     .expect("a review");
//! assert_eq!(review.data.stars, 5);
//! ```
//!
//! # 18. How do I keep stored events readable?
//!
//! By one test in each crate that has events, and the file `umari-events.lock` that it writes and you
//! commit. A change that would make a stored event unreadable fails it, and the failure says what to write.
//! `UMARI_UPDATE=1 cargo test` adds what is new. See [`EventLock`](crate::EventLock).
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! # let folder = std::env::temp_dir().join(format!("umari-cookbook-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder).unwrap();
//! # macro_rules! event_lock { () => { umari_testing::EventLock::in_folder(&folder).writing(umari_testing::Writing::Additions) } }
//! event_lock!()
//!     .event(kettle())
//!     .event(order(1))
//!     .event(paid(1, "49.90"))
//!     .fold(EventCounter::<ProductAdded>::new().with("name", "kettle"))
//!     .fold(EventCounter::<OrderPlaced>::new().with("product_id", 7))
//!     .check();
//! # assert!(folder.join("umari-events.lock").exists());
//! # std::fs::remove_dir_all(folder).unwrap();
//! ```
//!
//! # 19. What is left when a customer is forgotten?
//!
//! `shredded` deletes the data key of a `#[crypto_scope]`: the payloads under it are gone, and folds,
//! projectors and effects pass these events over. So ask not only that the address is gone, but also what
//! the rules make of the gap. Here the customer is a stranger again; where that is wrong, the rule has to
//! stand on an event that is not encrypted.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! let forgotten = given(events![customer(1), customer(2), order(1)]).shredded("customer_id", 1);
//!
//! let registered = EventFold::<CustomerRegistered>::new;
//! assert_eq!(forgotten.fold(registered()).events[0].data.email, "2@mail.example");
//! forgotten.then_state(EventCounter::<CustomerRegistered>::new().with("customer_id", 1), 0);
//! forgotten.then_state(EventCounter::<OrderPlaced>::new(), 1);
//! ```
//!
//! # 20. What holds whatever happens?
//!
//! An invariant, under random commands in random order, some of them at the same moment. What breaks it is
//! shrunk to a short story. It takes the feature `proptest`, whose module `invariant` says more;
//! `histories()` makes random events in place of commands.
//!
//! ```
//! # mod shop { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/cookbook/shop.rs")); } use shop::*;
//! use umari_testing::proptest::prelude::*;
//!
//! given(events![kettle()])
//!     .invariant()
//!     .command(place_order::execute, (1..5_u64).prop_map(place_order::input))
//!     .always(EventCounter::<OrderPlaced>::new(), |orders| *orders <= 2)
//!     .check();
//! ```
//!
//! # The shop
//!
#![doc = "```\n# mod shop {"]
#![doc = include_str!("cookbook/shop.rs")]
#![doc = "# }\n```"]
