//! Events that an effect cannot handle: parked, delivered once more, dropped, and never lost.

use host_minimal::keys::Shredding;
use host_minimal::modules::ModuleKind;
use host_minimal::subscriptions::{FailedEvent, FailedState, ParkError, ParkOutcome, RetryOutcome};
use serde_json::{Value, json};

use crate::keys::files_with;
use crate::server::TestServer;
use crate::support::{PATIENCE, TestHost, name, wait_until};
use crate::target::{Target, relaying};

use ModuleKind::Effect;

fn parked(host: &TestHost) -> Vec<FailedEvent> {
    host.host.parked(&name("relay")).expect("a list")
}

/// Parks the event at `position`, or the first that fails.
fn park(host: &TestHost, position: Option<u64>) -> FailedEvent {
    let outcome = host.host.park(&name("relay"), position);
    let position = match outcome.expect("the event fails") {
        ParkOutcome::Parked(event) => return event,
        ParkOutcome::Pending { position } => position,
    };
    wait_until(|| {
        parked(host)
            .into_iter()
            .find(|event| event.position == position)
    })
}

/// Delivers a parked event once more; the event, if it stays parked.
fn unpark(host: &TestHost, position: u64) -> Option<FailedEvent> {
    match host
        .host
        .retry_parked(&name("relay"), position)
        .expect("it is parked")
    {
        RetryOutcome::Handled => None,
        RetryOutcome::Failed(event) => Some(event),
        RetryOutcome::Pending(_) => wait_until(|| {
            let event = parked(host)
                .into_iter()
                .find(|event| event.position == position);
            match event {
                Some(event) if event.state != FailedState::Parked => None,
                settled => Some(settled),
            }
        }),
    }
}

#[test]
fn a_parked_event_lets_its_lane_go_on_and_is_delivered_later() {
    let (host, target) = relaying();
    target.refuse(&[1]);
    let first = host.note("a", 1, "x");
    host.note("a", 2, "behind it");
    let (_, failure) = host.wait_for_failure("relay", 2);
    let event = park(&host, None);
    assert_eq!((event.position, event.state), (first, FailedState::Parked));
    assert_eq!(Some(event.event_id), failure.event_id);
    assert_eq!(event.event_type, "noted");
    assert!(event.attempts >= 2, "{event:?}");
    assert!(event.error.contains("the target answered 503"), "{event:?}");
    host.wait_caught_up("relay");
    assert_eq!(target.count(2), 1);
    let attempts = target.count(1);

    // Nothing of it is forgotten, and nothing is tried meanwhile.
    let host = host.restart();
    host.note("a", 3, "x");
    host.wait_caught_up("relay");
    assert_eq!(parked(&host), std::slice::from_ref(&event));
    assert_eq!((target.count(1), target.count(3)), (attempts, 1));

    let again = unpark(&host, first).expect("it fails again");
    assert_eq!(again.attempts, event.attempts + 1);
    assert!(again.error.contains("the target answered 503"), "{again:?}");
    assert_eq!(target.count(1), attempts + 1);
    assert!(host.host.health().expect("a store").is_healthy());
    let host = host.restart();
    assert_eq!(parked(&host), [again]);

    target.refuse(&[]);
    assert_eq!(unpark(&host, first), None);
    assert_eq!(parked(&host), []);
    assert_eq!(target.count(1), attempts + 2);
    assert_eq!(host.events("note.relayed").len(), 3);

    let host = host.restart();
    host.note("a", 4, "x");
    host.wait_caught_up("relay");
    assert_eq!(target.count(1), attempts + 2, "it is handled for good");
    assert_eq!(parked(&host), []);
}

#[test]
fn an_effect_that_rests_can_be_helped_too() {
    let (host, target) = (TestHost::without_retries(), Target::start());
    host.deploy(Effect, "relay", &[("TARGET", &target.url)]);
    target.refuse(&[1, 2]);
    let first = host.note("42", 1, "x");
    let second = host.note("shop", 2, "in another lane");
    host.note("42", 3, "behind the first");
    wait_until(|| (target.count(1) + target.count(2) == 2).then_some(()));
    host.host.pause(Effect, &name("relay")).expect("a pause");
    host.wait_for("relay", |module| module.word() == "paused");
    let host = host.restart();
    assert_eq!(park(&host, None).position, first);
    assert_eq!(park(&host, Some(second)).position, second);
    let outcome = host.host.retry_parked(&name("relay"), second);
    let outcome = outcome.expect("it is parked");
    assert!(
        matches!(&outcome, RetryOutcome::Pending(event) if event.state == FailedState::Queued),
        "{outcome:?}"
    );
    let host = host.restart();
    target.refuse(&[1]);
    host.host
        .resume(Effect, &name("relay"))
        .expect("it goes on");
    host.wait_caught_up("relay");
    wait_until(|| (parked(&host).len() == 1).then_some(()));
    assert_eq!(parked(&host)[0].position, first);
    assert_eq!([1, 2, 3].map(|note_id| target.count(note_id)), [1, 2, 1]);
}

