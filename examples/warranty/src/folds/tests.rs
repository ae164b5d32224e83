use umari_testing::prelude::*;

use super::*;
use crate::samples::{
    LINE_ITEM_ID, OTHER_SHOP_ID, PLAN_ID, SHOP_ID, plan_archived, plan_created, price,
    shop_connected, warranty_sold,
};

fn plan() -> WarrantyPlanState {
    WarrantyPlanState {
        shop_id: SHOP_ID,
        title: "Two years".into(),
        price: price(),
        status: PlanStatus::Active,
        archived: false,
    }
}

fn archived_plan() -> WarrantyPlanState {
    WarrantyPlanState {
        archived: true,
        ..plan()
    }
}

#[test]
fn a_plan_is_what_its_events_say() {
    let fold = || WarrantyPlanFold { plan_id: PLAN_ID };
    given(events![shop_connected()])
        .then_state(fold(), None)
        .and(events![plan_created()])
        .then_state(fold(), Some(plan()))
        .and(events![plan_archived()])
        .then_state(fold(), Some(archived_plan()));
}

#[test]
fn a_plan_of_the_first_version_covers_everything_and_is_on_sale() {
    let data = json!({
        "plan_id": PLAN_ID,
        "shop_id": SHOP_ID,
        "title": "Two years",
        "duration_months": 24,
        "price": "49.90",
    });
    let tags = [format!("plan_id:{PLAN_ID}"), format!("shop_id:{SHOP_ID}")];
    let history = given(Events::new().with_stored("plan.created", 1, tags, &data));
    assert_eq!(
        history.fold(WarrantyPlanFold { plan_id: PLAN_ID }),
        Some(plan())
    );
}

#[test]
fn a_line_item_is_sold_in_its_own_shop_only() {
    let history = given(events![warranty_sold()]);
    let sold = |shop_id, line_item_id| {
        history.fold(LineItemSoldFold {
            shop_id,
            line_item_id,
        })
    };
    assert!(sold(SHOP_ID, LINE_ITEM_ID));
    assert!(!sold(OTHER_SHOP_ID, LINE_ITEM_ID));
    assert!(!sold(SHOP_ID, LINE_ITEM_ID + 1));
}

#[test]
fn what_a_plan_was_stays_known() {
    let fold = || WarrantyPlanFold { plan_id: PLAN_ID };
    let monday: DateTime<Utc> = "2026-03-02T12:00:00Z".parse().expect("a time");
    // Between the two lie the events of others.
    let history = given(events![plan_created()].at(monday))
        .at(monday + Duration::from_secs(24 * 3600))
        .and(events![plan_archived()].with_gap(10));
    history.as_of(monday).then_state(fold(), Some(plan()));
    history.as_of(11).then_state(fold(), Some(plan()));
    history.as_of(12).then_state(fold(), Some(archived_plan()));
}

#[test]
fn a_shop_whose_key_is_deleted_is_unknown() {
    let fold = || ShopExistsFold { shop_id: SHOP_ID };
    given(events![shop_connected()])
        .then_state(fold(), true)
        .shredded("shop_id", SHOP_ID)
        .then_state(fold(), false);
}
