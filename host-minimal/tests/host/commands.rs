//! Commands: ill-behaved ones, contended ones, and ones that are called twice.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use host_minimal::commands::{Call, ExecuteError, Executed};
use host_minimal::engine::trap::Crash;
use host_minimal::limits;
use serde_json::json;
use uuid::Uuid;

use crate::support::TestHost;

fn input() -> serde_json::Value {
    json!({ "counter": "c" })
}

fn crash(host: &TestHost, command: &str) -> Crash {
    match host.execute(command, input()) {
        Err(ExecuteError::Crashed {
            crash,
            committed: None,
            ..
        }) => crash,
        other => panic!("{command}: {other:?}"),
    }
}

#[test]
fn an_ill_behaved_command_ends_alone() {
    let host = TestHost::with_commands();
    match crash(&host, "panic") {
        Crash::Panic { location, message } => {
            assert!(location.contains("lib.rs:"), "{location}");
            assert_eq!(message, "a bug about c\nin two lines");
        }
        other => panic!("{other:?}"),
    }
    match crash(&host, "chatter") {
        Crash::Panic { message, .. } => assert_eq!(message, "hoarse"),
        other => panic!("{other:?}"),
    }
    assert_eq!(crash(&host, "spin"), Crash::Deadline);
    assert_eq!(crash(&host, "doze"), Crash::Deadline);
    assert_eq!(
        crash(&host, "hoard"),
        Crash::Memory {
            limit_bytes: 32 << 20
        }
    );
    match crash(&host, "recurse") {
        Crash::Trap(reason) => assert!(reason.contains("wasm trap"), "{reason}"),
        other => panic!("{other:?}"),
    }
    let executed = host
        .execute("count-up", input())
        .expect("the host is unharmed");
    assert_eq!((executed.position, executed.attempts), (Some(1), 1));
    assert_eq!(
        executed.events[0].domain_ids,
        [
            ("counter".to_owned(), "c".to_owned()),
            ("note_id".to_owned(), "1".to_owned()),
        ]
    );
}

fn rejected(code: &str, message: &str, details: Option<&str>) -> Result<Executed, ExecuteError> {
    Err(ExecuteError::Rejected {
        code: code.to_owned(),
        message: message.to_owned(),
        details: details.map(str::to_owned),
    })
}

