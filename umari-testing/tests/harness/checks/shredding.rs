//! What the shred sweep takes for a fault, and what not.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::shop::*;
use super::super::support::fails;

#[test]
fn a_call_may_be_rejected_when_what_it_was_about_is_gone() {
    given(events![connected(42), connected(43)])
        .when(create_plan::execute, create_plan::input(1))
        .then(events![plan(1)])
        .then_survives_shredding();
}

/// As it is written by somebody who takes for granted that a shop is there.
fn create_trustingly(
    input: create_plan::Input,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventFold<ShopConnected>>()
        .fold::<PlanFold>()
        .execute(|input, (shops, plan)| {
            let shop = &shops.events[0].data;
            anyhow::ensure!(plan.title.is_none(), "plan already exists");
            Ok(emit![PlanCreated {
                plan_id: input.plan_id,
                shop_id: shop.shop_id,
                title: input.title,
                months: input.months
            }])
        })
}

#[test]
fn a_command_that_panics() {
    fails(
        || {
            given(events![connected(42)])
                .when(create_trustingly, create_plan::input(1))
                .then_survives_shredding()
        },
        expect![[r#"
            `create_trustingly` panics once `shop_id:42` is shredded

            scenario
              given     1  shop.connected  shop_id:42
              when      create_trustingly({"plan_id":1,"shop_id":42,"title":"Gold","months":24})
              emitted   2  plan.created    plan_id:1, shop_id:42
              shredded  shop_id:42
              when      create_trustingly({"plan_id":1,"shop_id":42,"title":"Gold","months":24})

            cause
              index out of bounds: the len is 0 but the index is 0, at shredding.rs

            fix
              an event whose data key is deleted comes to nobody: do without it, as if it had never been written
        "#]],
    );
}

/// Tells the registry of shops without a name.
struct Report;

impl Effect for Report {
    type Query = SingleEvent<PlanCreated>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<PlanCreated>) -> anyhow::Result<()> {
        let shop_id = event.data.shop_id;
        let known = FoldQuery::new().fold(ShopExistsFold { shop_id }).run()?;
        let place = if known { "known" } else { "unknown" };
        let answer = Client::new()
            .put(format!("https://registry.test/{place}"))
            .send()?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        Ok(())
    }
}

#[test]
fn an_effect_that_sends_what_nobody_scripted() {
    fails(
        || {
            given(events![connected(42)])
                .with_http(|http| http.put("https://registry.test/known").reply(204))
                .when_event(plan(1))
                .run::<Report>()
                .then_survives_shredding()
        },
        expect![[r#"
            `Report` sends something else once `shop_id:42` is shredded

            scenario
              given     1  shop.connected  shop_id:42
              event     2  plan.created    plan_id:1, shop_id:42
              run       Report
              shredded  shop_id:42

            cause
              the effect sent `PUT https://registry.test/unknown`, which the test does not script

            fix
              where that is meant, script it: `.with_http(|http| http.post(url).reply(200))`
        "#]],
    );
    given(events![connected(42)])
        .with_http(|http| {
            http.put("https://registry.test/known").reply(204);
            http.put("https://registry.test/unknown").reply(204)
        })
        .when_event(plan(1))
        .run::<Report>()
        .then_requests(["PUT https://registry.test/known"])
        .then_survives_shredding();
}

/// Takes the name of the shop from the plan's title.
struct Notify;

impl Effect for Notify {
    type Query = SingleEvent<PlanCreated>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<PlanCreated>) -> anyhow::Result<()> {
        let answer = Client::new()
            .put("https://notify.test/")
            .json(&json!({ "subject": event.data.title }))
            .send()?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        Ok(())
    }
}

#[test]
fn a_request_that_says_what_was_shredded() {
    let named = PlanCreated {
        title: "Gold for shop 42".to_owned(),
        ..plan(1)
    };
    let notified = given(events![connected(42)])
        .with_http(|http| http.put("https://notify.test/").reply(204))
        .when_event(named)
        .run::<Notify>();
    fails(
        || notified.then_survives_shredding(),
        expect![[r#"
        `PUT https://notify.test/` still says what `name` of `shop.connected` said, once `shop_id:42` is shredded

        scenario
          given     1  shop.connected  shop_id:42
          event     2  plan.created    plan_id:1, shop_id:42
          run       Notify
          shredded  shop_id:42

        cause
          the value of `name` was written a second time, in an event that is not encrypted under `shop_id:42`

        fix
          encrypt that event too, with `#[crypto_scope]` on the same domain id, or leave the value out of it; or, where it may stay, `.without(check::PLAINTEXT, "why")`
    "#]],
    );
}

#[test]
fn words_of_everybody_are_no_secrets() {
    // Another shop of the same name, and a name that is part of the input.
    let twin = ShopConnected {
        shop_id: 43,
        ..connected(42)
    };
    let same_title = PlanCreated {
        title: "shop 42".to_owned(),
        ..plan(1)
    };
    given(events![connected(42), twin, same_title.clone()])
        .then_fold_survives_shredding(ShopExistsFold { shop_id: 42 });
    given(events![connected(42)])
        .when(
            create_plan::execute,
            create_plan::Input {
                title: "shop 42".to_owned(),
                ..create_plan::input(1)
            },
        )
        .then(events![same_title])
        .then_survives_shredding();
}
