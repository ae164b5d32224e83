//! Read models that are built anew beside the ones that are read.
//!
//! A test that has to look at a replay in the middle holds a write lock on the read model: the
//! switch waits for it.

#[path = "replay/versions.rs"]
mod versions;

use std::sync::atomic::{AtomicBool, Ordering};

use host_minimal::api::Access;
use host_minimal::host::Activated;
use host_minimal::limits;
use host_minimal::modules::ModuleKind;
use host_minimal::replay::{ReplayError, ReplayState, ReplayStatus};
use rusqlite::Connection;
use serde_json::json;

use crate::server::TestServer;
use crate::support::{PATIENCE, TestHost, name, upload, wait_until};
use crate::target::relaying;

/// A host with the projector `notes` and these notes, all of them handled.
pub(crate) fn host_with(notes: &[&str], env: &[(&str, &str)]) -> TestHost {
    let host = TestHost::with_commands();
    host.deploy(ModuleKind::Projector, "notes", env);
    for (id, text) in (1..).zip(notes) {
        host.note("a", id, text);
    }
    host.wait_caught_up("notes");
    host
}

/// Makes the read model of `notes` say something that no event says.
fn vandalise(host: &TestHost) {
    let changed = host
        .read_model("notes")
        .execute("UPDATE notes SET text = 'forged ' || text", ())
        .expect("an update");
    assert!(changed > 0);
}

