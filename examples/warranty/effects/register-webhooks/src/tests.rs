use umari_testing::prelude::*;
use warranty::samples::{OTHER_SHOP_ID, SHOP_ID, shop_connected, shop_reconnected};

use super::*;
use crate::events::ShopWebhookRegistrationCompleted;

const WEBHOOKS: &str = "https://platform.example/webhooks";

/// A platform that answers with these statuses in turn, the last again and again.
fn platform(statuses: &[u16]) -> Given {
    given_nothing()
        .env("WEBHOOK_ADDRESS", "https://platform.example")
        .with_http(|http| {
            statuses
                .iter()
                .fold(http.post(WEBHOOKS), |route, status| route.reply(*status))
        })
}

fn request(topic: &str, token: &str) -> Request {
    Request::post(WEBHOOKS)
        .header("Authorization", &format!("Bearer {token}"))
        .json(json!({ "topic": topic, "shop_domain": "tea.example" }))
}

fn fold(topic: &str, current_event_id: Uuid) -> AlreadyRegisteredFold {
    AlreadyRegisteredFold {
        shop_id: SHOP_ID,
        topic: topic.into(),
        current_event_id,
    }
}

fn completed(topic: &str) -> ShopWebhookRegistrationCompleted {
    ShopWebhookRegistrationCompleted {
        shop_id: SHOP_ID,
        topic: topic.into(),
    }
}

#[test]
fn every_topic_is_registered_and_recorded() {
    platform(&[201])
        .when_event(shop_connected())
        .run::<RegisterWebhooks>()
        .then_requests(TOPICS.map(|topic| request(topic, "token-1")))
        .then(events![
            completed("orders/paid"),
            completed("orders/cancelled")
        ]);
}

#[test]
fn what_is_recorded_belongs_to_the_connection() {
    let installation = Uuid::from_u128(0x8000);
    let outcome = platform(&[201])
        .when_events(events![shop_connected()].correlated(installation))
        .run::<RegisterWebhooks>();
    let connection = outcome.history()[0].id;
    outcome.then_metadata(
        Metadata::new()
            .correlated(installation)
            .triggered_by(connection),
    );
}

#[test]
fn an_effect_that_is_deployed_late_catches_up_with_every_shop() {
    let other = ShopConnected {
        shop_id: OTHER_SHOP_ID,
        ..shop_connected()
    };
    platform(&[201])
        .and(events![shop_connected(), other])
        .when_caught_up()
        .run::<RegisterWebhooks>()
        .then_requests(
            [TOPICS, TOPICS]
                .concat()
                .into_iter()
                .map(|topic| request(topic, "token-1")),
        );
}

#[test]
fn a_shop_whose_key_was_deleted_is_left_alone() {
    platform(&[201])
        .and(events![shop_connected()])
        .shredded("shop_id", SHOP_ID)
        .when_caught_up()
        .run::<RegisterWebhooks>()
        .then_no_requests();
}

#[test]
fn the_platform_can_tell_a_repeated_call() {
    let outcome = platform(&[201])
        .when_event(shop_connected())
        .run::<RegisterWebhooks>();
    let event_id = outcome.emitted()[0]
        .triggering_event_id
        .expect("the connection");
    outcome.then_requests(TOPICS.map(|topic| {
        request(topic, "token-1").header("Idempotency-Key", &format!("{event_id}:{topic}"))
    }));
}

#[test]
fn a_second_delivery_does_nothing() {
    platform(&[201])
        .when_event(shop_connected())
        .run::<RegisterWebhooks>()
        .redelivered()
        .then_no_requests()
        .then_nothing();
}

#[test]
fn a_shop_that_is_connected_again_is_registered_again() {
    platform(&[201])
        .when_event(shop_connected())
        .run::<RegisterWebhooks>()
        .when_event(shop_reconnected())
        .run::<RegisterWebhooks>()
        .then_requests(TOPICS.map(|topic| request(topic, "token-2")))
        .then(events![
            completed("orders/paid"),
            completed("orders/cancelled")
        ]);
}

#[test]
fn a_refused_call_is_tried_again_and_a_successful_one_is_not() {
    platform(&[201, 503, 201])
        .when_event(shop_connected())
        .run::<RegisterWebhooks>()
        .then_failed(
            "failed to register orders/cancelled for tea.example: the platform answered 503",
        )
        .then(events![completed("orders/paid")])
        .retried_after_error()
        .then_requests([request("orders/cancelled", "token-1")])
        .then(events![completed("orders/cancelled")]);
}

#[test]
fn a_platform_that_cannot_be_reached_is_tried_again() {
    given_nothing()
        .env("WEBHOOK_ADDRESS", "https://platform.example")
        .with_http(|http| http.post(WEBHOOKS).fails("connection-refused").reply(201))
        .when_event(shop_connected())
        .run::<RegisterWebhooks>()
        .then_failed("failed to register orders/paid for tea.example")
        .then_nothing()
        .retried_after_error()
        .then_requests(TOPICS.map(|topic| request(topic, "token-1")));
}

#[test]
fn a_shop_has_a_lane_of_its_own() {
    platform(&[201])
        .when_event(shop_connected())
        .run::<RegisterWebhooks>()
        .then_partition_key(SHOP_ID.to_string().as_str());
}

#[test]
fn stored_events_stay_readable() {
    event_lock!()
        .event(completed("orders/paid"))
        .fold(fold("orders/paid", Uuid::nil()))
        .check();
}

#[test]
fn a_registration_counts_for_its_own_connection() {
    let [first, second] = [1, 2].map(Uuid::from_u128);
    given(events![completed("orders/paid")].triggered_by(first))
        .then_state(fold("orders/paid", first), true)
        .then_state(fold("orders/paid", second), false)
        .then_state(fold("orders/cancelled", first), false);
}

#[test]
fn a_registration_is_recorded_once_for_each_connection() {
    let connection = Uuid::from_u128(1);
    let record = move |context: CommandContext| {
        let input = RecordWebhookRegistrationCompletedInput {
            shop_id: SHOP_ID,
            topic: "orders/paid".into(),
            current_event_id: connection,
        };
        let context = context.with_triggering_event_id(connection);
        record_webhook_registration_completed(input, context)
    };
    given_nothing()
        .when_called(record)
        .then(events![completed("orders/paid")])
        .when_called(record)
        .then_nothing();
}

#[test]
fn the_effect_asks_for_registrations_alone() {
    let connection = Uuid::from_u128(1);
    given(events![completed("orders/cancelled")].triggered_by(connection))
        .and(events![shop_connected()])
        .query(move || registered_topics(SHOP_ID, connection))
        .then_state(vec![false, true])
        .then_read(events![completed("orders/cancelled")]);
}
