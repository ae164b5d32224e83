use umari_testing::prelude::*;
use warranty::events::ProductApplicability;
use warranty::samples::{
    PLAN_ID, plan_archived, plan_created, shop_connected, shop_reconnected, warranty_sold,
};

use super::*;

const PLANS: &str = "SELECT title, price, status, archived, total_sold, revenue FROM plans";

#[test]
fn a_shop_is_shown_by_its_latest_details() {
    let renamed = ShopReconnected {
        shop_name: "Kettles".into(),
        ..shop_reconnected()
    };
    given(events![shop_connected(), renamed])
        .project::<Plans>()
        .then_rows(
            "SELECT shop_id, shop_domain, shop_name FROM shops",
            rows![("42", "tea.example", "Kettles")],
        );
}

#[test]
fn a_new_plan_has_sold_nothing() {
    given(events![shop_connected(), plan_created()])
        .project::<Plans>()
        .then_rows(PLANS, rows![("Two years", "49.90", "active", 0, 0, "0.00")]);
}

#[test]
fn what_a_plan_is_for_is_kept_as_json() {
    let two_products = WarrantyPlanCreated {
        applicable_to: ProductApplicability::Products(vec![7, 8]),
        ..plan_created()
    };
    given(events![two_products]).project::<Plans>().then_rows(
        "SELECT applicable_to ->> '$.products[1]' FROM plans",
        rows![(8,)],
    );
}

#[test]
fn revenue_adds_up_to_the_cent() {
    // In floating point 0.1 + 0.2 is no longer 0.3.
    let sold = |price: &str| WarrantySold {
        price: price.parse().expect("a decimal"),
        ..warranty_sold()
    };
    given(events![plan_created(), sold("0.1"), sold("0.2")])
        .project::<Plans>()
        .then_rows(PLANS, rows![("Two years", "49.90", "active", 0, 2, "0.30")]);
}

#[test]
fn an_archived_plan_keeps_its_sales() {
    given(events![plan_created(), warranty_sold(), plan_archived()])
        .project::<Plans>()
        .then_rows(
            PLANS,
            rows![("Two years", "49.90", "active", 1, 1, "49.90")],
        );
}

#[test]
fn a_sale_without_a_plan_stops_the_projector() {
    given(events![warranty_sold()])
        .project::<Plans>()
        .then_fails_at::<WarrantySold>(&format!("plan {PLAN_ID} was sold but not created"));
}
