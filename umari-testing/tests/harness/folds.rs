//! Folds on their own.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::shop::*;

#[test]
fn a_fold_reads_through_its_query() {
    let history = given(events![plan(1), plan(2), PlanArchived { plan_id: 2 }]);
    assert_eq!(
        history.fold(PlanFold { plan_id: 1 }).title.as_deref(),
        Some("Gold")
    );
    history
        .then_state(
            PlanFold { plan_id: 1 },
            PlanState {
                title: Some("Gold".into()),
                archived: false,
            },
        )
        .then_state(
            PlanFold { plan_id: 2 },
            PlanState {
                title: Some("Gold".into()),
                archived: true,
            },
        )
        .then_state(PlanFold { plan_id: 3 }, PlanState::default());
}

#[test]
fn built_in_folds() {
    let history = given(events![connected(42), connected(43), sold(1), sold(2)]);
    assert!(
        history
            .fold(EventFold::<ShopConnected>::new().with("shop_id", 43_u64))
            .exists()
    );
    history.then_state(EventCounter::<WarrantySold>::new(), 2);
}

#[test]
fn a_shredded_event_is_not_folded() {
    let history = given(events![connected(42), connected(43)]).shredded("shop_id", 42);
    history.then_state(ShopExistsFold { shop_id: 42 }, false);
    history.then_state(ShopExistsFold { shop_id: 43 }, true);
    // A shop that comes back has a new data key.
    history
        .and(events![connected(42)])
        .then_state(ShopExistsFold { shop_id: 42 }, true);
}

#[test]
fn a_fold_reads_the_past() {
    let history = given(events![plan(1)])
        .after(Duration::from_secs(60))
        .and(events![PlanArchived { plan_id: 1 }]);
    let before: DateTime<Utc> = "2026-01-01T00:00:59Z".parse().expect("a time");
    assert!(!history.as_of(1).fold(PlanFold { plan_id: 1 }).archived);
    assert!(!history.as_of(before).fold(PlanFold { plan_id: 1 }).archived);
    assert!(history.as_of(2).fold(PlanFold { plan_id: 1 }).archived);
    let gold = |archived| PlanState {
        title: Some("Gold".into()),
        archived,
    };
    history
        .as_of(1)
        .then_state(PlanFold { plan_id: 1 }, gold(false));
    history
        .as_of(2)
        .then_state(PlanFold { plan_id: 1 }, gold(true));
}
