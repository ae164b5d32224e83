//! Scenarios on many threads at once, as `cargo test` runs them: they share one panic hook, and
//! nothing else.

use std::sync::Barrier;
use std::thread;

use umari::prelude::*;
use umari_testing::prelude::*;

use super::shop::*;
use super::support::failure;

const THREADS: u64 = 8;
const ROUNDS: u64 = 5;

#[test]
fn a_panic_is_told_to_the_scenario_that_it_belongs_to() {
    let start = Barrier::new(THREADS.try_into().expect("a few threads"));
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                for round in 0..ROUNDS {
                    let message = failure(|| panicking(thread, round));
                    let own = format!("panicked: thread {thread}, round {round}, at threads.rs");
                    assert!(message.contains(&own), "{message}");
                }
            });
        }
    });
}

fn panicking(thread: u64, round: u64) -> Outcome {
    given(events![connected(thread)])
        .when_called(move |_| -> anyhow::Result<ExecuteOutput> {
            panic!("thread {thread}, round {round}")
        })
        .then_nothing()
}

#[test]
fn a_scenario_sees_no_other_threads_log() {
    let start = Barrier::new(THREADS.try_into().expect("a few threads"));
    thread::scope(|scope| {
        for shop_id in 0..THREADS {
            let start = &start;
            scope.spawn(move || {
                start.wait();
                for _ in 0..ROUNDS {
                    given(events![connected(shop_id), plan(shop_id)])
                        .when(sell_warranty::execute, {
                            sell_warranty::Input {
                                plan_id: shop_id,
                                ..sell_warranty::input(7)
                            }
                        })
                        .then_read(events![plan(shop_id)])
                        .then_state(EventCounter::<ShopConnected>::new(), 1)
                        .project::<Plans>()
                        .then_rows("SELECT sold FROM plans", rows![[1]]);
                }
            });
        }
    });
}

/// Somebody else's panic, while no code under test runs on this thread, is nobody's place.
#[test]
fn a_panic_of_the_test_itself_is_left_alone() {
    let history = given(events![connected(42)]);
    let message = failure(|| {
        history
            .when(create_plan::execute, create_plan::input(1))
            .then_event::<PlanCreated>(|plan| panic!("the test's own: {}", plan.title))
    });
    assert_eq!(message, "the test's own: Gold");
    let message = failure(|| panicking(1, 2));
    assert!(
        message.contains("thread 1, round 2, at threads.rs"),
        "{message}"
    );
}
