//! How a module is doing, as people see it.

use host_minimal::keys::Shredding;
use host_minimal::limits;
use host_minimal::modules::ModuleKind::{Effect, Projector};
use serde_json::{Value, json};

use crate::server::TestServer;
use crate::support::{TestHost, name, wait_until};
use crate::target::{Target, relaying};

#[test]
fn a_crash_is_shown_with_its_place_and_is_kept_when_it_is_over() {
    let (host, target) = relaying();
    let position = host.note("a", 1, "no key");
    let (_, failure) = host.wait_for_failure("relay", 2);
    assert_eq!(failure.position, Some(position));
    let frames = failure.backtrace.len();
    assert!(
        (1..=limits::BACKTRACE_FRAMES).contains(&frames),
        "{failure:?}"
    );
    for frame in &failure.backtrace {
        let (function, offset) = frame.split_once(" at 0x").expect("an offset");
        assert!(!function.is_empty() && !offset.is_empty(), "{frame}");
    }
    assert!(failure.failed_at < failure.retry_at);
    host.host.park(&name("relay"), None).expect("it fails");
    host.wait_caught_up("relay");
    let status = host.module("relay").subscription.expect("an effect");
    assert_eq!(status.failure, None);
    let last = status.last_failure.expect("what was");
    assert!(last.attempts >= failure.attempts && last.failed_at >= failure.failed_at);
    assert_eq!(
        (last.message, last.event_id, last.backtrace),
        (failure.message, failure.event_id, failure.backtrace)
    );

    // An error that is no crash has no place in the code.
    target.refuse(&[2]);
    host.note("a", 2, "x");
    let (_, failure) = host.wait_for_failure("relay", 1);
    assert!(failure.backtrace.is_empty(), "{failure:?}");
}

#[test]
fn a_rate_is_shown_while_events_flow() {
    let host = TestHost::with_commands();
    host.deploy(Projector, "notes", &[]);
    let mut note_id = 0;
    wait_until(|| {
        note_id += 1;
        host.note("a", note_id, "x");
        let status = host.module("notes").subscription.expect("a projector");
        (status.events_per_second > 0.0).then_some(())
    });
}

#[test]
fn everything_about_a_module_is_in_one_answer() {
    let server = TestServer::with_commands();
    let target = Target::start();
    server
        .host
        .deploy(Effect, "relay", &[("TARGET", &target.url)]);
    let show = |path: &str| server.get(path).body;
    let calm = wait_until(|| {
        Some(show("/effects/relay")).filter(|shown| shown["status"]["status"] == "live")
    });
    assert_eq!(
        (&calm["parked"], &calm["status"]["lag"]),
        (&0.into(), &0.into())
    );
    assert_eq!(calm["status"]["last_error"], Value::Null);
    assert_eq!(calm["status"]["last_failure"], Value::Null);

    let first = server.host.note("a", 1, "no key");
    let second = server.host.note("global", 2, "behind it");
    server.host.wait_for_failure("relay", 1);
    let shown = show("/effects/relay");
    let status = &shown["status"];
    assert_eq!(status["position"], first - 1);
    assert_eq!(
        (&status["head"], &status["lag"]),
        (&second.into(), &2.into())
    );
    assert!(status["events_per_second"].is_number());
    for failure in [&status["last_error"], &status["last_failure"]] {
        assert_eq!(failure["position"], first);
        assert_eq!(failure["event_type"], "noted");
        assert!(failure["event_id"].is_string() && failure["failed_at"].is_string());
        assert!(
            failure["backtrace"]
                .as_array()
                .is_some_and(|frames| !frames.is_empty())
        );
    }
    assert!(status["last_error"]["retry_at"].is_string());
    assert_eq!(status["last_failure"]["retry_at"], Value::Null);

    server
        .host
        .host
        .park(&name("relay"), None)
        .expect("it fails");
    server.host.wait_caught_up("relay");
    let shown = wait_until(|| Some(show("/effects/relay")).filter(|shown| shown["parked"] == 1));
    assert_eq!(shown["status"]["last_error"], Value::Null);
    assert_eq!(shown["status"]["last_failure"]["position"], first);
    let modules = show("/modules");
    let listed = modules["modules"].as_array().expect("modules");
    let relay = listed
        .iter()
        .find(|module| module["name"] == "relay")
        .expect("the effect");
    assert_eq!(relay["last_failure"], shown["status"]["last_failure"]);
    let command = show("/commands/note");
    assert_eq!(command["status"]["lag"], Value::Null);
    assert_eq!(command["parked"], Value::Null);
}

#[test]
fn the_last_failure_outlives_swaps_and_restarts_and_is_shredded_with_what_it_quotes() {
    let host = TestHost::without_retries();
    host.deploy(Projector, "notes", &[]);
    let poison = host.note("a", 4_711, "poison");
    let (_, failure) = host.wait_for_failure("notes", 1);
    assert_eq!(failure.position, Some(poison));
    host.deploy_version(Projector, "notes", "1.0.1", &[("TOLERANT", "1")]);
    host.wait_caught_up("notes");
    let last = |host: &TestHost| {
        let status = host.module("notes").subscription.expect("it runs");
        assert_eq!(status.failure, None, "it is over");
        status.last_failure.expect("it is kept")
    };
    assert_eq!(last(&host).event_id, failure.event_id, "over a swap");
    let host = host.restart();
    host.wait_caught_up("notes");
    let kept = last(&host);
    assert_eq!(kept.message, failure.message, "over a restart");
    assert!(kept.message.contains("4711"), "{}", kept.message);
    assert_eq!(
        kept.failed_at.timestamp_micros(),
        failure.failed_at.timestamp_micros()
    );

    let secret = json!({ "owner": "ann", "text": "a secret" });
    host.execute("note-secret", secret).expect("written");
    // One that does not run has a file, too.
    host.host
        .deactivate(Projector, &name("notes"))
        .expect("stopped");
    let file = host.directory().join("data/projector/notes.failure");
    let text = || std::fs::read_to_string(&file).expect("a file");
    assert!(text().contains("4711"), "{}", text());
    host.host
        .shred(&Shredding::of("owner:ann"))
        .expect("shredded");
    assert!(!text().contains("4711"), "{}", text());
    let version = "1.0.1".parse().expect("a version");
    host.host
        .activate(Projector, &name("notes"), &version)
        .expect("active");
    let last = last(&host);
    assert!(last.message.contains("shredded"), "{}", last.message);
    assert_eq!(last.position, Some(poison), "that it failed is kept");
}