pub(crate) fn texts(connection: &Connection) -> Vec<String> {
    let mut statement = connection
        .prepare("SELECT text FROM notes ORDER BY position")
        .expect("a table");
    let rows = statement.query_map((), |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a text")).collect()
}

fn lock(host: &TestHost, projector: &str) -> Connection {
    let connection = host.read_model(projector);
    connection.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    connection
}

fn status(host: &TestHost, projector: &str) -> Option<ReplayStatus> {
    host.host.replay_status(&name(projector)).expect("a log")
}

fn wait_for_state(host: &TestHost, projector: &str, state: ReplayState) -> ReplayStatus {
    wait_until(|| {
        let status = status(host, projector)?;
        assert!(
            status.state == state || !status.state.has_ended(),
            "{status:?}"
        );
        (status.state == state).then_some(status)
    })
}

/// Side files, and what SQLite puts beside them.
fn side_files(host: &TestHost) -> Vec<String> {
    let directory = std::fs::read_dir(host.directory().join("data/replay")).expect("a directory");
    let names = directory.map(|entry| entry.expect("an entry").file_name());
    names
        .map(|name| name.to_string_lossy().into_owned())
        .collect()
}

fn wait_for_no_side_files(host: &TestHost) {
    wait_until(|| side_files(host).is_empty().then_some(()));
}

fn activate(host: &TestHost, version: &str, env: &[(&str, &str)]) -> Activated {
    let upload = upload(ModuleKind::Projector, "notes", version, env);
    host.host.upload(upload.clone()).expect("stored");
    host.host
        .activate(ModuleKind::Projector, &upload.name, &upload.version)
        .expect("activated")
}

#[test]
fn what_cannot_be_replayed_is_told_apart() {
    let server = TestServer::start(TestHost::start(), Access::open());
    let path = "/projectors/notes/replay";
    let ask = |method: &str, path: &str| server.request(method, path, &[], b"");
    assert_eq!(ask("POST", path).problem(404), "unknown-projector");
    assert_eq!(
        ask("POST", "/effects/relay/replay").problem(404),
        "unknown-module"
    );
    assert_eq!(
        ask("POST", "/projectors/%2e%2e/replay").problem(400),
        "invalid-name"
    );
    let notes = upload(ModuleKind::Projector, "notes", "1.0.0", &[]);
    server.host.host.upload(notes).expect("stored");
    assert_eq!(ask("POST", path).problem(409), "not-active");
    server.host.deploy(ModuleKind::Projector, "notes", &[]);
    assert_eq!(ask("GET", path).problem(404), "no-replay");
    assert_eq!(ask("DELETE", path).problem(404), "no-replay");
    assert_eq!(ask("PUT", path).problem(405), "method-not-allowed");
    assert_eq!(
        ask("POST", "/commands/note/replay").problem(404),
        "not-found"
    );

    // There is nothing to write a side file to.
    let directory = server.host.directory().join("data/replay");
    std::fs::remove_dir(&directory).expect("an empty directory");
    assert_eq!(ask("POST", path).problem(500), "read-model-failed");
    assert_eq!(ask("GET", path).problem(404), "no-replay");
    std::fs::create_dir(&directory).expect("a directory");
    assert_eq!(ask("POST", path).status, 202);
    wait_for_state(&server.host, "notes", ReplayState::Done);
    assert_eq!(ask("DELETE", path).problem(404), "no-replay");
}

#[test]
fn connected_readers_see_the_old_read_model_and_then_the_new_one() {
    let server = TestServer::start(host_with(&["one", "two"], &[]), Access::open());
    let host = &server.host;
    vandalise(host);
    let reader = host.read_model("notes");
    reader.execute_batch("BEGIN").expect("a transaction");
    let old = ["forged one", "forged two"];
    assert_eq!(texts(&reader), old);

    let lock = lock(host, "notes");
    let path = "/projectors/notes/replay";
    let begun = server.request("POST", path, &[], b"");
    assert_eq!(begun.status, 202, "{begun:?}");
    assert_eq!(
        (
            &begun.body["name"],
            &begun.body["version"],
            &begun.body["head"]
        ),
        (&json!("notes"), &json!("1.0.0"), &json!(2))
    );
    wait_for_state(host, "notes", ReplayState::Switching);
    let again = server.request("POST", path, &[], b"");
    assert_eq!(again.problem(409), "already-replaying");
    // First the version that runs comes to an end.
    let module = host.wait_for("notes", |module| module.word() == "switching");
    assert!(module.is_healthy());
    assert_eq!(
        module.replay.expect("a replay").state,
        ReplayState::Switching
    );

    // Commands go on, questions are answered from what is there, and one that wants more waits.
    let third = host.note("a", 3, "three");
    let ask = |question: serde_json::Value| {
        let path = "/projectors/notes/query";
        server.request("POST", path, &[], question.to_string().as_bytes())
    };
    let sql = "SELECT text FROM notes ORDER BY position";
    let answer = ask(json!({ "sql": sql }));
    assert_eq!(
        (&answer.body["rows"], &answer.body["position"]),
        (&json!([[old[0]], [old[1]]]), &json!(2))
    );
    let answer = std::thread::scope(|scope| {
        let question = json!({ "sql": sql, "min_position": third, "timeout_ms": 60_000 });
        let waiting = scope.spawn(move || ask(question));
        lock.execute_batch("COMMIT").expect("a release");
        waiting.join().expect("an answer")
    });
    assert_eq!(answer.body["rows"], json!([["one"], ["two"], ["three"]]));

    let done = wait_for_state(host, "notes", ReplayState::Done);
    assert!(done.ended_at.is_some() && done.remaining.is_none() && done.failure.is_none());
    assert_eq!(texts(&reader), old, "in the transaction that began before");
    reader.execute_batch("COMMIT").expect("an end");
    host.wait_caught_up("notes");
    assert_eq!(texts(&reader), ["one", "two", "three"]);
    assert!(
        host.module("notes").replay.is_none(),
        "nothing is left to say"
    );
    let shown = server.get(path);
    assert_eq!((shown.status, &shown.body["state"]), (200, &json!("done")));
    wait_for_no_side_files(host);
}

#[test]
fn nobody_is_ever_told_less_than_before() {
    const NOTES: u64 = 2_000;
    let host = host_with(&["zero"], &[]);
    let writing = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let read = scope.spawn(|| {
            let reader = host.read_model("notes");
            let (mut rows, mut position, mut reported, mut looks) = (0, 0, 0, 0);
            while writing.load(Ordering::Relaxed) {
                let now: (u64, u64) = reader
                    .query_row(
                        "SELECT (SELECT count(*) FROM notes), last_position FROM umari_progress",
                        (),
                        |row| Ok((row.get(0)?, row.get(1)?)),
                    )
                    .expect("a whole read model");
                assert!(now >= (rows, position), "{now:?} < {:?}", (rows, position));
                (rows, position) = now;
                let shown = host.module("notes").subscription.expect("it is there");
                assert!(shown.position >= reported, "{shown:?} < {reported}");
                reported = shown.position;
                looks += 1;
            }
            looks
        });
        for id in 1..=NOTES {
            host.note("a", id, "x");
            if id % 500 == 0 {
                // A replay may take longer than the writes between two of them.
                match host.host.replay(&name("notes")) {
                    Ok(_) | Err(ReplayError::AlreadyReplaying(_)) => {}
                    other => panic!("{other:?}"),
                }
            }
        }
        wait_for_state(&host, "notes", ReplayState::Done);
        host.wait_caught_up("notes");
        writing.store(false, Ordering::Relaxed);
        assert!(read.join().expect("a reader") > 0);
    });
    assert_eq!(texts(&host.read_model("notes")).len() as u64, NOTES + 1);
}

