use umari::prelude::json;
use umari_testing::prelude::*;

use crate::folds::{LineItemSoldFold, ShopExistsFold, WarrantyExistsFold, WarrantyPlanFold};
use crate::samples::{
    LINE_ITEM_ID, PLAN_ID, SHOP_ID, WARRANTY_ID, plan_archived, plan_created, shop_connected,
    shop_reconnected, warranty_sold,
};

/// Every event that was ever stored, in `umari-events.lock`, is read by the code of today.
#[test]
fn stored_events_stay_readable() {
    event_lock!()
        .event(shop_connected())
        .event(shop_reconnected())
        .event(plan_created())
        .event(warranty_sold())
        .event(plan_archived())
        .events(first_plan())
        .fold(ShopExistsFold { shop_id: SHOP_ID })
        .fold(WarrantyPlanFold { plan_id: PLAN_ID })
        .fold(LineItemSoldFold {
            shop_id: SHOP_ID,
            line_item_id: LINE_ITEM_ID,
        })
        .fold(WarrantyExistsFold {
            warranty_id: WARRANTY_ID,
        })
        .check();
}

/// A plan as the first release stored it, when there was no lock yet.
fn first_plan() -> Events {
    let data = json!({
        "plan_id": PLAN_ID,
        "shop_id": SHOP_ID,
        "title": "Two years",
        "duration_months": 24,
        "price": "49.90",
    });
    let tags = [format!("plan_id:{PLAN_ID}"), format!("shop_id:{SHOP_ID}")];
    Events::new().with_stored("plan.created", 1, tags, &data)
}