#[test]
fn a_dropped_event_is_gone_and_leaves_a_line() {
    let (host, target) = relaying();
    target.refuse(&[1, 2]);
    let first = host.note("a", 1, "x");
    let second = host.note("a", 2, "x");
    for position in [first, second] {
        wait_until(|| {
            let failure = host.module("relay").subscription?.failure?;
            (failure.position == Some(position)).then_some(())
        });
        park(&host, Some(position));
    }
    host.wait_caught_up("relay");
    let relay = name("relay");
    let dropped = host.host.drop_parked(&relay, first).expect("it is parked");
    assert_eq!(dropped.position, first);
    // Whether the effect runs or not.
    host.host.deactivate(Effect, &relay).expect("it ends");
    let host = host.restart();
    host.host.drop_parked(&relay, second).expect("it is parked");
    assert_eq!(parked(&host), []);
    let attempts = (target.count(1), target.count(2));
    host.deploy(Effect, "relay", &[("TARGET", &target.url)]);
    host.note("a", 3, "x");
    host.wait_caught_up("relay");
    assert_eq!((target.count(1), target.count(2)), attempts);
    let log = std::fs::read_to_string(host.directory().join("data/effect/relay.log"));
    let log = log.expect("a log file");
    for position in [first, second] {
        let line = format!(" umari: the parked event {position} (noted, ");
        let line = log.lines().find(|found| found.contains(&line));
        let line = line.unwrap_or_else(|| panic!("no line for {position}: {log}"));
        assert!(line.contains("is dropped after "), "{line}");
        assert!(line.ends_with("the target answered 503"), "{line}");
    }
}

#[test]
fn a_replay_forgets_what_is_parked_and_delivers_it_again() {
    let (host, target) = relaying();
    target.refuse(&[1]);
    host.note("a", 1, "x");
    host.wait_for_failure("relay", 1);
    park(&host, None);
    host.wait_caught_up("relay");
    let attempts = target.count(1);
    target.refuse(&[]);
    host.host.replay_effect(&name("relay")).expect("it begins");
    assert_eq!(parked(&host), []);
    wait_until(|| (target.count(1) > attempts).then_some(()));
    host.wait_caught_up("relay");
    assert_eq!(parked(&host), []);
}

#[test]
fn attempts_are_counted_over_restarts() {
    let (host, target) = (TestHost::without_retries(), Target::start());
    host.deploy(Effect, "relay", &[("TARGET", &target.url)]);
    target.refuse(&[1]);
    host.note("a", 1, "x");
    assert_eq!(host.wait_for_failure("relay", 1).1.attempts, 1);
    let host = host.restart();
    assert_eq!(host.wait_for_failure("relay", 1).1.attempts, 2);
    host.deploy_version(Effect, "relay", "1.1.0", &[("TARGET", &target.url)]);
    assert_eq!(
        host.wait_for_failure("relay", 1).1.attempts,
        3,
        "another version tries at once"
    );
    assert_eq!(target.count(1), 3);
}

#[test]
fn the_end_of_a_host_in_the_middle_of_an_attempt_counts_as_one() {
    let (first, target) = (TestHost::without_retries(), Target::start());
    first.deploy(Effect, "relay", &[("TARGET", &target.url)]);
    first.note("a", 1, "x");
    first.wait_caught_up("relay");
    target.fall_silent(true);
    let position = first.note("a", 2, "x");
    wait_until(|| (target.count(2) == 1).then_some(()));
    let host = TestHost::after_kill_of(&first);
    let (_, failure) = host.wait_for_failure("relay", 1);
    assert_eq!((failure.attempts, failure.position), (1, Some(position)));
    assert_eq!(
        failure.message,
        "the host ended while the module handled the event"
    );
    assert_eq!(target.count(2), 1, "it waits as after any other failure");
    // It is the operator's choice to try it again at once.
    target.fall_silent(false);
    first.wait_caught_up("relay");
    let host = host.restart();
    host.wait_caught_up("relay");
    assert_eq!((target.count(1), target.count(2)), (1, 2));
    let host = host.restart();
    assert_eq!(
        host.module("relay")
            .subscription
            .expect("an effect")
            .failure,
        None
    );
}

