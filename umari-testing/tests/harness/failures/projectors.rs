//! Projectors.

use umari_testing::prelude::*;

use super::super::shop::*;
use super::super::support::{fails, failure};

#[test]
fn other_rows() {
    let plans = given(events![plan(1), connected(42), sold(7)]).project::<Plans>();
    fails(
        || plans.then_rows("SELECT plan_id, sold FROM plans", rows![["1", 1], ["2", 0]]),
        expect![[r#"
            the rows are not as expected

            scenario
              given    1  plan.created    plan_id:1, shop_id:42
                       2  shop.connected  shop_id:42
                       3  warranty.sold   plan_id:1, line_item_id:7
              project  Plans

            query
              SELECT plan_id, sold FROM plans

            rows (- expected, + actual)
                plan_id  sold
                -------  ----
                "1"      1
              - "2"      0

            read by the projector
              A  plan.created | plan.archived | warranty.sold

                                                            A
              1  plan.created    plan_id:1, shop_id:42      read
              2  shop.connected  shop_id:42                 other type
              3  warranty.sold   plan_id:1, line_item_id:7  read
        "#]],
    );
    fails(
        || plans.then_rows("SELECT nothing FROM plans", rows![]),
        expect![[r#"
        the test's own query failed

        scenario
          given    1  plan.created    plan_id:1, shop_id:42
                   2  shop.connected  shop_id:42
                   3  warranty.sold   plan_id:1, line_item_id:7
          project  Plans

        query
          SELECT nothing FROM plans

        cause
          near "nothing": syntax error

        tables
          plans
          plan_id  title  archived  sold
          -------  -----  --------  ----
          "1"      Gold   0         1
    "#]],
    );
    fails(
        || plans.then_fails_at::<PlanCreated>("UNIQUE"),
        expect![[r#"
        the projector was expected to stop at `plan.created` with "UNIQUE", but handled everything

        scenario
          given    1  plan.created    plan_id:1, shop_id:42
                   2  shop.connected  shop_id:42
                   3  warranty.sold   plan_id:1, line_item_id:7
          project  Plans

        read by the projector
          A  plan.created | plan.archived | warranty.sold

                                                        A
          1  plan.created    plan_id:1, shop_id:42      read
          2  shop.connected  shop_id:42                 other type
          3  warranty.sold   plan_id:1, line_item_id:7  read
    "#]],
    );
    let message = failure(|| plans.then_rows("SELECT 1", rows![["1"]]));
    assert!(message.contains("+ 1\n"), "{message}");
}

#[test]
fn a_projector_that_stopped() {
    let plans = given(events![plan(1), plan(1)]).project::<Plans>();
    fails(
        || plans.then_rows("SELECT 1", rows![[1]]),
        expect![[r#"
        the projector stopped at `plan.created {plan_id:1, shop_id:42}`

        scenario
          given    1  plan.created  plan_id:1, shop_id:42
                   2  plan.created  plan_id:1, shop_id:42
          project  Plans

        cause
          UNIQUE constraint failed: plans.plan_id

        fix
          where that is meant, call `.then_fails_at::<E>("text")` first
    "#]],
    );
    fails(
        || plans.then_fails_at::<PlanArchived>("UNIQUE"),
        expect![[r#"
        the projector was expected to stop at `plan.archived` with "UNIQUE", but stopped at `plan.created {plan_id:1, shop_id:42}` otherwise

        scenario
          given    1  plan.created  plan_id:1, shop_id:42
                   2  plan.created  plan_id:1, shop_id:42
          project  Plans

        cause
          UNIQUE constraint failed: plans.plan_id
    "#]],
    );
}
