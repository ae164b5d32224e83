use umari_testing::prelude::*;
use warranty::events::ProductApplicability;
use warranty::samples::{
    PLAN_ID, SHOP_ID, plan_archived, plan_created, shop_connected, shop_reconnected, warranty_sold,
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

#[test]
fn a_shop_that_is_connected_again_has_the_later_time() {
    let shops = expect![[r#"
        shop_id  shop_domain  shop_name      connected_at
        -------  -----------  -------------  ---------------------------
        "42"     tea.example  Tea & Kettles  2026-03-02T13:00:00.000000Z
    "#]];
    given_nothing()
        .at("2026-03-02T12:00:00Z".parse().expect("a time"))
        .and(events![shop_connected()])
        .after(Duration::from_secs(3600))
        .and(events![shop_reconnected()])
        .project::<Plans>()
        .then_table("shops", shops);
}

#[test]
fn a_shop_whose_key_was_deleted_leaves_its_plans_behind() {
    given(events![shop_connected(), plan_created()])
        .shredded("shop_id", SHOP_ID)
        .project::<Plans>()
        .then_rows("SELECT shop_id FROM shops", rows![])
        .then_query(
            "SELECT title FROM plans WHERE shop_id = ?1",
            params![SHOP_ID.to_string()],
            rows![["Two years"]],
        );
}

/// The history here is what the commands make of it, and not what this test believes they do.
#[test]
fn commands_and_read_model_understand_each_other() {
    let WarrantyPlanCreated {
        plan_id, shop_id, ..
    } = plan_created();
    let shop = shop_connected();
    let plan = plan_created();
    let sale = warranty_sold();
    let archived = given_nothing()
        .given_command(
            connect_shop::execute,
            connect_shop::Input {
                shop_id,
                shop_domain: shop.shop_domain,
                shop_name: shop.shop_name,
                access_token: shop.access_token,
                owner_email: shop.owner_email,
            },
        )
        .given_command(
            create_warranty_plan::execute,
            create_warranty_plan::Input {
                shop_id,
                plan_id,
                title: plan.title,
                duration_months: plan.duration_months,
                price: plan.price,
                applicable_to: plan.applicable_to,
                status: plan.status,
            },
        )
        .given_command(
            sell_warranty::execute,
            sell_warranty::Input {
                shop_id,
                plan_id,
                warranty_id: sale.warranty_id,
                order_id: sale.order_id,
                line_item_id: sale.line_item_id,
                customer_email: sale.customer_email,
            },
        )
        .given_command(
            archive_warranty_plan::execute,
            archive_warranty_plan::Input { shop_id, plan_id },
        );
    archived.project::<Plans>().then_rows(
        PLANS,
        rows![("Two years", "49.90", "active", 1, 1, "49.90")],
    );
}
