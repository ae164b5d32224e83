//! Chapter 9: an effect that registers webhooks, its lanes, requests, commands and configuration.

use umari::prelude::*;
use umari_testing::prelude::*;

use crate::domain::*;
use crate::store::Store;
use crate::support::stored;

// The trait.

#[test]
fn an_effect_is_a_set_of_events_a_start_a_lane_and_a_handler() {
    type Item<E> = StoredEvent<<<E as Effect>::Query as EventSet>::Item>;
    fn as_the_trait_says<E: Effect + Sized>() {
        let _init: fn() -> anyhow::Result<E> = E::init;
        let _partition_key: fn(&E, Item<E>) -> Option<String> = E::partition_key;
        let _handle: fn(&mut E, Item<E>) -> anyhow::Result<()> = E::handle;
    }
    as_the_trait_says::<RegisterWebhooks>();
}

// Registering webhooks: the effect, and beside it the command that only it calls.

mod commands {
    use umari::prelude::*;

    use crate::domain::{ShopExistsFold, ShopWebhookRegistrationCompleted};

    #[derive(DomainIds)]
    pub struct RecordWebhookRegistrationCompletedInput {
        #[domain_id]
        pub shop_id: u64,
        #[domain_id]
        pub topic: String,
    }

    pub fn record_webhook_registration_completed(
        input: RecordWebhookRegistrationCompletedInput,
        context: CommandContext,
    ) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<ShopExistsFold>()
            .execute(|input, shop_exists| {
                anyhow::ensure!(shop_exists, "shop does not exist");
                Ok(emit![ShopWebhookRegistrationCompleted {
                    shop_id: input.shop_id,
                    topic: input.topic,
                }])
            })
    }
}

use self::commands::{
    RecordWebhookRegistrationCompletedInput, record_webhook_registration_completed,
};

export_effect!(RegisterWebhooks);

#[derive(EventSet)]
enum Query {
    ShopConnected(ShopConnected),
    ShopReconnected(ShopReconnected),
}

struct RegisterWebhooks {
    client: Client,
    webhook_address: String,
}

impl Effect for RegisterWebhooks {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        let webhook_address = env::var("WEBHOOK_ADDRESS").expect("missing WEBHOOK_ADDRESS env var");
        Ok(Self {
            client: Client::new(),
            webhook_address,
        })
    }

    fn partition_key(&self, event: StoredEvent<Self::Query>) -> Option<String> {
        match event.data {
            Query::ShopConnected(ShopConnected { shop_id, .. })
            | Query::ShopReconnected(ShopReconnected { shop_id, .. }) => Some(shop_id.to_string()),
        }
    }

    fn handle(&mut self, event: StoredEvent<Self::Query>) -> anyhow::Result<()> {
        let (shop_id, shop_domain, access_token) = match event.data {
            Query::ShopConnected(ShopConnected {
                shop_id,
                shop_domain,
                access_token,
                ..
            })
            | Query::ShopReconnected(ShopReconnected {
                shop_id,
                shop_domain,
                access_token,
                ..
            }) => (shop_id, shop_domain, access_token),
        };
        let topics = ["orders/paid", "orders/cancelled"];

        // Was it done?
        let topics_registered = FoldQuery::new()
            .fold_iter(topics.iter().map(|topic| AlreadyRegisteredFold {
                shop_id,
                topic: topic.to_string(),
                current_event_id: event.id,
            }))
            .run()?;

        for (topic, registered) in topics.into_iter().zip(topics_registered) {
            if registered {
                continue;
            }

            // Do it.
            let result = self.register_webhook(event.id, &shop_domain, &access_token, topic)?;

            match result {
                Ok(()) => {
                    // Say so.
                    record_webhook_registration_completed(
                        RecordWebhookRegistrationCompletedInput {
                            shop_id,
                            topic: topic.to_string(),
                        },
                        CommandContext::new(),
                    )?;
                }
                // Only an error is tried again.
                Err(err) => anyhow::bail!("failed to register webhook for topic {topic}: {err}"),
            }
        }
        Ok(())
    }
}

impl RegisterWebhooks {
    /// An answer that says no is told apart from no answer at all.
    #[expect(
        clippy::needless_borrows_for_generic_args,
        reason = "users write it either way"
    )]
    fn register_webhook(
        &self,
        event_id: Uuid,
        shop_domain: &str,
        access_token: &str,
        topic: &str,
    ) -> anyhow::Result<Result<(), String>> {
        let resp = self
            .client
            .post(&format!("https://{shop_domain}/webhooks"))
            .header("Idempotency-Key", &format!("{event_id}/{topic}"))
            .header("Authorization", &format!("Bearer {access_token}"))
            .json(&json!({ "topic": topic, "address": self.webhook_address }))
            .connect_timeout(Duration::from_secs(5))
            .send()?;
        if resp.status().is_success() {
            return Ok(Ok(()));
        }
        Ok(Err(format!("status {}", resp.status())))
    }
}

