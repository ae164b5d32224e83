//! Queries and deciders, now and in the past.

use std::cell::Cell;

use umari::prelude::*;
use umari_testing::prelude::*;

use super::shop::*;
use super::support::fails;

/// A box office: how many seats of a show are free.
#[derive(DomainIds, FromDomainIds)]
struct Seats {
    #[domain_id]
    show_id: u64,
}

#[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
#[event_type("seats.reserved")]
struct SeatsReserved {
    #[domain_id]
    show_id: u64,
    seats: u32,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Reserve {
    #[domain_id]
    show_id: u64,
    seats: u32,
}

impl Decider for Seats {
    type Events = SingleEvent<SeatsReserved>;
    type State = u32;
    type Input = Reserve;

    const MAX_EVENTS: u64 = 3;

    fn initial(&self) -> u32 {
        10
    }

    fn evolve(&self, free: u32, event: StoredEvent<SeatsReserved>) -> u32 {
        free - event.data.seats
    }

    fn decide(&self, input: Reserve, free: u32) -> anyhow::Result<Emit> {
        anyhow::ensure!(input.seats <= free, "only {free} seats are free");
        Ok(emit![SeatsReserved {
            show_id: self.show_id,
            seats: input.seats,
        }])
    }
}

fn reserved(show_id: u64, seats: u32) -> SeatsReserved {
    SeatsReserved { show_id, seats }
}

fn reserve(seats: u32) -> Reserve {
    Reserve { show_id: 7, seats }
}

#[test]
fn a_decider_is_read_and_decides() {
    let show = given(events![reserved(7, 6), reserved(8, 10)]);
    assert_eq!(show.decider(Seats { show_id: 7 }), 4);
    show.then_state(Seats { show_id: 7 }, 4)
        .then_state(Seats { show_id: 9 }, 10)
        .when_decided::<Seats>(reserve(4))
        .then(events![reserved(7, 4)])
        .then_read(events![reserved(7, 6)])
        .then_state(Seats { show_id: 7 }, 0)
        .when_decided::<Seats>(reserve(1))
        .then_rejected("only 0 seats are free");
}

#[test]
fn a_decider_was_otherwise_in_the_past() {
    let show = given(events![reserved(7, 6), reserved(7, 2)]);
    assert_eq!(show.as_of(1).decider(Seats { show_id: 7 }), 4);
    show.as_of(0).then_state(Seats { show_id: 7 }, 10);
    show.as_of(1)
        .then_state(Seats { show_id: 7 }, 4)
        .then_state(EventCounter::<SeatsReserved>::new(), 1);
}

#[test]
fn deciders_race_as_commands_do() {
    let decide = |input: Reserve, context| Command::new(input, context).decide::<Seats>();
    given(events![reserved(7, 6)])
        .when_racing([(decide, reserve(3)), (decide, reserve(4))])
        .then_conflict()
        .then_winners(1);
}

#[test]
fn a_decider_that_decides_otherwise() {
    let show = given(events![reserved(7, 6)]);
    fails(
        || show.then_state(Seats { show_id: 7 }, 5),
        expect![[r#"
            the state of `Seats` is not as expected

            scenario
              given  1  seats.reserved  show_id:7

            state (- expected, + actual)
              - 5
              + 4

            boundary
              A  Seats  seats.reserved {show_id:7}

                                            A
              1  seats.reserved  show_id:7  read
        "#]],
    );
    fails(
        || show.as_of(0).then_state(Seats { show_id: 7 }, 4),
        expect![[r#"
            the state of `Seats` is not as expected

            scenario
              given  1  seats.reserved  show_id:7
              as of  position 0

            state (- expected, + actual)
              - 4
              + 10

            boundary
              nothing had happened by then; these were asked for:
              A  Seats  seats.reserved {show_id:7}
        "#]],
    );
    fails(
        || {
            show.when_decided::<Seats>(reserve(5))
                .then(events![reserved(7, 5)])
        },
        expect![[r#"
            1 event was expected, but the command was rejected

            scenario
              given     1  seats.reserved  show_id:7
              when      Seats::decide({"show_id":7,"seats":5})
              rejected  only 4 seats are free

            cause
              rejected: only 4 seats are free

            boundary
              A  Seats  seats.reserved {show_id:7}

                                            A
              1  seats.reserved  show_id:7  read
        "#]],
    );
    let full = given((0..4).map(|_| reserved(7, 1)).collect());
    fails(
        || full.decider(Seats { show_id: 7 }),
        expect![[r#"
        `Seats` could not be run

        scenario
          given  1  seats.reserved  show_id:7
                 2  seats.reserved  show_id:7
                 3  seats.reserved  show_id:7
                 4  seats.reserved  show_id:7

        cause
          `harness::harness::states::Seats` reads more than its limit of 3 events: narrow its scope, raise the limit, or let a snapshot stand for its past
    "#]],
    );
}

fn shop_and_plan(shop_id: u64, plan_id: u64) -> Result<(bool, PlanState), FoldError> {
    FoldQuery::new()
        .fold(ShopExistsFold { shop_id })
        .fold(PlanFold { plan_id })
        .max_events(2)
        .run()
}

fn gold() -> PlanState {
    PlanState {
        title: Some("Gold".to_owned()),
        archived: false,
    }
}

#[test]
fn a_query_asks_for_several_states_in_one_read() {
    let shop = given(events![connected(42), connected(43), plan(1)]);
    shop.query(|| shop_and_plan(42, 1))
        .then_state((true, gold()))
        .then_read(events![connected(42), plan(1)]);
    assert!(!shop.query(|| shop_and_plan(44, 1)).state().0);
    shop.query(|| {
        FoldQuery::new()
            .fold(PlanFold { plan_id: 1 })
            .as_of(2)
            .run()
    })
    .then_state(PlanState::default())
    .then_read(events![]);
    shop.query(|| FoldQuery::new().decider(Seats { show_id: 7 }).run())
        .then_state(10);
}

#[test]
fn a_query_that_fails() {
    given(events![connected(42), connected(42), plan(1)])
        .query(|| shop_and_plan(42, 1))
        .then_failed("limit of 2 events");
}

#[test]
fn a_query_that_ends_otherwise() {
    let shop = given(events![connected(42), plan(1)]);
    let answer = shop.query(|| shop_and_plan(42, 1));
    fails(
        || answer.then_state((true, PlanState::default())),
        expect![[r#"
            the query does not return what is expected

            scenario
              given  1  shop.connected  shop_id:42
                     2  plan.created    plan_id:1, shop_id:42
              query  || ..

            state (- expected, + actual)
                (
                    true,
                    PlanState {
              -         title: None,
              +         title: Some(
              +             "Gold",
              +         ),
                        archived: false,
                    },
                )

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                                        A           B
              1  shop.connected  shop_id:42             read        other type
              2  plan.created    plan_id:1, shop_id:42  other type  read
        "#]],
    );
    fails(
        || answer.then_failed("limit"),
        expect![[r#"
            the query was expected to fail with "limit", but succeeded

            scenario
              given  1  shop.connected  shop_id:42
                     2  plan.created    plan_id:1, shop_id:42
              query  || ..

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                                        A           B
              1  shop.connected  shop_id:42             read        other type
              2  plan.created    plan_id:1, shop_id:42  other type  read
        "#]],
    );
    fails(
        || answer.then_read(events![connected(42)]),
        expect![[r#"
            the query read other events than expected

            scenario
              given  1  shop.connected  shop_id:42
                     2  plan.created    plan_id:1, shop_id:42
              query  || ..

            events (- expected, + read)
                1  shop.connected
              + 2  plan.created
                   + months: 24
                   + plan_id: 1
                   + shop_id: 42
                   + title: "Gold"

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                                        A           B
              1  shop.connected  shop_id:42             read        other type
              2  plan.created    plan_id:1, shop_id:42  other type  read
        "#]],
    );

    let limited = shop
        .and(events![connected(42)])
        .query(|| shop_and_plan(42, 1));
    fails(
        || limited.then_state((true, gold())),
        expect![[r#"
            a state was expected, but the query failed

            scenario
              given   1  shop.connected  shop_id:42
                      2  plan.created    plan_id:1, shop_id:42
                      3  shop.connected  shop_id:42
              query   || ..
              failed  `query` reads more than its limit of 2 events: narrow its scope, raise the limit, or let a snapshot stand for its past

            cause
              `query` reads more than its limit of 2 events: narrow its scope, raise the limit, or let a snapshot stand for its past

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                                        A           B
              1  shop.connected  shop_id:42             read        other type
              2  plan.created    plan_id:1, shop_id:42  other type  read
              3  shop.connected  shop_id:42             read        other type
        "#]],
    );
    fails(
        || limited.then_failed("no such shop"),
        expect![[r#"
            the query failed for another reason

            scenario
              given   1  shop.connected  shop_id:42
                      2  plan.created    plan_id:1, shop_id:42
                      3  shop.connected  shop_id:42
              query   || ..
              failed  `query` reads more than its limit of 2 events: narrow its scope, raise the limit, or let a snapshot stand for its past

            message (- expected to contain, + actual)
              - no such shop
              + `query` reads more than its limit of 2 events: narrow its scope, raise the limit, or let a snapshot stand for its past

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                                        A           B
              1  shop.connected  shop_id:42             read        other type
              2  plan.created    plan_id:1, shop_id:42  other type  read
              3  shop.connected  shop_id:42             read        other type
        "#]],
    );

    let broken = shop.query(|| -> Result<u32, FoldError> { panic!("nobody home") });
    fails(
        || *broken.state(),
        expect![[r#"
        a state was asked for, but the query panicked

        scenario
          given     1  shop.connected  shop_id:42
                    2  plan.created    plan_id:1, shop_id:42
          query     || ..
          panicked  nobody home, at states.rs

        cause
          nobody home, at states.rs
    "#]],
    );
    fails(
        || broken.then_failed("home"),
        expect![[r#"
        the query was expected to fail with "home", but panicked

        scenario
          given     1  shop.connected  shop_id:42
                    2  plan.created    plan_id:1, shop_id:42
          query     || ..
          panicked  nobody home, at states.rs

        cause
          nobody home, at states.rs
    "#]],
    );
}

#[test]
fn a_query_that_does_not_depend_on_the_history_alone() {
    let calls = Cell::new(0);
    let counting = given_nothing().query(move || {
        calls.set(calls.get() + 1);
        anyhow::ensure!(calls.get() < 3, "asked too often");
        Ok(calls.get())
    });
    fails(
        || counting.then_state(1),
        expect![[r#"
        the query returns something else when it is asked again

        scenario
          query  || ..

        state (- first, + second)
          - 1
          + 2

        cause
          something besides the history takes part: the wall clock, a random value, the order of a hash map, a static
    "#]],
    );
    fails(
        || counting.then_state(1),
        expect![[r#"
        the query fails when it is asked again

        scenario
          query  || ..

        cause
          asked too often
    "#]],
    );
}