#[test]
fn several_values_of_a_domain_id_are_one_boundary() {
    let host = TestHost::with_commands();
    let note = |counters: &[&str]| host.execute("note-in-all", json!({ "counters": counters }));
    let executed = note(&["a", "b"]).unwrap();
    assert_eq!(
        executed.events[0].domain_ids,
        [("counter", "a"), ("counter", "b")].map(|(name, value)| (name.into(), value.into()))
    );
    assert!(note(&["c"]).is_ok());
    assert_eq!(
        note(&["d", "b", "c"]),
        rejected(
            "noted-before",
            "some were noted before",
            Some(r#"{"counters":["b","c"]}"#)
        )
    );
    // No counter is nothing to read and nothing to conflict with.
    assert!(note(&[]).is_ok());
}

#[test]
fn a_commands_refusals_keep_their_class() {
    let host = TestHost::with_commands();
    assert_eq!(
        host.execute("reject", input()),
        rejected("rejected", "no notes about c", None)
    );
    assert_eq!(
        host.execute("reject-in-words", input()),
        rejected("rejected", "no words about c", None)
    );
    assert_eq!(
        host.execute("no-such", input()),
        Err(ExecuteError::NotFound("no-such".into()))
    );
    for (body, field) in [
        ("not json", ""),
        ("", ""),
        ("[]", ""),
        ("{}", "counter"),
        (r#"{"counter": 7}"#, "counter"),
        (r#"{"counter": ""}"#, "counter"),
        (r#"{"counter": "c", "text": null}"#, "text"),
    ] {
        match host.host.execute("count-up", body, &Call::default()) {
            Err(ExecuteError::Invalid { violations, .. }) => {
                let fields: Vec<&str> = violations.iter().map(|v| v.field.as_str()).collect();
                assert_eq!(fields, [field], "{body}");
            }
            other => panic!("{body}: {other:?}"),
        }
    }
    assert_eq!(host.host.head().expect("a head"), 0, "nothing was written");
}

#[test]
fn every_success_is_an_event_and_everything_else_a_conflict() {
    const CALLERS: usize = 8;
    const CALLS: usize = 1_000;
    let host = TestHost::patient();
    let (next, written, conflicts) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    thread::scope(|scope| {
        for _ in 0..CALLERS {
            scope.spawn(|| {
                while next.fetch_add(1, Ordering::Relaxed) < CALLS {
                    match host.execute("count-up", input()) {
                        Ok(executed) => {
                            assert_eq!(executed.events.len(), 1);
                            written.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(ExecuteError::Conflict { .. }) => {
                            conflicts.fetch_add(1, Ordering::Relaxed);
                        }
                        Err(other) => panic!("{other:?}"),
                    }
                }
            });
        }
    });
    let events = host.events("noted");
    assert_eq!(events.len(), written.load(Ordering::Relaxed));
    assert_eq!(events.len() + conflicts.load(Ordering::Relaxed), CALLS);
    let numbers: Vec<String> = events.iter().map(|event| event.tags[1].clone()).collect();
    let expected: Vec<String> = (1..=events.len()).map(|n| format!("note_id:{n}")).collect();
    assert_eq!(numbers, expected, "each saw all the others");
}

#[test]
fn calls_with_one_key_are_executed_once() {
    let host = TestHost::with_commands();
    let call = Call {
        idempotency_key: Some(Uuid::from_u128(7)),
        ..Call::default()
    };
    let execute = || {
        host.host
            .execute("count-up", &input().to_string(), &call)
            .expect("success")
    };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(execute);
        }
    });
    assert_eq!(host.events("noted").len(), 1);
    let again = execute();
    assert_eq!((again.position, again.events.len()), (Some(1), 0));

    // The key belongs to what it was used for: another command has its own.
    let other = json!({ "counter": "other", "note_id": 9 }).to_string();
    host.host.execute("note", &other, &call).expect("success");
    assert_eq!(host.events("noted").len(), 2);
}

#[test]
fn a_command_sees_one_moment_and_the_envelope_says_who_wrote_it() {
    let host = TestHost::with_commands();
    let correlation_id = Uuid::from_u128(42);
    let call = Call {
        correlation_id: Some(correlation_id),
        causation_id: None,
        triggering_event_id: Some(Uuid::from_u128(43)),
        idempotency_key: Some(Uuid::from_u128(44)),
    };
    let executed = host
        .host
        .execute("watch-clock", &input().to_string(), &call)
        .expect("success");
    let event = host
        .host
        .event(executed.events[0].id)
        .expect("a log")
        .expect("the event");
    assert_eq!(
        event.payload.as_deref(),
        Some(r#"{"counter":"c","note_id":1,"text":"0"}"#)
    );
    assert_eq!(event.correlation_id, correlation_id);
    assert_eq!(event.triggering_event_id, call.triggering_event_id);
    assert_eq!(event.idempotency_key, call.idempotency_key);
    assert_eq!(event.author.module, "watch-clock");
    assert_eq!(event.author.version, "1.0.0");
    assert_eq!(event.tags, ["counter:c", "note_id:1"]);
}

#[test]
fn payloads_with_a_scope_are_encrypted_at_rest_and_readable_to_folds() {
    let host = TestHost::with_commands();
    let input = json!({ "owner": "ann", "text": "a-very-secret-text" });
    host.execute("note-secret", input.clone()).expect("success");
    match host.execute("note-secret", input) {
        Err(ExecuteError::Rejected { message, .. }) => {
            assert!(message.contains("is known"), "{message}");
        }
        other => panic!("{other:?}"),
    }
    let event = host.events("secret.noted").remove(0);
    assert_eq!(event.encryption_scope.as_deref(), Some("owner:ann"));
    assert!(
        event
            .payload
            .expect("a payload")
            .contains("a-very-secret-text")
    );
    let stored = std::fs::read(host.directory().join("data/events.db")).expect("the store's file");
    let plain = b"a-very-secret-text";
    assert!(
        !stored.windows(plain.len()).any(|window| window == plain),
        "plaintext on disk"
    );
}

#[test]
fn one_append_is_bounded() {
    let host = TestHost::with_commands();
    let write = |times: usize| {
        host.execute(
            "note",
            json!({ "counter": "c", "note_id": 1, "times": times }),
        )
    };
    assert_eq!(
        write(limits::APPEND_EVENTS)
            .expect("at the limit")
            .events
            .len(),
        limits::APPEND_EVENTS
    );
    write(limits::APPEND_EVENTS + 1).expect_err("one past it");
    assert_eq!(host.events("noted").len(), limits::APPEND_EVENTS);
}