#[test]
fn progress_is_shown_while_a_replay_goes_on() {
    let host = TestHost::with_commands();
    host.deploy(ModuleKind::Projector, "notes", &[]);
    for first in (1..10_000).step_by(100) {
        let input = json!({ "counter": "a", "note_id": first, "times": 100 });
        host.execute("note", input).expect("success");
    }
    host.wait_caught_up("notes");
    let head = host.host.head().expect("a head");
    let lock = lock(&host, "notes");
    let mut before = host.host.replay(&name("notes")).expect("begun");
    assert_eq!((before.head, before.replaces.as_ref()), (head, None));
    // It stops at the lock, so the last thing that is seen is the same on every machine.
    let last = wait_until(|| {
        let now = status(&host, "notes").expect("a replay");
        assert!(now.position >= before.position && now.position <= head);
        before = now.clone();
        (now.state == ReplayState::Switching).then_some(now)
    });
    assert_eq!(last.position, head);
    assert!(
        last.events_per_second.is_some_and(|rate| rate > 0.0),
        "{last:?}"
    );
    assert_eq!(last.remaining, Some(std::time::Duration::ZERO));
    lock.execute_batch("COMMIT").expect("a release");
    wait_for_state(&host, "notes", ReplayState::Done);
}

#[test]
fn a_cancelled_replay_changes_nothing() {
    let server = TestServer::start(host_with(&["one"], &[]), Access::open());
    let host = &server.host;
    vandalise(host);
    let lock = lock(host, "notes");
    host.host.replay(&name("notes")).expect("begun");
    wait_for_state(host, "notes", ReplayState::Switching);
    let path = "/projectors/notes/replay";
    let cancelled = std::thread::scope(|scope| {
        let cancelling = scope.spawn(|| server.request("DELETE", path, &[], b""));
        // The projector needs the read model to go on.
        wait_until(|| {
            let state = status(host, "notes").expect("a replay").state;
            (state == ReplayState::Cancelled).then_some(())
        });
        lock.execute_batch("COMMIT").expect("a release");
        cancelling.join().expect("an answer")
    });
    assert_eq!(
        (
            cancelled.status,
            &cancelled.body["state"],
            &cancelled.body["cancelled"]
        ),
        (200, &json!("cancelled"), &json!("on request"))
    );
    assert_eq!(
        server.request("DELETE", path, &[], b"").problem(404),
        "no-replay"
    );
    host.note("a", 2, "two");
    host.wait_caught_up("notes");
    assert_eq!(texts(&host.read_model("notes")), ["forged one", "two"]);
    wait_for_no_side_files(host);
}

#[test]
fn a_replay_that_fails_leaves_the_read_model_and_says_why() {
    let server = TestServer::start(
        host_with(&["one", "poison", "three"], &[("TOLERANT", "1")]),
        Access::open(),
    );
    let host = &server.host;
    // The next version goes on behind the event that it could not handle.
    assert_eq!(activate(host, "1.1.0", &[]), Activated::Running);
    host.wait_caught_up("notes");
    let path = "/projectors/notes/replay";
    assert_eq!(server.request("POST", path, &[], b"").status, 202);
    let failed = wait_for_state(host, "notes", ReplayState::Failed);
    let failure = failed.failure.expect("a reason");
    assert!(
        failure.message.contains("cannot stomach note 2"),
        "{failure}"
    );
    assert_eq!(failure.position, Some(2));
    assert_eq!(failure.event_type.as_deref(), Some("noted"));
    let event = host.host.event_at(2).expect("a log").expect("an event");
    let shown = server.get(path).body;
    assert_eq!(
        (
            &shown["state"],
            &shown["position"],
            &shown["failure"]["event_id"]
        ),
        (&json!("failed"), &json!(1), &json!(event.id))
    );
    let modules = server.get("/modules").body;
    let listed = modules["modules"].as_array().expect("a list").iter();
    let listed = listed.clone().find(|it| it["name"] == "notes").expect("it");
    assert_eq!(listed["replay"], shown);
    assert_eq!(listed["healthy"], true, "the projector goes on");
    host.note("a", 4, "four");
    host.wait_caught_up("notes");
    assert_eq!(
        texts(&host.read_model("notes")),
        ["one", "poison", "three", "four"]
    );
    wait_for_no_side_files(host);
    assert_eq!(server.request("POST", path, &[], b"").status, 202, "again");
    wait_for_state(host, "notes", ReplayState::Failed);
}

