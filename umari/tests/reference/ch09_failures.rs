//! Chapter 9: what an effect does about failures, and what it keeps to itself.

use umari::prelude::*;
use umari_testing::prelude::*;

use crate::domain::*;

struct Panics {}

impl Effect for Panics {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Panics {})
    }

    fn handle(&mut self, _event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        panic!("a bug");
    }
}

#[test]
fn a_panic_is_a_failure_too() {
    given_nothing()
        .when_event(connected(42))
        .run::<Panics>()
        .then_failed("panicked: a bug");
}

/// A failure that no repetition would cure, as a fact.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.welcome.refused")]
struct ShopWelcomeRefused {
    #[domain_id]
    shop_id: u64,
}

/// Welcomes each shop, and keeps to itself whom it has tried to welcome.
struct Welcome {
    note: Statement,
}

#[derive(DomainIds)]
struct RefusedInput {
    #[domain_id]
    shop_id: u64,
}

impl Effect for Welcome {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "CREATE TABLE IF NOT EXISTS tried (shop_id TEXT PRIMARY KEY, times INTEGER)",
        )?;
        Ok(Welcome {
            note: prepare(
                "INSERT INTO tried VALUES (?1, 1) \
                 ON CONFLICT (shop_id) DO UPDATE SET times = times + 1",
            ),
        })
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        let shop_id = event.data.shop_id;
        self.note.execute(params![shop_id.to_string()])?;
        let refused = EventCounter::<ShopWelcomeRefused>::new().with("shop_id", shop_id);
        if FoldQuery::new().fold(refused).run()? > 0 {
            return Ok(());
        }
        let times: i64 = query_one(
            "SELECT times FROM tried WHERE shop_id = ?1",
            params![shop_id.to_string()],
        )
        .get("times");
        let url = format!("https://welcome.example/{shop_id}/{times}");
        let answer = Client::new().put(url).send()?;
        if answer.status().is_client_error() {
            Command::new(RefusedInput { shop_id }, CommandContext::new())
                .fold::<EventCounter<ShopWelcomeRefused>>()
                .execute(|input, refused| {
                    if refused > 0 {
                        return Ok(emit![]);
                    }
                    Ok(emit![ShopWelcomeRefused {
                        shop_id: input.shop_id
                    }])
                })?;
            return Ok(());
        }
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        Ok(())
    }
}

#[test]
fn a_permanent_failure_that_is_recorded_is_skipped_from_then_on() {
    given_nothing()
        .with_http(|http| http.put("https://welcome.example/42/1").reply(410))
        .when_event(connected(42))
        .run::<Welcome>()
        .then(events![ShopWelcomeRefused { shop_id: 42 }])
        .redelivered()
        .then_no_requests()
        .then_nothing();
}

#[test]
fn an_effect_has_a_database_that_outlives_its_instance() {
    given_nothing()
        .with_http(|http| {
            http.put("https://welcome.example/42/1").reply(204);
            http.put("https://welcome.example/42/2").reply(204);
        })
        .without(
            check::CRASH_SWEEP,
            "the number in the URL is how the database shows itself",
        )
        .when_event(connected(42))
        .run::<Welcome>()
        .then_requests(["PUT https://welcome.example/42/1"])
        .redelivered()
        .then_requests(["PUT https://welcome.example/42/2"]);
}
