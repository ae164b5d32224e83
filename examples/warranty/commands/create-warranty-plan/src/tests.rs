use umari_testing::prelude::*;
use warranty::events::{ShopConnected, WarrantySold};
use warranty::samples::{
    OTHER_SHOP_ID, PLAN_ID, SHOP_ID, plan_archived, plan_created, shop_connected, warranty_sold,
};

use super::*;

fn input() -> Input {
    let WarrantyPlanCreated {
        plan_id,
        shop_id,
        title,
        duration_months,
        price,
        applicable_to,
        status,
    } = plan_created();
    Input {
        shop_id,
        plan_id,
        title,
        duration_months,
        price,
        applicable_to,
        status,
    }
}

#[test]
fn a_connected_shop_can_create_a_plan() {
    given(events![shop_connected()])
        .when(execute, input())
        .then(events![plan_created()]);
}

#[test]
fn a_plan_is_a_draft_unless_the_caller_says_otherwise() {
    let without_status = json!({
        "shop_id": SHOP_ID,
        "plan_id": PLAN_ID,
        "title": "Two years",
        "duration_months": 24,
        "price": "49.90",
        "applicable_to": "all",
    });
    given(events![shop_connected()])
        .when_json(execute, without_status)
        .then(events![WarrantyPlanCreated {
            status: PlanStatus::Draft,
            ..plan_created()
        }]);
}

#[test]
fn the_shop_has_to_be_connected() {
    let other = ShopConnected {
        shop_id: OTHER_SHOP_ID,
        ..shop_connected()
    };
    given(events![other])
        .when(execute, input())
        .then_rejected("shop is not connected");
}

#[test]
fn a_plan_is_created_once() {
    given(events![shop_connected(), plan_created()])
        .when(execute, input())
        .then_rejected("plan already exists");
}

#[test]
fn the_id_of_an_archived_plan_stays_taken() {
    given(events![shop_connected(), plan_created(), plan_archived()])
        .when(execute, input())
        .then_rejected("plan already exists");
}

#[test]
fn the_id_of_another_shops_plan_is_taken_too() {
    let others = WarrantyPlanCreated {
        shop_id: OTHER_SHOP_ID,
        ..plan_created()
    };
    given(events![shop_connected(), others])
        .when(execute, input())
        .then_rejected("plan already exists");
}

#[test]
fn every_field_is_checked() {
    let plan_id = Uuid::nil();
    let title = String::new();
    let price = Decimal::new(-1, 2);
    let applicable_to = ProductApplicability::Products(vec![]);
    for (field, input) in [
        ("plan_id", Input { plan_id, ..input() }),
        ("title", Input { title, ..input() }),
        (
            "duration_months",
            Input {
                duration_months: 0,
                ..input()
            },
        ),
        (
            "duration_months",
            Input {
                duration_months: 121,
                ..input()
            },
        ),
        ("price", Input { price, ..input() }),
        (
            "applicable_to",
            Input {
                applicable_to,
                ..input()
            },
        ),
    ] {
        given(events![shop_connected()])
            .when(execute, input)
            .then_invalid(field);
    }
}

#[test]
fn a_plan_is_found_by_its_id_and_by_its_shop() {
    given(events![shop_connected()])
        .when(execute, input())
        .then_tags([format!("plan_id:{PLAN_ID}"), format!("shop_id:{SHOP_ID}")]);
}

#[test]
fn other_plans_and_what_was_sold_of_them_do_not_matter() {
    let other_plan = || WarrantyPlanCreated {
        plan_id: Uuid::from_u128(0x5001),
        ..plan_created()
    };
    let sold = WarrantySold {
        plan_id: other_plan().plan_id,
        ..warranty_sold()
    };
    given(events![shop_connected(), other_plan(), sold])
        .when(execute, input())
        .then(events![plan_created()])
        .then_read(events![shop_connected()]);
}
