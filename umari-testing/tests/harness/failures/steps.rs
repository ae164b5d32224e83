//! The `then` steps of commands and folds.

use umari_testing::prelude::*;

use super::super::shop::*;
use super::super::support::fails;
use super::shop;

#[test]
fn emitting_instead_of_rejected() {
    let created = shop().when(create_plan::execute, create_plan::input(1));
    fails(
        || created.then_rejected("plan already exists"),
        expect![[r#"
            a rejection with "plan already exists" was expected, but the command succeeded

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            emitted
                1  plan.created
                     months: 24
                     plan_id: 1
                     shop_id: 42
                     title: "Gold"

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
    fails(
        || created.then_invalid("title"),
        expect![[r#"
            the field `title` was expected to be invalid, but the command succeeded

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            emitted
                1  plan.created
                     months: 24
                     plan_id: 1
                     shop_id: 42
                     title: "Gold"

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
    fails(
        || created.then_conflict(),
        expect![[r#"
            a conflict was expected, but the command succeeded

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            emitted
                1  plan.created
                     months: 24
                     plan_id: 1
                     shop_id: 42
                     title: "Gold"

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
}

#[test]
fn rejected_for_another_reason() {
    let sale = given(events![plan(1), PlanArchived { plan_id: 1 }])
        .when(sell_warranty::execute, sell_warranty::input(7));
    fails(
        || sale.then_rejected("sold before"),
        expect![[r#"
            the command was rejected for another reason

            scenario
              given     1  plan.created   plan_id:1, shop_id:42
                        2  plan.archived  plan_id:1
              when      sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
              rejected  the plan is archived

            message (- expected to contain, + actual)
              - sold before
              + the plan is archived

            boundary
              A  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}
              B  EventCounter<WarrantySold>  warranty.sold {line_item_id:7}

                                                       A     B
              1  plan.created   plan_id:1, shop_id:42  read  other type
              2  plan.archived  plan_id:1              read  other type
        "#]],
    );
    fails(
        || sale.then_rejected_with::<SaleError>(|error| *error == SaleError::SoldBefore),
        expect![[r#"
            the rejection is not what the test's closure wants

            scenario
              given     1  plan.created   plan_id:1, shop_id:42
                        2  plan.archived  plan_id:1
              when      sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
              rejected  the plan is archived

            error
              Archived

            boundary
              A  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}
              B  EventCounter<WarrantySold>  warranty.sold {line_item_id:7}

                                                       A     B
              1  plan.created   plan_id:1, shop_id:42  read  other type
              2  plan.archived  plan_id:1              read  other type
        "#]],
    );
    fails(
        || sale.then_rejected_with::<std::num::ParseIntError>(|_| true),
        expect![[r#"
            the command was rejected with an error of another type

            scenario
              given     1  plan.created   plan_id:1, shop_id:42
                        2  plan.archived  plan_id:1
              when      sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
              rejected  the plan is archived

            expected
              ParseIntError

            actual
              the plan is archived

            boundary
              A  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}
              B  EventCounter<WarrantySold>  warranty.sold {line_item_id:7}

                                                       A     B
              1  plan.created   plan_id:1, shop_id:42  read  other type
              2  plan.archived  plan_id:1              read  other type
        "#]],
    );
    fails(
        || sale.receipt(),
        expect![[r#"
            a receipt was asked for, but the command was rejected

            scenario
              given     1  plan.created   plan_id:1, shop_id:42
                        2  plan.archived  plan_id:1
              when      sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
              rejected  the plan is archived

            cause
              rejected: the plan is archived

            boundary
              A  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}
              B  EventCounter<WarrantySold>  warranty.sold {line_item_id:7}

                                                       A     B
              1  plan.created   plan_id:1, shop_id:42  read  other type
              2  plan.archived  plan_id:1              read  other type
        "#]],
    );
}

#[test]
fn another_field_is_invalid() {
    fails(
        || {
            shop()
                .when(
                    create_plan::execute,
                    create_plan::Input {
                        months: 0,
                        title: String::new(),
                        ..create_plan::input(1)
                    },
                )
                .then_invalid("shop_id")
        },
        expect![[r#"
            the input is invalid, but not because of `shop_id`

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"","months":0})
              invalid  invalid input: months: must be between 1 and 120; title: length must be between 1 and 20

            fields
              months
              title

            cause
              invalid input: months: must be between 1 and 120; title: length must be between 1 and 20
        "#]],
    );
}

#[test]
fn events_by_type_content_and_count() {
    let created = shop().when(create_plan::execute, create_plan::input(1));
    fails(
        || created.then_event::<PlanArchived>(|_| true),
        expect![[r#"
            `plan.archived` was not emitted

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            emitted
              plan.created {plan_id:1, shop_id:42}

            cause
              `plan.created` was emitted instead of `plan.archived`

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
    fails(
        || created.then_event::<PlanCreated>(|plan| plan.months == 12),
        expect![[r#"
            `plan.created` is not what the test's closure wants

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            emitted
                1  plan.created
                     months: 24
                     plan_id: 1
                     shop_id: 42
                     title: "Gold"

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
    fails(
        || created.then_count::<PlanCreated>(2),
        expect![[r#"
            `plan.created` was emitted once instead of 2 times

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
    fails(
        || {
            created.then_contains(PlanCreated {
                months: 12,
                ..plan(1)
            })
        },
        expect![[r#"
            `plan.created` was emitted with other fields

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            event (- expected, + emitted)
                1  plan.created
                   - months: 12
                   + months: 24
                     plan_id: 1
                     shop_id: 42
                     title: "Gold"

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
    fails(
        || created.then_contains(PlanArchived { plan_id: 1 }),
        expect![[r#"
            `plan.archived` was not emitted

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            events (- expected, + emitted)
              - 1  plan.archived
                   - plan_id: 1
              + 1  plan.created
                   + months: 24
                   + plan_id: 1
                   + shop_id: 42
                   + title: "Gold"

            cause
              `plan.created` was emitted instead of `plan.archived`

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
    fails(
        || created.then_tags(["plan_id:1"]),
        expect![[r#"
        the emitted events carry other tags

        scenario
          given    1  shop.connected  shop_id:42
          when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
          emitted  2  plan.created    plan_id:1, shop_id:42

        tags (- expected, + emitted)
            plan_id:1
          + shop_id:42

        fix
          a field becomes a tag when it is marked `#[domain_id]`
    "#]],
    );
    fails(
        || created.then_read(events![connected(42), connected(43)]),
        expect![[r#"
            the command read other events than expected

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            events (- expected, + read)
                1  shop.connected
              - 2  shop.connected
                   - name: "shop 43"
                   - shop_id: 43

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
}

#[test]
fn another_state() {
    fails(
        || {
            given(events![plan(1)]).then_state(
                PlanFold { plan_id: 2 },
                PlanState {
                    title: Some("Gold".to_owned()),
                    archived: false,
                },
            )
        },
        expect![[r#"
            the state of `PlanFold` is not as expected

            scenario
              given  1  plan.created  plan_id:1, shop_id:42

            state (- expected, + actual)
                PlanState {
              -     title: Some(
              -         "Gold",
              -     ),
              +     title: None,
                    archived: false,
                }

            boundary
              A  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:2}

                                                      A
              1  plan.created  plan_id:1, shop_id:42  excluded by #[scope(plan_id)]
        "#]],
    );
}

#[test]
fn a_scope_that_nothing_is_encrypted_under() {
    fails(
        || shop().and(events![plan(1)]).shredded("plan_id", 1),
        expect![[r#"
        no given event is encrypted under `plan_id:1`

        scenario
          given  1  shop.connected  shop_id:42
                 2  plan.created    plan_id:1, shop_id:42

        scopes
          shop_id:42

        cause
          an event is encrypted under the domain id that is marked `#[crypto_scope]`
    "#]],
    );
}

#[test]
fn a_given_command_that_does_not_succeed() {
    fails(
        || given_nothing().given_command(create_plan::execute, create_plan::input(1)),
        expect![[r#"
            this command was given, so it has to succeed, but the command was rejected

            scenario
              given     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              rejected  shop does not exist

            cause
              rejected: shop does not exist

            boundary
              the log was empty; these were asked for:
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}
        "#]],
    );
}
