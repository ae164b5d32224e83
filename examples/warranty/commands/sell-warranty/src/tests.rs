use std::collections::BTreeSet;

use umari_testing::prelude::*;
use warranty::events::WarrantyPlanCreated;
use warranty::samples::{
    LINE_ITEM_ID, OTHER_SHOP_ID, plan_archived, plan_created, shop_connected, warranty_sold,
};

use super::*;

fn input() -> Input {
    let WarrantySold {
        shop_id,
        warranty_id,
        order_id,
        line_item_id,
        plan_id,
        customer_email,
        ..
    } = warranty_sold();
    Input {
        shop_id,
        plan_id,
        warranty_id,
        order_id,
        line_item_id,
        customer_email,
    }
}

/// A warranty that has nothing in common with the sample but its shop and plan.
fn another_input() -> Input {
    Input {
        warranty_id: Uuid::from_u128(0x6001),
        order_id: 1002,
        line_item_id: LINE_ITEM_ID + 1,
        ..input()
    }
}

#[test]
fn a_warranty_is_sold_under_the_plans_own_terms() {
    given(events![shop_connected(), plan_created()])
        .when(execute, input())
        .then(events![warranty_sold()]);
}

#[test]
fn a_plan_is_sold_many_times() {
    given(events![shop_connected(), plan_created(), warranty_sold()])
        .when(execute, another_input())
        .then_count::<WarrantySold>(1);
}

#[test]
fn a_line_item_is_sold_once_whatever_else_differs() {
    let line_item_id = LINE_ITEM_ID;
    given(events![shop_connected(), plan_created(), warranty_sold()])
        .when(
            execute,
            Input {
                line_item_id,
                ..another_input()
            },
        )
        .then_rejected_with::<Rejection>(|rejection| {
            let covered = Rejection::new("line-item-covered", "line item already has a warranty");
            *rejection == covered.with("line_item_id", LINE_ITEM_ID)
        });
}

#[test]
fn a_line_item_is_sold_once_at_the_same_moment_too() {
    let line_item_id = LINE_ITEM_ID;
    let rival = Input {
        line_item_id,
        ..another_input()
    };
    given(events![shop_connected(), plan_created()])
        .when_racing([(execute, input()), (execute, rival)])
        .then_conflict()
        .then_winners(1)
        .then_in_each(|now| {
            now.then_state(EventCounter::<WarrantySold>::new(), 1);
        })
        .interleaving("a reads, b reads, b commits, a commits")
        .then_commits('b')
        .then_conflicts('a')
        .then_rejects('a', "line item already has a warranty");
}

#[test]
fn sales_of_one_plan_do_not_wait_for_each_other() {
    given(events![shop_connected(), plan_created()])
        .when_racing([(execute, input()), (execute, another_input())])
        .then_all_commit();
}

#[test]
fn a_call_that_is_repeated_under_its_key_sells_nothing_more() {
    let key = Uuid::from_u128(0x7000);
    given(events![shop_connected(), plan_created()])
        .when_with(execute, input(), |context| {
            context.with_idempotency_key(Some(key))
        })
        .then(events![warranty_sold()])
        .when_again()
        .then_nothing();
}

#[test]
fn the_line_of_a_sale_under_the_same_key_is_no_reason_to_refuse() {
    let key = Uuid::from_u128(0x7000);
    given(events![shop_connected(), plan_created()])
        .and(events![warranty_sold()].with_key(key))
        .when_with(execute, input(), |context| {
            context.with_idempotency_key(key)
        })
        .then_nothing();
}

#[test]
fn another_shops_line_item_may_have_the_same_id() {
    let others = WarrantySold {
        shop_id: OTHER_SHOP_ID,
        warranty_id: Uuid::from_u128(0x6001),
        ..warranty_sold()
    };
    given(events![shop_connected(), plan_created(), others])
        .when(execute, input())
        .then(events![warranty_sold()]);
}

#[test]
fn a_warranty_id_is_taken_once() {
    let warranty_id = input().warranty_id;
    given(events![shop_connected(), plan_created(), warranty_sold()])
        .when(
            execute,
            Input {
                warranty_id,
                ..another_input()
            },
        )
        .then_rejected("warranty already exists");
}

#[test]
fn the_plan_has_to_exist() {
    given(events![shop_connected()])
        .when(execute, input())
        .then_rejected("plan does not exist");
}

#[test]
fn another_shops_plan_is_out_of_reach() {
    let others = WarrantyPlanCreated {
        shop_id: OTHER_SHOP_ID,
        ..plan_created()
    };
    given(events![shop_connected(), others])
        .when(execute, input())
        .then_rejected("plan does not exist");
}

#[test]
fn a_draft_is_not_for_sale() {
    let draft = WarrantyPlanCreated {
        status: PlanStatus::Draft,
        ..plan_created()
    };
    given(events![shop_connected(), draft])
        .when(execute, input())
        .then_rejected("plan is not active");
}

#[test]
fn an_archived_plan_is_not_for_sale() {
    given(events![shop_connected(), plan_created(), plan_archived()])
        .when(execute, input())
        .then_rejected("plan is archived");
}

#[test]
fn every_field_is_checked() {
    let customer_email = "ada".into();
    for (field, input) in [
        (
            "plan_id",
            Input {
                plan_id: Uuid::nil(),
                ..input()
            },
        ),
        (
            "warranty_id",
            Input {
                warranty_id: Uuid::nil(),
                ..input()
            },
        ),
        (
            "customer_email",
            Input {
                customer_email,
                ..input()
            },
        ),
    ] {
        given(events![shop_connected(), plan_created()])
            .when(execute, input)
            .then_invalid(field);
    }
}

#[test]
fn whatever_is_sold_no_line_is_covered_twice_and_no_id_is_taken_twice() {
    let few = (1..3_u64, 1..3_u64, 1..4_u128);
    given(events![shop_connected(), plan_created()])
        .invariant()
        .command_with(execute, few, |(order_id, line_item_id, warranty_id)| {
            Input {
                order_id,
                line_item_id,
                warranty_id: Uuid::from_u128(warranty_id),
                ..input()
            }
        })
        .holds("each sale has a line and an id of its own", |now| {
            let sold = now.fold(EventFold::<WarrantySold>::new()).events;
            let lines: BTreeSet<_> = sold.iter().map(|sale| sale.data.line_item_id).collect();
            let ids: BTreeSet<_> = sold.iter().map(|sale| sale.data.warranty_id).collect();
            lines.len() == sold.len() && ids.len() == sold.len()
        })
        // A quarter of what is usual: all tests of the shop take less than a second.
        .stories(128)
        .check();
}

#[test]
fn the_customer_pays_what_the_plan_costs() {
    let price = Decimal::new(9_90, 2);
    let cheap = WarrantyPlanCreated {
        price,
        ..plan_created()
    };
    given(events![shop_connected(), cheap])
        .when(execute, input())
        .then_event::<WarrantySold>(|sale| sale.price == price);
}
