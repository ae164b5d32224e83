//! Read models of the past: what a projector makes of the log up to some position or moment.

use std::path::PathBuf;

use host_minimal::api::Access;
use host_minimal::limits;
use host_minimal::modules::ModuleKind;
use host_minimal::replay::AsOfError;
use rusqlite::Connection;
use serde_json::json;
use tempfile::TempDir;

use crate::replay::{host_with, texts};
use crate::server::TestServer;
use crate::support::{TestHost, name, upload, wait_until};

/// A database that was received.
struct Received {
    position: u64,
    path: PathBuf,
    directory: TempDir,
}

impl Received {
    fn open(&self) -> Connection {
        Connection::open(&self.path).expect("a database")
    }
}

fn receive(server: &TestServer, until: &str) -> Received {
    let url = format!("{}/projectors/notes/as-of?until={until}", server.url);
    let mut response = ureq::get(url).call().expect("an answer");
    assert_eq!(response.status(), 200);
    let header = |name: &str| {
        let value = response.headers().get(name).expect(name);
        value.to_str().expect("text").to_owned()
    };
    assert_eq!(header("content-type"), "application/vnd.sqlite3");
    let (position, length) = (header("x-umari-position"), header("content-length"));
    let body = response.body_mut().read_to_vec().expect("a body");
    assert_eq!(length, body.len().to_string());
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("past.sqlite");
    std::fs::write(&path, body).expect("a file");
    Received {
        position: position.parse().expect("a position"),
        path,
        directory,
    }
}

/// What lies where read models of the past are built.
fn left(host: &TestHost) -> usize {
    let directory = std::fs::read_dir(host.directory().join("data/as-of"));
    directory.expect("a directory").count()
}

#[test]
fn a_read_model_says_what_it_said_then() {
    let server = TestServer::start(host_with(&["one", "two", "three"], &[]), Access::open());
    let secret = json!({ "owner": "ann", "text": "t" });
    server.host.execute("note-secret", secret).expect("success");
    for (until, position, expected) in [
        ("0", 0, &[][..]),
        ("1", 1, &["one"]),
        ("2", 2, &["one", "two"]),
        // The last one is no event of the projector's, and is known all the same.
        ("4", 4, &["one", "two", "three"]),
    ] {
        let past = receive(&server, until);
        assert_eq!(past.position, position, "{until}");
        let connection = past.open();
        assert_eq!(texts(&connection), expected, "{until}");
        let known: (u64, String) = connection
            .query_row(
                "SELECT last_position, version FROM umari_progress, umari_writer",
                (),
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .expect("what it knows");
        assert_eq!(known, (position, "1.0.0".to_owned()));
        // One plain file, that leaves nothing beside it.
        let journal: String = connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .expect("a mode");
        assert_eq!(journal, "delete");
        let files = std::fs::read_dir(past.directory.path()).expect("a directory");
        assert_eq!(files.count(), 1);
    }
    assert_eq!(left(&server.host), 0);
    server.host.wait_caught_up("notes");
    assert_eq!(
        texts(&server.host.read_model("notes")),
        ["one", "two", "three"]
    );
}

#[test]
fn a_moment_is_the_last_event_that_was_written_by_then() {
    let server = TestServer::start(host_with(&["one", "two", "three"], &[]), Access::open());
    let written = |position: u64| {
        let event = server.host.host.event_at(position).expect("a log");
        event.expect("an event").timestamp
    };
    let microsecond = chrono::Duration::microseconds(1);
    for (time, position) in [
        (written(1) - microsecond, 0),
        (written(1), 1),
        (written(2) - microsecond, 1),
        (written(2), 2),
        (written(3), 3),
        (written(3) + chrono::Duration::days(1), 3),
    ] {
        let until = time.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
        assert_eq!(receive(&server, &until).position, position, "{until}");
    }
}

#[test]
fn what_was_never_so_is_told_apart() {
    let server = TestServer::start(TestHost::with_commands(), Access::open());
    let ask = |path: &str| server.get(&format!("/projectors/{path}"));
    assert_eq!(ask("notes/as-of?until=0").problem(404), "unknown-projector");
    let tolerant = [("TOLERANT", "1")];
    let notes = upload(ModuleKind::Projector, "notes", "1.0.0", &tolerant);
    server.host.host.upload(notes).expect("stored");
    assert_eq!(ask("notes/as-of?until=0").problem(409), "not-active");
    server
        .host
        .deploy(ModuleKind::Projector, "notes", &tolerant);
    server.host.note("a", 1, "one");
    server.host.note("a", 2, "poison");
    server.host.wait_caught_up("notes");
    for query in [
        "",
        "?",
        "?until=",
        "?until=soon",
        "?until=-1",
        "?until=2026-01-31",
        "?before=1",
    ] {
        let reply = ask(&format!("notes/as-of{query}"));
        assert_eq!(reply.problem(400), "invalid-query", "{query}");
    }
    let beyond = ask("notes/as-of?until=3");
    assert_eq!(beyond.problem(400), "beyond-head");
    assert_eq!(beyond.body["head"], 2);

    // A version that cannot handle what another did.
    server
        .host
        .deploy_version(ModuleKind::Projector, "notes", "1.1.0", &[]);
    let failed = ask("notes/as-of?until=2");
    assert_eq!(failed.problem(422), "replay-failed");
    assert_eq!(
        (&failed.body["position"], &failed.body["event_type"]),
        (&json!(2), &json!("noted"))
    );
    assert_eq!(texts(&receive(&server, "1").open()), ["one"]);
    assert_eq!(left(&server.host), 0);
}

#[test]
fn so_many_are_built_at_once() {
    let server = TestServer::start(host_with(&["one"], &[]), Access::open());
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let build = || {
        let until = "1".parse().expect("a position");
        runtime.block_on(server.host.host.read_model_as_of(&name("notes"), until))
    };
    let mut kept: Vec<_> = (0..limits::CONCURRENT_AS_OF)
        .map(|_| build().expect("at the limit"))
        .collect();
    let one_past = build();
    assert!(matches!(one_past, Err(AsOfError::Busy)), "{one_past:?}");
    let reply = server.get("/projectors/notes/as-of?until=1");
    assert_eq!(reply.problem(503), "too-many-replays");
    drop(kept.pop());
    assert_eq!(receive(&server, "1").position, 1);
}

#[test]
fn who_does_not_wait_leaves_nothing_behind() {
    let host = host_with(&["one", "spin"], &[("TOLERANT", "1")]);
    host.deploy_version(ModuleKind::Projector, "notes", "1.1.0", &[]);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let task = runtime.spawn({
        let host = host.host.clone();
        let until = "2".parse().expect("a position");
        async move { host.read_model_as_of(&name("notes"), until).await.map(drop) }
    });
    wait_until(|| (left(&host) > 0).then_some(()));
    task.abort();
    assert!(runtime.block_on(task).expect_err("aborted").is_cancelled());
    // The module has until its deadline for the event that it is at.
    wait_until(|| (left(&host) == 0).then_some(()));
}
