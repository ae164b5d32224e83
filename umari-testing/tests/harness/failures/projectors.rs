//! Projectors.

use umari::prelude::{named_params, params};
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

#[test]
fn other_rows_of_a_query_with_parameters() {
    let plans = given(events![plan(1)]).project::<Plans>();
    fails(
        || {
            plans.then_query(
                "SELECT title FROM plans WHERE plan_id = ?1 AND sold = ?2",
                params!["1", 0],
                rows![["Silver"]],
            )
        },
        expect![[r#"
            the rows are not as expected

            scenario
              given    1  plan.created  plan_id:1, shop_id:42
              project  Plans

            query
              SELECT title FROM plans WHERE plan_id = ?1 AND sold = ?2

            parameters
              ?1  "1"
              ?2  0

            rows (- expected, + actual)
                title
              - ------
              - Silver
              + -----
              + Gold

            read by the projector
              A  plan.created | plan.archived | warranty.sold

                                                      A
              1  plan.created  plan_id:1, shop_id:42  read
        "#]],
    );
    fails(
        || {
            plans.then_query(
                "SELECT title FROM plans WHERE plan_id = :plan_id",
                named_params! { ":plan": "1" },
                rows![["Gold"]],
            )
        },
        expect![[r#"
            the test's own query failed

            scenario
              given    1  plan.created  plan_id:1, shop_id:42
              project  Plans

            query
              SELECT title FROM plans WHERE plan_id = :plan_id

            parameters
              :plan  "1"

            cause
              the statement has no parameter `:plan`; it has: :plan_id

            tables
              plans
              plan_id  title  archived  sold
              -------  -----  --------  ----
              "1"      Gold   0         0
        "#]],
    );
}

#[test]
fn another_table_than_in_the_snapshot() {
    let plans = given(events![plan(1)]).project::<Plans>();
    // Not written in place, so that no `UPDATE_EXPECT` makes it right.
    let nothing = || expect_test::Expect {
        position: expect_test::Position {
            file: file!(),
            line: line!(),
            column: column!(),
        },
        data: "nothing\n",
        indent: false,
    };
    if std::env::var_os("UPDATE_EXPECT").is_none() {
        let message = failure(|| plans.then_table("plans", nothing()));
        expect![[r#"
            the table `plans` is not as in the snapshot

            scenario
              given    1  plan.created  plan_id:1, shop_id:42
              project  Plans

            actual
              plan_id  title  archived  sold
              -------  -----  --------  ----
              "1"      Gold   0         0

            read by the projector
              A  plan.created | plan.archived | warranty.sold

                                                      A
              1  plan.created  plan_id:1, shop_id:42  read

            fix
              where it is right, `UPDATE_EXPECT=1 cargo test` writes the snapshot
        "#]]
        .assert_eq(&message);
    }
    fails(
        || plans.then_table("palns", expect![[r#""#]]),
        expect![[r#"
            the test's own query failed

            scenario
              given    1  plan.created  plan_id:1, shop_id:42
              project  Plans

            query
              SELECT * FROM "palns"

            cause
              no such table: palns

            tables
              plans
              plan_id  title  archived  sold
              -------  -----  --------  ----
              "1"      Gold   0         0
        "#]],
    );
}