const HOOKS: &str = "https://shop-42.example/webhooks";

fn deployed() -> Given {
    given_nothing().env("WEBHOOK_ADDRESS", "https://app.example/hooks")
}

fn both_topics() -> Events {
    events![
        registered(42, "orders/paid"),
        registered(42, "orders/cancelled")
    ]
}

#[test]
fn an_effect_asks_calls_and_records() {
    deployed()
        .with_http(|http| http.post(HOOKS).reply(201))
        .when_event(connected(42))
        .run::<RegisterWebhooks>()
        .then_requests(["orders/paid", "orders/cancelled"].map(|topic| {
            Request::post(HOOKS)
                .json(json!({ "topic": topic, "address": "https://app.example/hooks" }))
                .header("authorization", "Bearer token-1")
        }))
        .then(both_topics());
}

#[test]
fn an_event_that_is_delivered_again_changes_nothing() {
    deployed()
        .with_http(|http| http.post(HOOKS).reply(201))
        .when_event(connected(42))
        .run::<RegisterWebhooks>()
        .then(both_topics())
        .redelivered()
        .then_no_requests()
        .then_nothing();
}

#[test]
fn an_effect_that_starts_from_nothing_repeats_no_side_effect() {
    let done = deployed()
        .with_http(|http| http.post(HOOKS).reply(201))
        .when_event(connected(42))
        .run::<RegisterWebhooks>();
    done.then(both_topics());
    // With an empty database, and from position 0.
    done.when_caught_up()
        .run::<RegisterWebhooks>()
        .then_no_requests()
        .then_nothing();
}

#[test]
fn the_fold_looks_at_what_the_current_event_caused() {
    // Registered before, but because of another event: this one does its own work.
    deployed()
        .and(events![connected(42)])
        .and(both_topics())
        .with_http(|http| http.post("https://new-42.example/webhooks").reply(201))
        .when_event(reconnected(42))
        .run::<RegisterWebhooks>()
        .then(both_topics());
}

// Lanes.

/// An effect that says nothing about lanes.
struct Sequential {}

impl Effect for Sequential {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Sequential {})
    }

    fn handle(&mut self, _event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        Ok(())
    }
}

#[test]
fn without_a_partition_key_every_event_is_in_the_one_lane() {
    given_nothing()
        .when_event(connected(42))
        .run::<Sequential>()
        .then_partition_key(None);
}

#[test]
fn events_of_one_shop_share_a_lane_and_shops_do_not() {
    let lane = |event: ShopConnected| {
        deployed()
            .with_http(|http| {
                http.post(HOOKS).reply(201);
                http.post("https://shop-43.example/webhooks").reply(201);
            })
            .when_event(event)
            .run::<RegisterWebhooks>()
    };
    lane(connected(42)).then_partition_key("42");
    lane(connected(43)).then_partition_key("43");
    deployed()
        .and(events![connected(42)])
        .with_http(|http| http.post("https://new-42.example/webhooks").reply(201))
        .when_event(reconnected(42))
        .run::<RegisterWebhooks>()
        .then_partition_key("42");
}

// Instances.

thread_local! {
    /// What instances of `Noting` did, in order.
    static CALLS: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

fn note(call: impl Into<String>) {
    CALLS.with_borrow_mut(|calls| calls.push(call.into()));
}

struct Noting {}

impl Effect for Noting {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        note("init");
        Ok(Noting {})
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        note(format!("handle {}", event.position));
        Ok(())
    }
}

#[test]
fn init_is_called_once_and_handle_for_each_matching_event() {
    CALLS.take();
    let _ = given(events![
        connected(42),
        reconnected(42),
        connected(43),
        plan_created(PLAN, 42)
    ])
    .without(check::CRASH_SWEEP, "the calls of one run are counted")
    .when_caught_up()
    .run::<Noting>();
    assert_eq!(CALLS.take(), ["init", "handle 1", "handle 3"]);
}

// HTTP.

struct Call {}

impl Effect for Call {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Call {})
    }

    #[expect(
        clippy::needless_borrows_for_generic_args,
        reason = "users write it either way"
    )]
    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        let token = event.data.access_token;
        let client = Client::new();
        let resp = client
            .post("https://api.example.com/endpoint")
            .header("Content-Type", "application/json")
            .header("Authorization", &format!("Bearer {token}"))
            .json(&json!({ "key": "value" }))
            .connect_timeout(Duration::from_secs(5))
            .send()?;
        let status = resp.status();
        let body = resp.body()?;
        assert_eq!(status, 202);
        assert!(status.is_success());
        assert_eq!(body, b"accepted");
        Ok(())
    }
}

