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

#[test]
fn a_plan_is_what_its_events_say() {
    let history = given(events![shop_connected()]);
    let fold = || WarrantyPlanFold { plan_id: PLAN_ID };
    assert_eq!(history.fold(fold()), None);

    let history = history.and(events![plan_created()]);
    assert_eq!(history.fold(fold()), Some(plan()));

    let history = history.and(events![plan_archived()]);
    let archived = WarrantyPlanState {
        archived: true,
        ..plan()
    };
    assert_eq!(history.fold(fold()), Some(archived));
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
