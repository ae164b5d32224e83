//! Other events than expected, and no events at all.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::shop::*;
use super::super::support::fails;
use super::shop;

#[test]
fn another_field() {
    fails(
        || {
            shop()
                .when(create_plan::execute, create_plan::input(1))
                .then(events![PlanCreated {
                    title: "Silver".to_owned(),
                    ..plan(1)
                }])
        },
        expect![[r#"
            the emitted events are not the expected ones

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            events (- expected, + emitted)
                1  plan.created
                     months: 24
                     plan_id: 1
                     shop_id: 42
                   - title: "Silver"
                   + title: "Gold"

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
}

#[test]
fn another_domain_id() {
    fails(
        || {
            shop()
                .when(create_plan::execute, create_plan::input(1))
                .then(events![plan(2)])
        },
        expect![[r#"
            the emitted events are not the expected ones

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            events (- expected, + emitted)
                1  plan.created
                     months: 24
                   - plan_id: 2
                   + plan_id: 1
                     shop_id: 42
                     title: "Gold"
                   - tag plan_id:2
                   + tag plan_id:1

            cause
              `plan.created` carries `plan_id:1` where the test expects `plan_id:2`: folds that ask for one do not find the other

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
}

#[test]
fn another_type() {
    fails(
        || {
            shop()
                .when(
                    connect_shop::execute,
                    connect_shop::Input {
                        shop_id: 42,
                        name: "shop 42".to_owned(),
                    },
                )
                .then(events![connected(42)])
        },
        expect![[r#"
            the emitted events are not the expected ones

            scenario
              given    1  shop.connected    shop_id:42
              when     connect_shop::execute({"shop_id":42,"name":"shop 42"})
              emitted  2  shop.reconnected  shop_id:42

            events (- expected, + emitted)
              - 1  shop.connected
                   - name: "shop 42"
                   - shop_id: 42
              + 1  shop.reconnected
                   + name: "shop 42"
                   + shop_id: 42

            cause
              `shop.reconnected` was emitted instead of `shop.connected`, with the same fields

            boundary
              A  EventFold<ShopConnected>  shop.connected {shop_id:42}

                                             A
              1  shop.connected  shop_id:42  read
        "#]],
    );
}

#[test]
fn too_few_and_too_many() {
    let created = shop().when(create_plan::execute, create_plan::input(1));
    fails(
        || created.then(events![plan(1), PlanArchived { plan_id: 1 }]),
        expect![[r#"
            the emitted events are not the expected ones

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            events (- expected, + emitted)
                1  plan.created
              - 2  plan.archived
                   - plan_id: 1

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
    fails(
        || created.then_nothing(),
        expect![[r#"
            the emitted events are not the expected ones

            scenario
              given    1  shop.connected  shop_id:42
              when     create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted  2  plan.created    plan_id:1, shop_id:42

            events (- expected, + emitted)
              + 1  plan.created
                   + months: 24
                   + plan_id: 1
                   + shop_id: 42
                   + title: "Gold"

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                             A     B
              1  shop.connected  shop_id:42  read  other type
        "#]],
    );
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Two {
    #[domain_id]
    plan_id: u64,
}

#[test]
fn another_order() {
    let both = |input: Two, context: CommandContext| {
        Command::new(input, context)
            .fold::<PlanFold>()
            .execute(|input, _| {
                Ok(emit![
                    plan(input.plan_id),
                    PlanArchived {
                        plan_id: input.plan_id
                    }
                ])
            })
    };
    fails(
        || {
            given_nothing()
                .when(both, Two { plan_id: 1 })
                .then(events![PlanArchived { plan_id: 1 }, plan(1)])
        },
        expect![[r#"
            the emitted events are not the expected ones

            scenario
              when     |input, context| ..({"plan_id":1})
              emitted  1  plan.created   plan_id:1, shop_id:42
                       2  plan.archived  plan_id:1

            events (- expected, + emitted)
              - 1  plan.archived
                   - plan_id: 1
                1  plan.created
              + 2  plan.archived
                   + plan_id: 1

            cause
              the events are right, their order is not

            boundary
              the log was empty; these were asked for:
              A  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}
        "#]],
    );
}

#[test]
fn rejected_instead_of_emitting() {
    fails(
        || {
            given(events![
                connected(7),
                ShopReconnected {
                    shop_id: 42,
                    name: "x".to_owned()
                }
            ])
            .when(create_plan::execute, create_plan::input(1))
            .then(events![plan(1)])
        },
        expect![[r#"
            1 event was expected, but the command was rejected

            scenario
              given     1  shop.connected    shop_id:7
                        2  shop.reconnected  shop_id:42
              when      create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              rejected  shop does not exist

            cause
              rejected: shop does not exist

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                               A                       B
              1  shop.connected    shop_id:7   missing tag shop_id:42  other type
              2  shop.reconnected  shop_id:42  other type              other type
        "#]],
    );
}

#[test]
fn a_shredded_event_is_named_in_the_grid() {
    fails(
        || {
            shop()
                .shredded("shop_id", 42)
                .when(create_plan::execute, create_plan::input(1))
                .then(events![plan(1)])
        },
        expect![[r#"
            1 event was expected, but the command was rejected

            scenario
              given     1  shop.connected  shop_id:42
              shredded  shop_id:42
              when      create_plan::execute({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              rejected  shop does not exist

            cause
              rejected: shop does not exist
              `shop.connected {shop_id:42}` at position 1 was found and skipped: its data key is deleted, so to the folds it never happened

            fix
              where the rule has to outlive the data, decide on an event that is not encrypted and says nothing about a person, such as one with a keyed hash of the name

            boundary
              A  ShopExistsFold  shop.connected {shop_id:42}
              B  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}

                                                         A                         B
              1  shop.connected  shop_id:42  (shredded)  read, skipped (shredded)  other type
        "#]],
    );
}

#[test]
fn a_used_key_is_the_cause() {
    let key = Uuid::from_u128(7);
    let sold_once = given(events![plan(1)]).when_with(
        sell_warranty::execute,
        sell_warranty::input(7),
        |context| context.with_idempotency_key(key),
    );
    fails(
        || sold_once.when_again().then(events![sold(7)]),
        expect![[r#"
            the emitted events are not the expected ones

            scenario
              given     1  plan.created   plan_id:1, shop_id:42
              when      sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
              with key  00000000-0000-0000-0000-000000000007
              emitted   2  warranty.sold  plan_id:1, line_item_id:7
              when      sell_warranty::execute({"plan_id":1,"line_item_id":7,"price":"9.90"})
              with key  00000000-0000-0000-0000-000000000007
              emitted   nothing

            events (- expected, + emitted)
              - 1  warranty.sold
                   - line_item_id: 7
                   - plan_id: 1
                   - price: "9.90"

            cause
              the idempotency key was used before, by the event at position 2, so the command did not decide again

            boundary
              A  PlanFold  plan.created | plan.archived #[scope(plan_id)] {plan_id:1}
              B  EventCounter<WarrantySold>  warranty.sold {line_item_id:7}

                                                           A           B
              1  plan.created   plan_id:1, shop_id:42      read        other type
              2  warranty.sold  plan_id:1, line_item_id:7  other type  read
        "#]],
    );
}

#[test]
fn a_panicking_command() {
    let broken = |_: Two, _: CommandContext| -> anyhow::Result<ExecuteOutput> { panic!("a bug") };
    fails(
        || {
            given_nothing()
                .when(broken, Two { plan_id: 1 })
                .then_nothing()
        },
        expect![[r#"
            no event was expected, but the command panicked

            scenario
              when      |input, context| ..({"plan_id":1})
              panicked  a bug, at events.rs

            cause
              panicked: a bug, at events.rs
        "#]],
    );
    let greedy = |_: Two, _: CommandContext| -> anyhow::Result<ExecuteOutput> {
        Client::new().get("https://example.com").send()?;
        Ok(ExecuteOutput::default())
    };
    fails(
        || {
            given_nothing()
                .when(greedy, Two { plan_id: 1 })
                .then_nothing()
        },
        expect![[r#"
            no event was expected, but the command panicked

            scenario
              when      |input, context| ..({"plan_id":1})
              panicked  a command has no HTTP client: its world does not import it, in production as in tests, at engine.rs

            cause
              panicked: a command has no HTTP client: its world does not import it, in production as in tests, at engine.rs
        "#]],
    );
}
