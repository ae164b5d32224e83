//! The crash sweep.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::shop::*;
use super::super::support::fails;

const GREETINGS: &str = "https://greet.test/hello";

/// Greets a shop once, and does not say so in a way that the target could recognise.
struct GreetForgetfully {}

impl Effect for GreetForgetfully {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        let shop_id = event.data.shop_id;
        let greeted = FoldQuery::new().fold(RegisteredFold { shop_id }).run()?;
        if !greeted.is_empty() {
            return Ok(());
        }
        let answer = Client::new()
            .post(GREETINGS)
            .json(&json!({ "shop": shop_id }))
            .send()?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
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

            cause
              the request is recorded as done before it is done: the next delivery finds the record, and leaves the request out

            fix
              record that the work is done after it is done: ask the log, then call, then record
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

            log (- undisturbed, + disturbed)
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

/// Keeps a record of one shop. For the others the key alone keeps the target from greeting twice.
struct GreetByKey {}

impl Effect for GreetByKey {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self {})
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        let shop_id = event.data.shop_id;
        if !FoldQuery::new()
            .fold(RegisteredFold { shop_id })
            .run()?
            .is_empty()
        {
            return Ok(());
        }
        let answer = Client::new()
            .post(GREETINGS)
            .header("Idempotency-Key", event.id.to_string())
            .send()?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        if shop_id == 42 {
            let topic = "greeting".to_owned();
            record_registration(Registration { shop_id, topic }, CommandContext::new())?;
        }
        Ok(())
    }
}

#[test]
fn crash_sweep_leaves_a_key_alone_where_nothing_is_recorded() {
    // 42 is recorded, and the others are greeted after it: one of them again, after a crash.
    given(events![connected(42), connected(43), connected(44)])
        .with_http(|http| http.post(GREETINGS).reply(200))
        .when_caught_up()
        .run::<GreetByKey>()
        .then_requests([
            Request::post(GREETINGS),
            Request::post(GREETINGS),
            Request::post(GREETINGS),
        ]);
}
