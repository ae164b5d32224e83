use umari_testing::prelude::*;
use warranty::samples::{SHOP_ID, shop_connected, shop_reconnected};

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
        .fold(AlreadyRegisteredFold {
            shop_id: SHOP_ID,
            topic: "orders/paid".into(),
            current_event_id: Uuid::nil(),
        })
        .check();
}
