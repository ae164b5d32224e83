//! Effects.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::shop::*;
use super::super::support::fails;

#[test]
fn an_unexpected_request() {
    let shop = given_nothing().env("HOOKS", HOOKS);
    fails(
        || shop.when_event(connected(42)).run::<RegisterWebhooks>(),
        expect![[r#"
        the effect sent `POST https://hooks.test/register`, which the test does not script

        scenario
          event   1  shop.connected  shop_id:42
          run     RegisterWebhooks
          sent    POST https://hooks.test/register
          failed  `POST https://hooks.test/register` is not scripted by this test

        fix
          script it: `.with_http(|http| http.post(url).reply(200))`
    "#]],
    );
    fails(
        || {
            shop.with_http(|http| http.get("https://else.test/").reply(200))
                .when_event(connected(42))
                .run::<RegisterWebhooks>()
        },
        expect![[r#"
            the effect sent `POST https://hooks.test/register`, which the test does not script

            scenario
              event   1  shop.connected  shop_id:42
              run     RegisterWebhooks
              sent    POST https://hooks.test/register
              failed  `POST https://hooks.test/register` is not scripted by this test

            scripted
              GET https://else.test/

            fix
              script it: `.with_http(|http| http.post(url).reply(200))`
        "#]],
    );
}

#[test]
fn other_requests() {
    let outcome = given_nothing()
        .env("HOOKS", HOOKS)
        .with_http(|http| http.post(HOOKS).reply(201))
        .when_event(connected(42))
        .run::<RegisterWebhooks>();
    fails(
        || {
            outcome.then_requests([
                Request::post(HOOKS)
                    .json(json!({ "shop": 42, "topic": "sold" }))
                    .header("Idempotency-Key", "none"),
                Request::post(HOOKS),
            ])
        },
        expect![[r#"
            the effect sent other requests than expected

            scenario
              event    1  shop.connected      shop_id:42
              run      RegisterWebhooks
              sent     POST https://hooks.test/register
                       POST https://hooks.test/register
              emitted  2  webhook.registered  shop_id:42
                       3  webhook.registered  shop_id:42

            requests (- expected, + sent)
                1  POST https://hooks.test/register
                     shop: 42
                   - topic: "sold"
                   + topic: "paid"
                   - header idempotency-key: none
                   + header idempotency-key: e0000000-0000-0000-0000-000000000001-paid
                2  POST https://hooks.test/register
        "#]],
    );
    fails(
        || outcome.then_no_requests(),
        expect![[r#"
        the effect sent other requests than expected

        scenario
          event    1  shop.connected      shop_id:42
          run      RegisterWebhooks
          sent     POST https://hooks.test/register
                   POST https://hooks.test/register
          emitted  2  webhook.registered  shop_id:42
                   3  webhook.registered  shop_id:42

        requests (- expected, + sent)
          + 1  POST https://hooks.test/register
               + shop: 42
               + topic: "paid"
          + 2  POST https://hooks.test/register
               + shop: 42
               + topic: "cancelled"
    "#]],
    );
    fails(
        || outcome.then_nothing(),
        expect![[r#"
        the effect's commands emitted other events than expected

        scenario
          event    1  shop.connected      shop_id:42
          run      RegisterWebhooks
          sent     POST https://hooks.test/register
                   POST https://hooks.test/register
          emitted  2  webhook.registered  shop_id:42
                   3  webhook.registered  shop_id:42

        events (- expected, + emitted)
          + 1  webhook.registered
               + shop_id: 42
               + topic: "paid"
          + 2  webhook.registered
               + shop_id: 42
               + topic: "cancelled"
    "#]],
    );
    fails(
        || outcome.then_partition_key(None),
        expect![[r#"
        the partition key of `shop.connected {shop_id:42}` is "42" instead of none

        scenario
          event    1  shop.connected      shop_id:42
          run      RegisterWebhooks
          sent     POST https://hooks.test/register
                   POST https://hooks.test/register
          emitted  2  webhook.registered  shop_id:42
                   3  webhook.registered  shop_id:42
    "#]],
    );
    fails(
        || outcome.then_failed("refused"),
        expect![[r#"
        the effect was expected to fail with "refused", but succeeded

        scenario
          event    1  shop.connected      shop_id:42
          run      RegisterWebhooks
          sent     POST https://hooks.test/register
                   POST https://hooks.test/register
          emitted  2  webhook.registered  shop_id:42
                   3  webhook.registered  shop_id:42
    "#]],
    );
    fails(
        || outcome.retried_after_error(),
        expect![[r#"
        the effect was to be retried after an error, but it succeeded

        scenario
          event    1  shop.connected      shop_id:42
          run      RegisterWebhooks
          sent     POST https://hooks.test/register
                   POST https://hooks.test/register
          emitted  2  webhook.registered  shop_id:42
                   3  webhook.registered  shop_id:42
    "#]],
    );
}

#[test]
fn an_effect_that_failed() {
    let outcome = given_nothing()
        .env("HOOKS", HOOKS)
        .with_http(|http| http.post(HOOKS).reply(500))
        .when_event(connected(42))
        .run::<RegisterWebhooks>();
    fails(
        || outcome.then_nothing(),
        expect![[r#"
        the effect failed at `shop.connected {shop_id:42}`

        scenario
          event   1  shop.connected  shop_id:42
          run     RegisterWebhooks
          sent    POST https://hooks.test/register
          failed  refused: 500

        cause
          refused: 500

        fix
          where that is meant, call `.then_failed("text")` first
    "#]],
    );
    fails(
        || outcome.then_requests([Request::post(HOOKS), Request::post(HOOKS)]),
        expect![[r#"
        the effect sent other requests than expected

        scenario
          event   1  shop.connected  shop_id:42
          run     RegisterWebhooks
          sent    POST https://hooks.test/register
          failed  refused: 500

        requests (- expected, + sent)
            1  POST https://hooks.test/register
          - 2  POST https://hooks.test/register

        cause
          the effect failed: refused: 500
    "#]],
    );
}

#[test]
fn an_effect_that_does_not_start() {
    fails(
        || {
            given_nothing()
                .when_event(connected(42))
                .run::<RegisterWebhooks>()
        },
        expect![[r#"
            `RegisterWebhooks::init` failed

            scenario
              event  1  shop.connected  shop_id:42
              run    RegisterWebhooks

            cause
              environment variable `HOOKS` is not set

            fix
              a missing variable is given with `.env("NAME", "value")`
        "#]],
    );
}
