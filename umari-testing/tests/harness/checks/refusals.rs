//! What effects may make of a request that is refused.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::shop::*;
use super::super::support::fails;

const GREETINGS: &str = "https://greet.test/hello";

fn greet(event: &StoredEvent<ShopConnected>) -> Result<Response, HttpError> {
    Client::new()
        .post(GREETINGS)
        .header("Idempotency-Key", event.id.to_string())
        .send()
}

fn register(shop_id: u64, topic: &str) -> anyhow::Result<ExecuteOutput> {
    let topic = topic.to_owned();
    record_registration(Registration { shop_id, topic }, CommandContext::new())
}

fn registered(shop_id: u64) -> anyhow::Result<Vec<String>> {
    Ok(FoldQuery::new().fold(RegisteredFold { shop_id }).run()?)
}

macro_rules! effect {
    ($(#[$doc:meta])* $name:ident, $handle:expr) => {
        $(#[$doc])*
        struct $name;

        impl Effect for $name {
            type Query = SingleEvent<ShopConnected>;

            fn init() -> anyhow::Result<Self> {
                Ok(Self)
            }

            fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
                if registered(event.data.shop_id)?.iter().any(|topic| topic != "begun") {
                    return Ok(());
                }
                let handle: fn(StoredEvent<ShopConnected>) -> anyhow::Result<()> = $handle;
                handle(event)
            }
        }
    };
}

effect!(
    /// Tries three times by itself.
    Insistent,
    |event| {
        for _ in 0..3 {
            if greet(&event)?.status().is_success() {
                register(event.data.shop_id, "greeted")?;
                return Ok(());
            }
        }
        anyhow::bail!("refused three times")
    }
);

effect!(
    /// Writes down that it was refused.
    Resigned,
    |event| {
        let topic = if greet(&event)?.status().is_success() {
            "greeted"
        } else {
            "refused"
        };
        register(event.data.shop_id, topic)?;
        Ok(())
    }
);

effect!(
    /// Writes down that it has begun, and does not begin twice.
    BegunOnce,
    |event| {
        let begun = register(event.data.shop_id, "begun")?;
        anyhow::ensure!(begun.has_event::<WebhookRegistered>(), "begun before");
        let answer = greet(&event)?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        register(event.data.shop_id, "greeted")?;
        Ok(())
    }
);

effect!(
    /// Writes down that it has begun, and leaves the rest to nobody.
    BegunForNothing,
    |event| {
        if register(event.data.shop_id, "begun")?.has_event::<WebhookRegistered>() {
            let answer = greet(&event)?;
            anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        }
        Ok(())
    }
);

effect!(
    /// Does not care whether anybody answers.
    Careless,
    |event| {
        let _ = greet(&event);
        Ok(())
    }
);

const WEATHER: &str = "https://weather.test/today";

effect!(
    /// Asks for the weather, and greets without it where nobody knows.
    Talkative,
    |event| {
        let weather = Client::new().get(WEATHER).send()?;
        let _ = weather.status().is_success();
        let answer = greet(&event)?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        register(event.data.shop_id, "greeted")?;
        Ok(())
    }
);

effect!(
    /// Asks for the weather, and greets in the sun alone.
    Choosy,
    |event| {
        if Client::new().get(WEATHER).send()?.status().is_success() {
            let answer = greet(&event)?;
            anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
            register(event.data.shop_id, "greeted")?;
        }
        Ok(())
    }
);

fn shop() -> Given {
    given_nothing().with_http(|http| http.post(GREETINGS).reply(200))
}

#[test]
fn a_refusal_that_is_made_up_for_is_left_alone() {
    shop()
        .when_event(connected(42))
        .run::<Insistent>()
        .then_requests([Request::post(GREETINGS)]);
    shop()
        .when_event(connected(42))
        .run::<Resigned>()
        .then_requests([Request::post(GREETINGS)]);
    // The scenario is about a refusal already.
    given_nothing()
        .with_http(|http| http.post(GREETINGS).reply(404))
        .when_event(connected(42))
        .run::<Resigned>()
        .then(events![WebhookRegistered {
            shop_id: 42,
            topic: "refused".to_owned()
        }]);
}

#[test]
fn an_answer_that_is_not_needed_may_be_missing() {
    let shop = shop().with_http(|http| http.get(WEATHER).reply(200));
    shop.when_event(connected(42))
        .run::<Talkative>()
        .then_requests([Request::get(WEATHER), Request::post(GREETINGS)]);
    fails(
        || shop.when_event(connected(42)).run::<Choosy>(),
        expect![[r#"
            `Choosy` forgets `GET https://weather.test/today` when it is answered with 500

            scenario
              event  1  shop.connected  shop_id:42
              run    Choosy

            log (- undisturbed, + answered with 500)
                1  shop.connected
              - 2  webhook.registered
                   - shop_id: 42
                   - topic: "greeted"

            cause
              `GET https://weather.test/today` was answered with 500, and `handle` returned `Ok`: the host takes the event for handled, and never delivers it again

            fix
              return an error, `anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status())`, and the host delivers the event again; or record that it failed
              or, if it is meant, `.without(check::SERVER_ERROR, "why")`
        "#]],
    );
}

#[test]
fn a_retry_that_cannot_succeed() {
    fails(
        || {
            shop()
                .without(check::CRASH_SWEEP, "finds the same")
                .when_event(connected(42))
                .run::<BegunOnce>()
        },
        expect![[r#"
            `BegunOnce` fails when `POST https://greet.test/hello` is answered with 500, and the event redelivered

            scenario
              event  1  shop.connected  shop_id:42
              run    BegunOnce

            cause
              begun before

            fix
              let a delivery go on from whatever an earlier one has left behind: what is recorded is no error
              or, if it is meant, `.without(check::SERVER_ERROR, "why")`
        "#]],
    );
}

#[test]
fn a_retry_that_leaves_the_request_out() {
    fails(
        || {
            shop()
                .without(check::CRASH_SWEEP, "finds the same")
                .when_event(connected(42))
                .run::<BegunForNothing>()
        },
        expect![[r#"
            `BegunForNothing` never sends `POST https://greet.test/hello` when `POST https://greet.test/hello` is answered with 500, and the event redelivered

            scenario
              event  1  shop.connected  shop_id:42
              run    BegunForNothing

            cause
              the request is recorded as done before it is done: the next delivery finds the record, and leaves the request out

            fix
              record that the work is done after it is done: ask the log, then call, then record
              or, if it is meant, `.without(check::SERVER_ERROR, "why")`
        "#]],
    );
}

#[test]
fn no_answer_is_no_success() {
    fails(
        || {
            given_nothing()
                .with_http(|http| http.post(GREETINGS).fails("timeout"))
                .when_event(connected(42))
                .run::<Careless>()
                .then_failed("timeout")
        },
        expect![[r#"
            the effect was expected to fail with "timeout", but succeeded

            scenario
              event  1  shop.connected  shop_id:42
              run    Careless
              sent   POST https://greet.test/hello

            cause
              `POST https://greet.test/hello` got no answer, and `handle` returned `Ok`: the host takes the event for handled, and never delivers it again

            fix
              return an error, `anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status())`, and the host delivers the event again; or record that it failed
        "#]],
    );
    shop()
        .without(check::SERVER_ERROR, "a greeting may be lost")
        .when_event(connected(42))
        .run::<Careless>()
        .then_requests([Request::post(GREETINGS)]);
}
