//! Invariants under random commands, and random histories.

use std::rc::Rc;

use umari::prelude::*;
use umari_testing::invariant::Invariant;
use umari_testing::prelude::*;
use umari_testing::proptest::prelude::*;

mod failures;
mod theatre;

use self::theatre::*;
use super::shop::*;

#[test]
fn a_sound_command_keeps_its_invariant() {
    theatre()
        .command(reserve, any_reservation())
        .always(reserved(), |reserved| *reserved <= 2)
        .check();
}

#[test]
fn a_command_may_be_given_as_a_closure() {
    theatre()
        .command(
            |input: Reserve, context| reserve(input, context),
            any_reservation(),
        )
        .always(reserved(), |reserved| *reserved <= 2)
        .check();
}

#[test]
fn an_input_without_debug_is_built_from_what_has_it() {
    let seats = (1..3_u64, 1..5_u64);
    theatre()
        .command_with(reserve, seats, |(show_id, order_id)| Reserve {
            show_id,
            order_id,
        })
        .always(reserved(), |reserved| *reserved <= 2)
        .check();
}

#[test]
fn an_invariant_may_be_asked_of_several_folds_and_of_deciders() {
    theatre()
        .command(reserve, any_reservation())
        .command(add_seat, (1..3_u64).prop_map(|show_id| AddSeat { show_id }))
        .holds("no show has more reservations than seats", |now| {
            let added = EventCounter::<SeatAdded>::new().with("show_id", 1);
            let (added, reserved) = (now.fold(added), now.fold(reserved()));
            if reserved > added + 2 {
                Err(format!("{reserved} of {added}"))
            } else {
                Ok(())
            }
        })
        .always_decider(Seats { show_id: 1 }, |free| *free >= 0)
        .check();
}

#[test]
fn a_boundary_that_is_too_narrow_is_found_only_where_calls_meet() {
    let beside = || {
        theatre()
            .command(reserve_beside, any_reservation())
            .always(reserved(), |reserved| *reserved <= 2)
    };
    // One after the other the calls keep the invariant, in twice as many stories.
    beside().one_after_the_other().stories(1_024).check();
    let message = super::support::failure(|| beside().check());
    assert!(message.contains("its boundary is too narrow"), "{message}");
}

#[test]
fn the_steps_that_a_failure_prints_are_a_test() {
    // Copied from the failure of `reserve_beside`.
    macro_rules! copied {
        ($reserve:ident) => {
            given_nothing()
                .when_json($reserve, r#"{"show_id":1,"order_id":3}"#)
                .when_racing((
                    (
                        $reserve,
                        serde_json::from_str(r#"{"show_id":1,"order_id":1}"#).unwrap(),
                    ),
                    (
                        $reserve,
                        serde_json::from_str(r#"{"show_id":1,"order_id":2}"#).unwrap(),
                    ),
                ))
                .then_conflict()
        };
    }
    let message = super::support::failure(|| copied!(reserve_beside));
    assert!(message.contains("expected to conflict"), "{message}");
    copied!(reserve);
}

#[test]
fn one_seed_makes_the_same_stories() {
    let calls = |seed| {
        let seen = Rc::new(std::cell::RefCell::new(Vec::new()));
        let noted = Rc::clone(&seen);
        let command = move |input: Reserve, context| {
            noted.borrow_mut().push(input.order_id);
            reserve(input, context)
        };
        theatre()
            .seed(seed)
            .stories(20)
            .command(command, any_reservation())
            .check();
        seen.take()
    };
    assert_eq!(calls(1), calls(1));
    assert_ne!(calls(1), calls(2));
}

#[test]
fn a_given_history_and_what_it_is_without_are_kept() {
    given(events![plan(1)])
        .without(
            check::SELF_RACE,
            "a line item may be sold twice in this test",
        )
        .invariant()
        .command(sell_warranty::execute_carelessly, any_sale())
        .check();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_projector_keeps_its_laws_over_any_history(history in any_history()) {
        let history = given(history);
        let sold = history.fold(EventCounter::<WarrantySold>::new());
        history
            .project::<Sales>()
            .then_rows("SELECT coalesce(sum(sold), 0) FROM sales", rows![[sold]]);
    }

    #[test]
    fn histories_have_the_length_that_was_asked_for(history in any_history().length(3..=5)) {
        let head = given(history).fold(EventCounter::<PlanArchived>::new());
        prop_assert!(head <= 5);
    }
}

fn any_history() -> umari_testing::Histories {
    histories()
        .event((1..3_u64).prop_map(|plan_id| PlanArchived { plan_id }))
        .event((1..5_u64).prop_map(sold))
}

/// How often each plan was sold.
struct Sales;

impl Projector for Sales {
    type Query = SingleEvent<WarrantySold>;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE IF NOT EXISTS sales (plan_id TEXT PRIMARY KEY, sold INTEGER)")?;
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<WarrantySold>) -> anyhow::Result<()> {
        execute(
            "INSERT INTO sales VALUES (?1, 1) ON CONFLICT DO UPDATE SET sold = sold + 1",
            params![event.data.plan_id.to_string()],
        )?;
        Ok(())
    }
}

fn any_sale() -> impl Strategy<Value = sell_warranty::Input> {
    (1..4_u64).prop_map(sell_warranty::input)
}

/// The same stories wherever these tests run.
fn fixed(invariant: Invariant) -> Invariant {
    invariant.seed(0).stories(512)
}

fn theatre() -> Invariant {
    fixed(invariant())
}