#[test]
fn activating_and_deactivating_end_a_replay() {
    let tolerant = [("TOLERANT", "1")];
    let host = host_with(&["one", "spin"], &tolerant);
    host.deploy(ModuleKind::Projector, "others", &tolerant);
    host.wait_caught_up("others");
    // Both replays stay at the second note until the deadline of one event.
    assert_eq!(activate(&host, "2.0.0", &[]), Activated::Replaying);
    let next = upload(ModuleKind::Projector, "others", "2.0.0", &[]);
    host.host.upload(next.clone()).expect("stored");
    host.host
        .activate(next.kind, &next.name, &next.version)
        .expect("begun");
    for projector in ["notes", "others"] {
        wait_until(|| (status(&host, projector)?.state == ReplayState::Replaying).then_some(()));
    }
    assert_eq!(
        activate(&host, "2.0.0", &[]),
        Activated::Replaying,
        "as before"
    );
    assert_eq!(activate(&host, "1.0.0", &tolerant), Activated::Running);
    let stopped = host.host.deactivate(ModuleKind::Projector, &next.name);
    assert!(stopped.expect("deactivated"));
    assert_eq!(
        side_files(&host)
            .iter()
            .filter(|it| it.ends_with(".sqlite"))
            .count(),
        0
    );
    let cancelled = wait_for_state(&host, "notes", ReplayState::Cancelled).cancelled;
    assert_eq!(cancelled.as_deref(), Some("1.0.0 was activated"));
    let cancelled = wait_for_state(&host, "others", ReplayState::Cancelled).cancelled;
    assert_eq!(cancelled.as_deref(), Some("the projector was deactivated"));
    assert_eq!(host.module("notes").version.to_string(), "1.0.0");
    host.note("a", 3, "three");
    host.wait_caught_up("notes");
    wait_for_no_side_files(&host);
}

#[test]
fn a_replay_survives_the_end_of_the_host() {
    let host = host_with(&["one", "two"], &[]);
    vandalise(&host);
    let lock = lock(&host, "notes");
    host.host.replay(&name("notes")).expect("begun");
    wait_for_state(&host, "notes", ReplayState::Switching);

    // A kill in the middle of it, as the disk shows it.
    let killed = TestHost::after_kill_of(&host);
    wait_for_state(&killed, "notes", ReplayState::Done);
    assert_eq!(texts(&killed.read_model("notes")), ["one", "two"]);
    wait_for_no_side_files(&killed);

    // An orderly end.
    std::thread::scope(|scope| {
        let stopping = scope.spawn(|| host.host.shutdown(PATIENCE));
        wait_until(|| {
            let state = status(&host, "notes").expect("a replay").state;
            (state == ReplayState::Interrupted).then_some(())
        });
        lock.execute_batch("COMMIT").expect("a release");
        assert!(stopping.join().expect("an end"));
    });
    assert_eq!(texts(&lock), ["forged one", "forged two"]);
    assert_eq!(side_files(&host).len(), 1);
    let host = host.restart();
    wait_for_state(&host, "notes", ReplayState::Done);
    assert_eq!(texts(&host.read_model("notes")), ["one", "two"]);
    wait_for_no_side_files(&host);
}

