use std::net::{Ipv4Addr, SocketAddr};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::*;

/// Runs `test` against a sink of its own.
fn with_sink(test: impl FnOnce(Client)) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let listener = runtime
        .block_on(TcpListener::bind(SocketAddr::from((
            Ipv4Addr::LOCALHOST,
            0,
        ))))
        .expect("a free port");
    let address = listener.local_addr().expect("an address");
    runtime.spawn(async { axum::serve(listener, router()).await });
    test(Client {
        agent: ureq::Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into(),
        url: format!("http://{address}"),
    });
}

struct Client {
    agent: ureq::Agent,
    url: String,
}

impl Client {
    /// Sends a registration and returns the status and the answer's text.
    fn register(&self, key: &str, body: &[u8]) -> (u16, String) {
        let mut response = self
            .agent
            .post(format!("{}/webhooks", self.url))
            .header("Authorization", "Bearer secret")
            .header("Idempotency-Key", key)
            .send(body)
            .expect("an answer");
        let text = response.body_mut().read_to_string().expect("text");
        (response.status().as_u16(), text)
    }

    fn report(&self) -> Value {
        self.agent
            .get(format!("{}/registrations", self.url))
            .call()
            .expect("an answer")
            .body_mut()
            .read_json()
            .expect("JSON")
    }
}

fn body(shop_domain: &str, topic: &str) -> Vec<u8> {
    json!({ "shop_domain": shop_domain, "topic": topic })
        .to_string()
        .into_bytes()
}

#[test]
fn a_registration_is_counted_once_however_often_it_is_sent() {
    with_sink(|client| {
        let paid = body("tea.example", "orders/paid");
        assert_eq!(
            client.register("a", &paid),
            (201, "registered orders/paid for tea.example\n".into())
        );
        assert_eq!(
            client.register("a", &paid),
            (
                200,
                "registered before: orders/paid for tea.example\n".into()
            )
        );
        assert_eq!(client.register("a", &body("tea.example", "other")).0, 409);

        let report = client.report();
        assert_eq!(report["total"], 1);
        assert_eq!(report["duplicates"], 1);
    });
}

#[test]
fn bad_input_is_refused_and_nothing_is_registered() {
    with_sink(|client| {
        let paid = body("tea.example", "orders/paid");
        for (key, body) in [
            ("", &paid[..]),
            ("a", b""),
            ("a", b"not json"),
            ("a", b"[]"),
            ("a", b"\xff\xfe"),
            ("a", br#"{"topic": "orders/paid"}"#),
            ("a", br#"{"topic": 1, "shop_domain": "tea.example"}"#),
            ("a", &body("", "orders/paid")),
            ("a", &body("tea.example", "two\nlines")),
        ] {
            let (status, reason) = client.register(key, body);
            assert_eq!(status, 400, "{reason}");
        }
        assert_eq!(client.report()["total"], 0);
    });
}

#[test]
fn texts_and_bodies_are_bounded() {
    with_sink(|client| {
        let topic = "t".repeat(MAX_TEXT_BYTES + 1);
        assert_eq!(client.register("a", &body("tea.example", &topic)).0, 400);
        assert_eq!(
            client.register("a", &body("tea.example", &topic[1..])).0,
            201
        );
        assert_eq!(client.register("b", &vec![b' '; MAX_BODY_BYTES]).0, 400);
        assert_eq!(client.register("b", &vec![b' '; MAX_BODY_BYTES + 1]).0, 413);
    });
}

#[test]
fn callers_have_to_say_who_they_are() {
    let headers = HeaderMap::new();
    let (status, reason) = read(&headers, b"{}").expect_err("no Authorization");
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    assert_eq!(reason, "Authorization is missing");
}
