//! What is given: lists of events, time, metadata.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::shop::*;

#[test]
fn lists_hold_any_types() {
    let _none = events![];
    let _one = events![connected(42)];
    let two = events![connected(42), plan(1),];
    given(two).then_state(EventCounter::<PlanCreated>::new(), 1);
    given((1..=3).map(plan).collect()).then_state(EventCounter::<PlanCreated>::new(), 3);
}

#[test]
fn a_clone_of_a_history_is_a_fork() {
    let one = given(events![plan(1)]);
    let two = one.and(events![plan(2)]);
    one.then_state(EventCounter::<PlanCreated>::new(), 1);
    two.then_state(EventCounter::<PlanCreated>::new(), 2);
}

#[test]
fn the_clock_moves_when_it_is_told_to() {
    let noon: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().expect("a time");
    let history = given_nothing()
        .at(noon)
        .and(events![plan(1)])
        .after(Duration::from_secs(3600))
        .and(events![plan(2)]);
    let plans = history.fold(EventFold::<PlanCreated>::new());
    let times: Vec<_> = plans
        .events
        .iter()
        .map(|event| event.timestamp.to_rfc3339())
        .collect();
    assert_eq!(
        times,
        ["2026-03-01T12:00:00+00:00", "2026-03-01T13:00:00+00:00"]
    );
    let positions: Vec<_> = plans.events.iter().map(|event| event.position).collect();
    assert_eq!(positions, [1, 2]);
}

#[test]
fn encrypted_events_carry_scope_and_key() {
    let history = given(events![connected(42), connected(43), plan(1)]);
    let shops = history.fold(EventFold::<ShopConnected>::new());
    let scopes: Vec<_> = shops
        .events
        .iter()
        .map(|event| event.encryption_scope.clone().unwrap_or_default())
        .collect();
    assert_eq!(scopes, ["shop_id:42", "shop_id:43"]);
    assert_ne!(
        shops.events[0].encryption_key_id,
        shops.events[1].encryption_key_id
    );
}