#[test]
fn side_files_without_a_purpose_are_removed_at_the_start() {
    let host = host_with(&["one"], &[]);
    let data = host.directory().join("data");
    assert!(host.host.shutdown(PATIENCE));
    let put = |name: &str, content: &[u8]| {
        std::fs::write(data.join("replay").join(name), content).expect("a file");
    };
    put("notes.torn.sqlite", b"half a file");
    put("notes.torn.sqlite-wal", b"half a file");
    let whole = std::fs::read(data.join("projector/notes.sqlite")).expect("a read model");
    put("stranger.1.sqlite", &whole);
    let host = host.restart();
    assert_eq!(side_files(&host), [""; 0]);
    assert!(status(&host, "notes").is_none());
    host.wait_caught_up("notes");
    assert_eq!(texts(&host.read_model("notes")), ["one"]);
}

#[test]
fn a_read_model_that_is_damaged_is_repaired_by_a_replay() {
    let host = host_with(&["one", "two"], &[]);
    let file = host.directory().join("data/projector/notes.sqlite");
    assert!(host.host.shutdown(PATIENCE));
    std::fs::write(&file, "this is no database ".repeat(1_000)).expect("a file");
    let host = host.restart();
    let (_, failure) = host.wait_for_failure("notes", 1);
    assert!(
        failure.message.contains("not a database"),
        "{}",
        failure.message
    );
    host.host.replay(&name("notes")).expect("begun");
    wait_for_state(&host, "notes", ReplayState::Done);
    host.wait_caught_up("notes");
    assert_eq!(texts(&host.read_model("notes")), ["one", "two"]);
    wait_for_no_side_files(&host);
}

#[test]
fn so_many_replays_run_at_once_and_the_rest_waits() {
    let host = TestHost::with_commands();
    let projectors: Vec<String> = (0..=limits::CONCURRENT_REPLAYS)
        .map(|number| format!("notes-{number}"))
        .collect();
    for projector in &projectors {
        host.deploy(ModuleKind::Projector, projector, &[]);
    }
    host.note("a", 1, "one");
    for projector in &projectors {
        host.wait_caught_up(projector);
    }
    let locks: Vec<Connection> = projectors.iter().map(|it| lock(&host, it)).collect();
    let (last, first) = projectors.split_last().expect("some");
    let state = |projector: &str| status(&host, projector).expect("a replay").state;
    for projector in first {
        host.host.replay(&name(projector)).expect("begun");
    }
    for projector in first {
        wait_until(|| (state(projector) != ReplayState::Queued).then_some(()));
    }
    // They stay where they are, because no switch is possible.
    let one_past = host.host.replay(&name(last)).expect("begun");
    assert_eq!(
        (one_past.state, state(last)),
        (ReplayState::Queued, ReplayState::Queued)
    );
    for lock in locks {
        lock.execute_batch("COMMIT").expect("a release");
    }
    for projector in &projectors {
        wait_for_state(&host, projector, ReplayState::Done);
    }
}

#[test]
fn an_effect_that_is_replayed_begins_with_nothing_and_does_nothing_twice() {
    let (host, target) = relaying();
    host.note("a", 1, "one");
    host.note("b", 2, "two");
    host.wait_caught_up("relay");
    let database = Connection::open(host.directory().join("data/effect/relay.sqlite"));
    let database = database.expect("its database");
    let seen = || -> Vec<u64> {
        let mut statement = database
            .prepare("SELECT note_id FROM seen ORDER BY 1")
            .expect("SQL");
        let notes = statement.query_map((), |row| row.get(0)).expect("rows");
        notes.collect::<Result<_, _>>().expect("numbers")
    };
    assert_eq!(seen(), [1, 2]);
    database
        .execute("INSERT INTO seen VALUES (99)", ())
        .expect("a row of another time");
    let head = host.host.head().expect("a head");
    let server = TestServer::start(host, Access::open());
    let begun = server.request("POST", "/effects/relay/replay", &[], b"");
    assert_eq!((begun.status, &begun.body["name"]), (202, &json!("relay")));
    server.host.wait_caught_up("relay");
    assert_eq!(
        seen(),
        [1, 2],
        "it has what it handled since, and nothing from before"
    );
    assert_eq!((target.count(1), target.count(2)), (1, 1));
    assert_eq!(server.host.host.head().expect("a head"), head);
    let stopped = server
        .host
        .host
        .deactivate(ModuleKind::Effect, &name("relay"));
    assert!(stopped.expect("deactivated"));
    let reply = server.request("POST", "/effects/relay/replay", &[], b"");
    assert_eq!(reply.problem(409), "not-active");
}
