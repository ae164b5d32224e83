//! Effects with a scripted HTTP target.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::shop::*;

fn registered(topic: &str) -> WebhookRegistered {
    WebhookRegistered {
        shop_id: 42,
        topic: topic.to_owned(),
    }
}

fn deployed() -> Given {
    given_nothing().env("HOOKS", HOOKS)
}

#[test]
fn sends_records_and_does_not_repeat() {
    deployed()
        .with_http(|http| http.post(HOOKS).reply(201).json(json!({ "id": 1 })))
        .when_event(connected(42))
        .run::<RegisterWebhooks>()
        .then_requests([
            Request::post(HOOKS)
                .json(json!({ "shop": 42, "topic": "paid" }))
                .header(
                    "idempotency-key",
                    "e0000000-0000-0000-0000-000000000001-paid",
                ),
            Request::post(HOOKS),
        ])
        .then(events![registered("paid"), registered("cancelled")])
        .then_partition_key("42")
        .redelivered()
        .then_no_requests()
        .then_nothing();
}

#[test]
fn requests_are_lines_where_nothing_else_matters() {
    deployed()
        .and(events![registered("paid")])
        .with_http(|http| {
            http.post(HOOKS).reply(200);
        })
        .when_event(connected(42))
        .run::<RegisterWebhooks>()
        .then_requests([format!("POST {HOOKS}").as_str()]);
}

#[test]
fn commands_of_an_effect_belong_to_its_event() {
    let outcome = deployed()
        .with_http(|http| http.post(HOOKS).reply(201))
        .when_event(connected(42))
        .run::<RegisterWebhooks>();
    let trigger = &outcome.fold(EventFold::<ShopConnected>::new()).events[0];
    for event in outcome.emitted() {
        assert_eq!(event.triggering_event_id, Some(trigger.id));
        assert_eq!(event.correlation_id, trigger.correlation_id);
    }
    outcome.then_state(EventCounter::<WebhookRegistered>::new(), 2);
}

#[test]
fn catches_up_with_a_history() {
    deployed()
        .and(events![connected(42), plan(1), connected(43)])
        .with_http(|http| http.post(HOOKS).reply(201))
        .when_caught_up()
        .run::<RegisterWebhooks>()
        .then_requests([
            Request::post(HOOKS),
            Request::post(HOOKS),
            Request::post(HOOKS),
            Request::post(HOOKS),
        ]);
}

#[test]
fn an_error_is_retried_and_goes_on_where_it_stopped() {
    deployed()
        .with_http(|http| http.post(HOOKS).reply(201).reply(503).reply(201))
        .when_event(connected(42))
        .run::<RegisterWebhooks>()
        .then_failed("refused: 503")
        .then(events![registered("paid")])
        .retried_after_error()
        .then_requests([Request::post(HOOKS).json(json!({ "shop": 42, "topic": "cancelled" }))])
        .then(events![registered("cancelled")]);
}

#[test]
fn a_broken_connection_is_an_error() {
    deployed()
        .with_http(|http| http.post(HOOKS).fails("connection-refused").reply(201))
        .when_event(connected(42))
        .run::<RegisterWebhooks>()
        .then_failed("the connection was refused")
        .then_nothing()
        .retried_after_error()
        .then(events![registered("paid"), registered("cancelled")]);
}

#[test]
fn a_shredded_event_is_passed_over() {
    deployed()
        .and(events![connected(42)])
        .shredded("shop_id", 42)
        .when_caught_up()
        .run::<RegisterWebhooks>()
        .then_no_requests()
        .then_nothing();
}

/// Counts deliveries in its own database.
struct Counts {}

impl Effect for Counts {
    type Query = SingleEvent<PlanArchived>;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE IF NOT EXISTS seen (event TEXT PRIMARY KEY)")?;
        Ok(Self {})
    }

    fn handle(&mut self, event: StoredEvent<PlanArchived>) -> anyhow::Result<()> {
        let id = event.id.to_string();
        if query_row("SELECT 1 FROM seen WHERE event = ?1", params![id.clone()]).is_none() {
            execute("INSERT INTO seen VALUES (?1)", params![id])?;
            let answer = Client::new().put("https://count.test/once").send()?;
            anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        }
        Ok(())
    }
}

#[test]
fn the_database_lives_through_redelivery() {
    given_nothing()
        .with_http(|http| http.put("https://count.test/once").reply(204))
        .when_event(PlanArchived { plan_id: 1 })
        .run::<Counts>()
        .then_requests(["PUT https://count.test/once"])
        .then_partition_key(None)
        .redelivered()
        .then_no_requests();
}
