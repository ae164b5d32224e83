//! Pausing: a module rests until it is resumed, whatever happens in between.

use host_minimal::host::PauseError;
use host_minimal::modules::ModuleKind;
use serde_json::json;

use crate::server::TestServer;
use crate::support::{TestHost, name};
use crate::target::{Target, relaying};

use ModuleKind::{Effect, Projector};

fn word(host: &TestHost, module: &str, word: &str) {
    host.wait_for(module, |module| module.word() == word);
}

fn position(host: &TestHost, module: &str) -> u64 {
    let status = host
        .module(module)
        .subscription
        .expect("it follows the log");
    status.position
}

#[test]
fn a_pause_outlives_restarts_and_other_versions() {
    let (host, target) = relaying();
    host.deploy(Projector, "notes", &[]);
    let first = host.note("a", 1, "x");
    host.wait_caught_up("relay");
    for (kind, module) in [(Effect, "relay"), (Projector, "notes")] {
        assert!(host.host.pause(kind, &name(module)).expect("a pause"));
        assert!(!host.host.pause(kind, &name(module)).expect("the same"));
        word(&host, module, "paused");
    }
    let rested = ["relay", "notes"].map(|module| position(&host, module));
    assert!(rested.iter().all(|position| *position >= first));

    // A module that is not paused shows that events would flow.
    host.deploy(Projector, "witness", &[]);
    host.note("a", 2, "x");
    host.wait_caught_up("witness");
    let host = host.restart();
    host.wait_caught_up("witness");
    for module in ["relay", "notes"] {
        word(&host, module, "paused");
    }
    host.deploy_version(Effect, "relay", "1.1.0", &[("TARGET", &target.url)]);
    host.deploy_version(Projector, "notes", "1.1.0", &[]);
    host.note("a", 3, "x");
    host.wait_caught_up("witness");
    for (module, position_before) in [("relay", rested[0]), ("notes", rested[1])] {
        word(&host, module, "paused");
        assert_eq!(position(&host, module), position_before);
    }
    assert!(host.host.health().expect("a store").is_healthy());
    assert_eq!((target.count(2), target.count(3)), (0, 0));

    for (kind, module) in [(Effect, "relay"), (Projector, "notes")] {
        assert!(host.host.resume(kind, &name(module)).expect("it goes on"));
        assert!(!host.host.resume(kind, &name(module)).expect("the same"));
    }
    host.wait_caught_up("relay");
    host.wait_caught_up("notes");
    assert_eq!([1, 2, 3].map(|note_id| target.count(note_id)), [1, 1, 1]);
    let host = host.restart();
    host.note("a", 4, "x");
    host.wait_caught_up("relay");
    assert_eq!(target.count(4), 1, "a resumed module starts as one");
}

#[test]
fn a_module_is_paused_after_the_event_that_it_handles() {
    let (host, target) = relaying();
    target.fall_silent(true);
    host.note("a", 1, "x");
    host.note("a", 2, "behind it");
    crate::support::wait_until(|| (target.count(1) > 0).then_some(()));
    // The answer does not wait for the handler.
    host.host.pause(Effect, &name("relay")).expect("a pause");
    assert_eq!(host.module("relay").word(), "pausing");
    assert!(host.module("relay").is_healthy());
    target.fall_silent(false);
    word(&host, "relay", "paused");
    assert_eq!((target.count(1), target.count(2)), (1, 0));
    assert_eq!(host.events("note.relayed").len(), 1, "it was not cut short");
    host.host
        .resume(Effect, &name("relay"))
        .expect("it goes on");
    host.wait_caught_up("relay");
    assert_eq!((target.count(1), target.count(2)), (1, 1));
}

#[test]
fn a_failing_module_can_be_paused_and_is_tried_again_when_it_is_resumed() {
    let (host, target) = (TestHost::without_retries(), Target::start());
    host.deploy(Effect, "relay", &[("TARGET", &target.url)]);
    host.deploy(Projector, "notes", &[]);
    target.refuse(&[1]);
    host.note("a", 1, "poison");
    for (kind, module) in [(Effect, "relay"), (Projector, "notes")] {
        host.wait_for_failure(module, 1);
        host.host.pause(kind, &name(module)).expect("a pause");
        word(&host, module, "paused");
        let status = host.module(module).subscription.expect("a module");
        assert_eq!(status.failure, None, "nothing is retried");
    }
    assert!(host.host.health().expect("a store").is_healthy());
    for (kind, module) in [(Effect, "relay"), (Projector, "notes")] {
        host.host.resume(kind, &name(module)).expect("it goes on");
    }
    host.wait_for_failure("relay", 1);
    host.wait_for_failure("notes", 2);
    assert_eq!(target.count(1), 2);
}

#[test]
fn who_waits_for_a_paused_projector_is_told() {
    let host = TestHost::with_commands();
    host.deploy(Projector, "notes", &[]);
    host.host.pause(Projector, &name("notes")).expect("a pause");
    let position = host.note("a", 1, "x");
    let reached = host.host.projectors_reached(&[name("notes")], position);
    assert_eq!(reached[0].failure.as_deref(), Some("it is paused"));
}

#[test]
fn what_cannot_be_paused_is_refused() {
    let host = TestHost::with_commands();
    let error = host.host.pause(Effect, &name("nobody"));
    assert!(
        matches!(error, Err(PauseError::Unknown { .. })),
        "{error:?}"
    );
    let error = host.host.resume(ModuleKind::Command, &name("note"));
    assert!(matches!(error, Err(PauseError::Command(_))), "{error:?}");
}

#[test]
fn modules_are_paused_and_resumed_over_http() {
    let server = TestServer::with_commands();
    server.host.deploy(Projector, "notes", &[]);
    let post = |path: &str| server.request("POST", path, &[], b"");
    for (path, paused, changed) in [
        ("/projectors/notes/pause", true, true),
        ("/projectors/notes/pause", true, false),
        ("/projectors/notes/resume", false, true),
        ("/projectors/notes/resume", false, false),
        ("/projectors/notes/pause", true, true),
    ] {
        let reply = post(path);
        assert_eq!(reply.status, 200, "{reply:?}");
        let expected = json!({
            "kind": "projector", "name": "notes", "paused": paused, "changed": changed,
        });
        assert_eq!(reply.body, expected, "{path}");
    }
    word(&server.host, "notes", "paused");
    let health = server.get("/health");
    assert_eq!(
        (health.status, &health.body["status"]),
        (200, &json!("healthy"))
    );
    assert_eq!(health.body["paused"][0]["name"], "notes");
    let modules = server.get("/modules").body["modules"].clone();
    let modules = modules.as_array().expect("modules");
    let notes = modules.iter().find(|module| module["name"] == "notes");
    assert_eq!(notes.expect("the module")["status"], "paused");

    assert_eq!(
        post("/projectors/relay/pause").problem(404),
        "unknown-module"
    );
    assert_eq!(post("/effects/notes/resume").problem(404), "unknown-module");
    assert_eq!(post("/effects/N/pause").problem(400), "invalid-name");
    assert_eq!(post("/commands/note/pause").problem(404), "not-found");
    assert_eq!(
        server.get("/projectors/notes/pause").problem(405),
        "method-not-allowed"
    );
}
