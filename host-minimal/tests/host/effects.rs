//! Effects: lanes, retries, and nothing lost or repeated over a restart.

use host_minimal::modules::ModuleKind;
use serde_json::json;

use crate::support::{TestHost, wait_until};
use crate::target::{Target, relaying};

#[test]
fn an_effect_calls_the_outside_and_records_it_in_the_same_chain() {
    let (host, target) = relaying();
    let executed = host
        .execute(
            "note",
            json!({ "counter": "a", "note_id": 1, "text": "echo" }),
        )
        .expect("success");
    host.wait_caught_up("relay");
    assert_eq!(target.count(1), 1);
    let noted = host
        .host
        .event(executed.events[0].id)
        .expect("a log")
        .expect("the event");
    let relayed = host.events("note.relayed").remove(0);
    assert_eq!(relayed.triggering_event_id, Some(noted.id));
    assert_eq!(relayed.correlation_id, noted.correlation_id);
    assert_ne!(relayed.causation_id, noted.causation_id);
    assert_eq!(relayed.author.module, "relay");

    let echo = &host.events("noted")[1];
    assert_eq!(
        echo.author.command, "note",
        "a public command that the effect links"
    );
    assert_eq!(echo.correlation_id, noted.correlation_id);
    assert_eq!(echo.idempotency_key, Some(noted.id));
}

#[test]
fn an_effect_may_bring_its_own_http_client_and_link_the_commands_of_two_crates() {
    let (host, target) = (TestHost::with_commands(), Target::start());
    host.deploy(ModuleKind::Effect, "courier", &[("TARGET", &target.url)]);
    host.note("a", 1, "x");
    host.wait_caught_up("courier");
    assert_eq!(target.count(1), 1);
    let commands = ["note.relayed", "noted"].map(|event_type| {
        let event = host.events(event_type).pop().expect("an event");
        (event.author.module, event.author.command)
    });
    let by = |command: &str| ("courier".to_owned(), command.to_owned());
    assert_eq!(commands, [by("fixture-second-command"), by("note")]);
}

#[test]
fn an_instance_that_handles_event_after_event_keeps_no_handles() {
    const NOTES: u64 = 60;
    let (host, target) = (TestHost::with_commands(), Target::start());
    let settings = json!({ "limits": { "handles": 20 } });
    let env = [("TARGET", target.url.as_str())];
    host.deploy_with(ModuleKind::Effect, "relay", "1.0.0", &env, &settings);
    for note_id in 1..=NOTES {
        host.note("one lane", note_id, "x");
    }
    host.wait_caught_up("relay");
    let relay = host.module("relay").subscription.expect("it runs");
    assert!(relay.last_failure.is_none(), "{:?}", relay.last_failure);
    assert!((1..=NOTES).all(|note_id| target.count(note_id) == 1));
}

#[test]
fn a_lane_that_fails_stands_still_and_the_others_go_on() {
    let (host, target) = relaying();
    target.refuse(&[1]);
    let first = host.note("a", 1, "x");
    host.note("a", 2, "behind it, in the same lane");
    for note_id in 3..50 {
        host.note(&format!("other-{note_id}"), note_id, "x");
    }
    // Eight lanes: some of the others share the lane of `a`, the rest go on.
    wait_until(|| (3..50).filter(|id| target.count(*id) > 0).nth(20));
    let (status, failure) = host.wait_for_failure("relay", 3);
    assert!(!status.is_healthy() && !host.host.health().expect("a store").is_healthy());
    let subscription = status.subscription.expect("an effect");
    assert_eq!(
        subscription.position,
        first - 1,
        "the watermark stands still"
    );
    assert_eq!(failure.position, Some(first));
    assert!(
        failure.message.contains("the target answered 503"),
        "{}",
        failure.message
    );
    assert_eq!(target.count(2), 0);

    // After a restart only what was not handled is delivered.
    let host = host.restart();
    host.wait_for_failure("relay", 1);
    target.refuse(&[]);
    host.wait_caught_up("relay");
    for note_id in 2..50 {
        assert_eq!(target.count(note_id), 1, "note {note_id}");
    }
    assert_eq!(host.events("note.relayed").len(), 49);
}

#[test]
fn a_backlog_of_five_thousand_events_is_finished() {
    const EVENTS: u64 = 5_000;
    const AT_ONCE: u64 = 100;
    let host = TestHost::with_commands();
    for first in (1..=EVENTS).step_by(usize::try_from(AT_ONCE).expect("a small number")) {
        let input = json!({
            "counter": format!("c{first}"), "note_id": first, "times": AT_ONCE, "text": "quiet",
        });
        host.execute("note", input).expect("success");
    }
    host.deploy(
        ModuleKind::Effect,
        "relay",
        &[("TARGET", "http://127.0.0.1:1")],
    );
    host.wait_caught_up("relay");
    assert_eq!(host.events("note.relayed").len() as u64, EVENTS);
}

#[test]
fn a_target_that_is_not_there_is_an_error_that_is_retried() {
    let host = TestHost::with_commands();
    host.deploy(
        ModuleKind::Effect,
        "relay",
        &[("TARGET", "http://127.0.0.1:1")],
    );
    host.note("global", 1, "x");
    let (_, failure) = host.wait_for_failure("relay", 2);
    assert!(
        failure.message.contains("the connection was refused"),
        "{}",
        failure.message
    );
    assert!(host.events("note.relayed").is_empty());
}

#[test]
fn private_addresses_are_out_of_reach() {
    let host = TestHost::with_commands();
    host.deploy(
        ModuleKind::Effect,
        "relay",
        &[("TARGET", "http://10.0.0.1:9")],
    );
    host.note("a", 1, "x");
    let (_, failure) = host.wait_for_failure("relay", 1);
    assert!(
        failure.message.contains("does not allow requests"),
        "{}",
        failure.message
    );
}