#[test]
fn a_key_that_the_module_crashes_on_blocks_one_lane_and_no_other() {
    let (host, target) = relaying();
    let first = host.note("a", 1, "no key");
    host.note(
        "global",
        2,
        "behind it, in the lane of events without a key",
    );
    for note_id in 3..30 {
        host.note(&format!("other-{note_id}"), note_id, "x");
    }
    let (_, failure) = host.wait_for_failure("relay", 2);
    assert_eq!(failure.position, Some(first));
    assert!(
        failure.message.contains("no key for note 1"),
        "{}",
        failure.message
    );
    wait_until(|| {
        (3..30)
            .all(|note_id| target.count(note_id) == 1)
            .then_some(())
    });
    assert_eq!(target.count(2), 0);
    assert_eq!(park(&host, None).position, first);
    host.wait_caught_up("relay");
    assert_eq!(target.count(2), 1);
    let again = unpark(&host, first).expect("it crashes again");
    assert!(again.error.contains("no key for note 1"), "{again:?}");
    host.note("a", 30, "x");
    host.wait_caught_up("relay");
}

#[test]
fn what_is_under_way_is_parked_when_it_fails() {
    let (host, target) = relaying();
    target.refuse(&[1]);
    let first = host.note("a", 1, "x");
    host.wait_for_failure("relay", 1);
    target.fall_silent(true);
    let before = target.count(1);
    wait_until(|| (target.count(1) > before).then_some(()));
    std::thread::scope(|scope| {
        scope.spawn(|| park(&host, None));
        target.fall_silent(false);
    });
    assert_eq!(parked(&host)[0].position, first);
    host.wait_caught_up("relay");
}

#[test]
fn a_shredding_takes_what_an_effect_failed_with() {
    const WORDS: &str = "the target answered 503";
    let (host, target) = relaying();
    let secret = json!({ "owner": "ann", "text": "t" });
    host.execute("note-secret", secret).expect("success");
    target.refuse(&[1]);
    host.note("a", 1, "x");
    host.wait_for_failure("relay", 1);
    park(&host, None);
    host.wait_caught_up("relay");
    let effects = host.directory().join("data/effect");
    assert!(!files_with(&effects, &[WORDS.as_bytes()]).is_empty());
    let shredded = host.host.shred(&Shredding::of("owner:ann"));
    shredded.expect("nobody holds the database");
    let left = files_with(&effects, &[WORDS.as_bytes()]);
    assert!(left.is_empty(), "{left:?}");
    let left = parked(&host).remove(0);
    assert!(left.error.starts_with("a scope was shredded"), "{left:?}");
    let last = host
        .module("relay")
        .subscription
        .expect("an effect")
        .last_failure;
    let last = last.expect("that it failed is known").message;
    assert!(last.contains("a scope was shredded"), "{last}");
}

#[test]
fn parking_is_refused_with_the_reason() {
    let (host, target) = (TestHost::without_retries(), Target::start());
    let relay = name("relay");
    let refused = |position| host.host.park(&relay, position).expect_err("a reason");
    assert!(matches!(refused(None), ParkError::Unknown(_)));
    let unknown = host.host.parked(&relay);
    assert!(matches!(unknown, Err(ParkError::Unknown(_))), "{unknown:?}");

    host.deploy(Effect, "relay", &[]);
    host.wait_for_failure("relay", 1);
    let error = refused(None).to_string();
    assert!(
        error.contains("nothing to park; it stands still because it cannot start"),
        "{error}"
    );

    host.deploy_version(Effect, "relay", "1.1.0", &[("TARGET", &target.url)]);
    host.wait_caught_up("relay");
    assert_eq!(
        refused(None).to_string(),
        "no event blocks the effect relay, so there is nothing to park"
    );
    target.refuse(&[1]);
    let position = host.note("a", 1, "x");
    host.wait_for_failure("relay", 1);
    let error = refused(Some(position + 1)).to_string();
    assert!(
        error.ends_with(&format!("; it fails at {position}")),
        "{error}"
    );
    for position in [position, 0, u64::MAX] {
        let error = host.host.drop_parked(&relay, position);
        assert!(
            matches!(error, Err(ParkError::NotParked { .. })),
            "{error:?}"
        );
        let error = host.host.retry_parked(&relay, position);
        assert!(
            matches!(error, Err(ParkError::NotParked { .. })),
            "{error:?}"
        );
    }
    host.host.deactivate(Effect, &relay).expect("it ends");
    assert!(matches!(refused(None), ParkError::NotActive(_)));
    assert!(host.host.shutdown(PATIENCE));
}

