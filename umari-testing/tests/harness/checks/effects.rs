//! The crash sweep.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::shop::*;
use super::super::support::fails;

const GREETINGS: &str = "https://greet.test/hello";

/// Greets a shop once, and keeps no record.
struct GreetForgetfully {}

impl Effect for GreetForgetfully {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        Client::new()
            .post(GREETINGS)
            .json(&json!({ "shop": event.data.shop_id }))
            .send()?;
        let shop_id = event.data.shop_id;
        record_registration(
            Registration {
                shop_id,
                topic: "greeting".to_owned(),
            },
            CommandContext::new(),
        )?;
        Ok(())
    }
}

#[test]
fn crash_sweep_finds_a_request_without_a_key() {
    let shop = given_nothing().with_http(|http| http.post(GREETINGS).reply(200));
    fails(
        || shop.when_event(connected(42)).run::<GreetForgetfully>(),
        expect![[r#"
        `GreetForgetfully` repeats `POST https://greet.test/hello` when it is killed right after `POST https://greet.test/hello` was sent, and redelivered

        scenario
          event  1  shop.connected  shop_id:42
          run    GreetForgetfully

        cause
          between a request and the event that records it a crash can always happen, and nobody can tell the target that this is the same request

        fix
          send an `Idempotency-Key` header that depends on the event alone, such as its id; or, if the target drops duplicates by itself, `.tolerates_repeats("why")`
    "#]],
    );
    shop.tolerates_repeats("two greetings are friendlier than one")
        .when_event(connected(42))
        .run::<GreetForgetfully>()
        .then_requests([Request::post(GREETINGS)]);
}

/// Records before it acts, and so never acts after a crash in between.
struct RecordFirst {}

impl Effect for RecordFirst {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        let shop_id = event.data.shop_id;
        let output = record_registration(
            Registration {
                shop_id,
                topic: "greeting".to_owned(),
            },
            CommandContext::new(),
        )?;
        if output.has_event::<WebhookRegistered>() {
            Client::new().post(GREETINGS).send()?;
        }
        Ok(())
    }
}

#[test]
fn crash_sweep_finds_a_request_that_is_lost() {
    let shop = given_nothing().with_http(|http| http.post(GREETINGS).reply(200));
    fails(
        || shop.when_event(connected(42)).run::<RecordFirst>(),
        expect![[r#"
        `RecordFirst` never sends `POST https://greet.test/hello` when it is killed right after a commit, and redelivered

        scenario
          event  1  shop.connected  shop_id:42
          run    RecordFirst

        fix
          record that the work is done after it is done
          or, if it is meant, `.without(check::CRASH_SWEEP, "why")`
    "#]],
    );
}

/// Records every delivery.
struct RecordAlways {}

fn record_carelessly(
    input: Registration,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<ShopExistsFold>()
        .execute(|input, _| {
            Ok(emit![WebhookRegistered {
                shop_id: input.shop_id,
                topic: input.topic
            }])
        })
}

impl Effect for RecordAlways {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        let shop_id = event.data.shop_id;
        record_carelessly(
            Registration {
                shop_id,
                topic: "greeting".to_owned(),
            },
            CommandContext::new(),
        )?;
        Ok(())
    }
}

#[test]
fn crash_sweep_finds_a_record_that_is_doubled() {
    fails(
        || {
            given_nothing()
                .when_event(connected(42))
                .run::<RecordAlways>()
        },
        expect![[r#"
        `RecordAlways` leaves other events when it is killed right after a commit, and redelivered

        scenario
          event  1  shop.connected  shop_id:42
          run    RecordAlways

        log (- undisturbed, + killed and redelivered)
            1  shop.connected
            2  webhook.registered
          + 3  webhook.registered
               + shop_id: 42
               + topic: "greeting"

        fix
          ask the log, by a `FoldQuery` or a fold of the recording command, whether the work was done and recorded before
          or, if it is meant, `.without(check::CRASH_SWEEP, "why")`
    "#]],
    );
}
