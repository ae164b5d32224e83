use umari_testing::prelude::*;

use super::*;

const URL: &str = "https://target.example/";

fn something_happened() -> SomethingHappened {
    SomethingHappened { id: "1".into() }
}

fn given_a_target() -> Given {
    given_nothing().env("TARGET_URL", URL)
}

#[test]
fn the_target_is_told() {
    given_a_target()
        .with_http(|http| http.post(URL).reply(204))
        .when_event(something_happened())
        .run::<MyModule>()
        .then_requests([Request::post(URL).json(json!({ "id": "1" }))]);
}

#[test]
fn a_target_that_fails_is_told_again() {
    given_a_target()
        .with_http(|http| http.post(URL).reply(503).reply(204))
        .when_event(something_happened())
        .run::<MyModule>()
        .then_failed("answered 503")
        .retried_after_error()
        .then_requests([Request::post(URL).json(json!({ "id": "1" }))]);
}
