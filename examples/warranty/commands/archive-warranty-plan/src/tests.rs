use umari_testing::prelude::*;
use warranty::samples::{
    OTHER_SHOP_ID, PLAN_ID, SHOP_ID, plan_archived, plan_created, shop_connected,
};

use super::*;

fn input() -> Input {
    Input {
        shop_id: SHOP_ID,
        plan_id: PLAN_ID,
    }
}

#[test]
fn a_plan_is_archived() {
    given(events![shop_connected(), plan_created()])
        .when(execute, input())
        .then(events![plan_archived()]);
}

#[test]
fn archiving_twice_changes_nothing() {
    given(events![shop_connected(), plan_created(), plan_archived()])
        .when(execute, input())
        .then_nothing();
}

#[test]
fn the_plan_has_to_exist() {
    given(events![shop_connected()])
        .when(execute, input())
        .then_rejected("plan does not exist");
}

#[test]
fn another_shops_plan_is_out_of_reach() {
    given(events![shop_connected(), plan_created()])
        .when(
            execute,
            Input {
                shop_id: OTHER_SHOP_ID,
                ..input()
            },
        )
        .then_rejected("plan does not exist");
}

#[test]
fn the_plans_id_is_checked() {
    let plan_id = Uuid::nil();
    given_nothing()
        .when(execute, Input { plan_id, ..input() })
        .then_invalid("plan_id");
}