#[test]
fn a_request_is_sent_as_it_was_built_and_answered_with_status_and_body() {
    let outcome = given_nothing()
        .tolerates_repeats("the endpoint takes the same value twice")
        .with_http(|http| {
            http.post("https://api.example.com/endpoint")
                .reply(202)
                .body("accepted")
        })
        .when_event(connected(42))
        .run::<Call>()
        .then_nothing();
    let [request] = outcome.requests() else {
        panic!("one request was sent");
    };
    assert_eq!(request.method, "POST");
    assert_eq!(request.url, "https://api.example.com/endpoint");
    let headers = [
        ("Content-Type", "application/json"),
        ("Authorization", "Bearer token-1"),
    ];
    assert_eq!(
        request.headers,
        headers.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    assert_eq!(request.body, br#"{"key":"value"}"#);
    assert_eq!(request.connect_timeout, Some(Duration::from_secs(5)));
}

#[test]
fn no_answer_is_an_error_and_a_refusal_is_an_answer() {
    let (_store, _installed) = Store::install();
    let refused = StatusCode::from(422);
    assert!(!refused.is_success() && refused.is_client_error());
    given_nothing()
        .with_http(|http| {
            http.post("https://api.example.com/endpoint")
                .fails("connection-refused")
        })
        .when_event(connected(42))
        .run::<Call>()
        .then_failed("the connection was refused");
    deployed()
        .with_http(|http| http.post(HOOKS).reply(422))
        .when_event(connected(42))
        .run::<RegisterWebhooks>()
        .then_failed("failed to register webhook for topic orders/paid: status 422");
}

// Commands inside an effect.

#[test]
fn commands_of_an_effect_continue_the_chain_of_its_event() {
    let outcome = deployed()
        .with_http(|http| http.post(HOOKS).reply(201))
        .when_event(connected(42))
        .run::<RegisterWebhooks>();
    let trigger = &stored::<ShopConnected>(&outcome)[0];
    let recorded = stored::<ShopWebhookRegistrationCompleted>(&outcome);
    for event in &recorded {
        assert_eq!(event.correlation_id, trigger.correlation_id);
        assert_eq!(event.triggering_event_id, Some(trigger.id));
        assert_ne!(event.causation_id, trigger.causation_id);
    }
    assert_ne!(
        recorded[0].causation_id, recorded[1].causation_id,
        "each execution is a cause of its own"
    );
}

// Asking in an effect.

#[test]
fn a_query_with_one_fold_answers_with_its_state() {
    fn is_registered(shop_id: u64, event: &umari::host::RawEvent) -> anyhow::Result<bool> {
        let registered = FoldQuery::new()
            .fold(AlreadyRegisteredFold {
                shop_id,
                topic: "orders/paid".into(),
                current_event_id: event.id,
            })
            .run()?;
        Ok(registered)
    }
    let (store, _installed) = Store::install();
    let event = store.given(&connected(42));
    assert!(!is_registered(42, &event).unwrap());
    store.given(&registered(42, "orders/paid"));
    store.log.borrow_mut()[1].triggering_event_id = Some(event.id);
    assert!(is_registered(42, &event).unwrap());
    assert!(!is_registered(43, &event).unwrap());
    assert_eq!(store.log.borrow().len(), 2, "asking writes nothing");
}

// Configuration.

#[test]
#[should_panic(expected = "missing WEBHOOK_ADDRESS env var")]
fn a_missing_variable_keeps_the_effect_from_starting() {
    let _ = given_nothing()
        .when_event(connected(42))
        .run::<RegisterWebhooks>();
}

#[test]
fn the_same_effect_runs_with_other_variables() {
    given_nothing()
        .env("WEBHOOK_ADDRESS", "https://staging.example/hooks")
        .with_http(|http| http.post(HOOKS).reply(201))
        .when_event(connected(42))
        .run::<RegisterWebhooks>()
        .then_requests(["orders/paid", "orders/cancelled"].map(|topic| {
            Request::post(HOOKS)
                .json(json!({ "topic": topic, "address": "https://staging.example/hooks" }))
        }));
}

// Errors.

#[test]
fn an_error_stops_the_effect_and_the_same_event_is_tried_again() {
    let stopped = deployed()
        .with_http(|http| {
            // The second topic fails once.
            http.post(HOOKS).reply(201).reply(503).reply(201);
            http.post("https://shop-43.example/webhooks").reply(201);
        })
        .and(events![connected(42), connected(43)])
        .when_caught_up()
        .run::<RegisterWebhooks>();
    stopped
        .then_failed("failed to register webhook for topic orders/cancelled: status 503")
        // The other shop comes later in the log, and is not reached.
        .then_requests([Request::post(HOOKS), Request::post(HOOKS)])
        .then(events![registered(42, "orders/paid")]);
    stopped
        .retried_after_error()
        // What was recorded is not done again.
        .then_requests([
            Request::post(HOOKS).json(
                json!({ "topic": "orders/cancelled", "address": "https://app.example/hooks" }),
            ),
            Request::post("https://shop-43.example/webhooks"),
            Request::post("https://shop-43.example/webhooks"),
        ]);
}