#[test]
fn events_are_parked_delivered_and_dropped_over_http() {
    let server = TestServer::with_commands();
    let target = Target::start();
    server
        .host
        .deploy(Effect, "relay", &[("TARGET", &target.url)]);
    let post = |path: &str, body: &[u8]| server.request("POST", path, &[], body);
    assert_eq!(
        post("/effects/relay/park", b"").problem(409),
        "nothing-fails"
    );
    assert_eq!(
        post("/effects/none/park", b"").problem(404),
        "unknown-module"
    );
    assert_eq!(
        post("/effects/relay/park", b"17").problem(400),
        "invalid-body"
    );
    assert_eq!(
        post("/effects/relay/park", b"{\"at\":1}").problem(400),
        "invalid-body"
    );
    let refused = post("/projectors/notes/park", b"");
    assert_eq!(refused.problem(409), "order-matters");
    assert_eq!(
        server.get("/effects/none/parked").problem(404),
        "unknown-module"
    );
    assert_eq!(
        server.get("/effects/relay/parked").body["parked"],
        json!([])
    );

    target.refuse(&[1, 2]);
    let first = server.host.note("42", 1, "x");
    let second = server.host.note("shop", 2, "in another lane");
    let body = json!({ "position": second }).to_string();
    // It fails when it has been tried.
    let park = |body: &[u8]| {
        wait_until(|| Some(post("/effects/relay/park", body)).filter(|reply| reply.status < 300))
    };
    let parked = park(body.as_bytes());
    park(b"");
    let listed = wait_until(|| {
        let listed = server.get("/effects/relay/parked").body;
        (listed["parked"].as_array()?.len() == 2).then_some(listed)
    });
    assert_eq!(listed["name"], "relay");
    assert_eq!(listed["parked"][0]["position"], first);
    assert_eq!(listed["parked"][1]["position"], second, "{parked:?}");
    let shown = &listed["parked"][0];
    assert_eq!(
        (&shown["event_type"], &shown["state"]),
        (&json!("noted"), &json!("parked"))
    );
    assert!(
        shown["last_error"]
            .as_str()
            .expect("a text")
            .contains("503"),
        "{shown}"
    );
    assert!(shown["attempts"].as_u64().expect("a number") >= 1);
    assert!(shown["failed_at"].as_str().expect("a time").ends_with('Z'));

    let path = format!("/effects/relay/parked/{first}");
    let settled = |outcome: &str| {
        let reply = post(&format!("{path}/retry"), b"");
        assert!(
            reply.status == 202 || (reply.status == 200 && reply.body["outcome"] == outcome),
            "{reply:?}"
        );
        wait_until(|| {
            let parked = server.get("/effects/relay/parked").body["parked"].clone();
            let parked = parked.as_array().expect("a list");
            let settled = |event: &Value| event["state"] == "parked";
            parked.iter().all(settled).then_some(parked.len())
        })
    };
    assert_eq!(settled("failed"), 2);
    target.refuse(&[]);
    assert_eq!(settled("handled"), 1);
    assert_eq!(
        post(&format!("{path}/retry"), b"").problem(404),
        "not-parked"
    );

    let delete = |path: &str| server.request("DELETE", path, &[], b"");
    assert_eq!(delete(&path).problem(404), "not-parked");
    assert_eq!(
        delete("/effects/relay/parked/x").problem(400),
        "invalid-position"
    );
    let dropped = delete(&format!("/effects/relay/parked/{second}"));
    assert_eq!(
        (dropped.status, &dropped.body["outcome"]),
        (200, &json!("dropped"))
    );
    assert_eq!(dropped.body["event"]["position"], second);
    assert_eq!(
        server.get("/effects/relay/parked").body["parked"],
        json!([])
    );
    assert_eq!(server.host.events("note.relayed").len(), 1);
    server.host.wait_caught_up("relay");
}
