//! `GET /backup`: what it answers, and what a restore makes of it.

use std::io::{BufRead as _, BufReader, Write as _};

use host_minimal::backup::{Damage, Outline, outline, restore};
use host_minimal::limits;
use host_minimal::store::EventFilter;
use host_minimal::{Host, HostConfig};
use serde_json::json;

use crate::server::TestServer;
use crate::support::PATIENCE;

/// An answer that is read, or not, as the test likes.
fn open(server: &TestServer, query: &str) -> http::Response<ureq::Body> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .into();
    let url = format!("{}/backup?{query}", server.url);
    agent.get(url).call().expect("a reply")
}

fn read(answer: http::Response<ureq::Body>) -> Result<Outline, Damage> {
    let mut input = BufReader::new(answer.into_body().into_reader());
    outline(&mut input, &mut |_, _| {})
}

#[test]
fn a_backup_ends_where_the_log_did_and_is_restored_as_it_was() {
    let server = TestServer::with_commands();
    for note in 1..=50 {
        server.host.note("a", note, "open");
        let secret = json!({ "owner": format!("o{}", note % 3), "text": format!("secret {note}") });
        server.host.execute("note-secret", secret).expect("a note");
    }
    let head = server.host.host.head().expect("a head");
    let answer = open(&server, "");
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/jsonl");
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let mut lines = BufReader::new(answer.into_body().into_reader());
    let mut first = String::new();
    lines.read_line(&mut first).expect("a line");
    // What comes after the first line is not in it.
    server.host.note("a", 99, "late");
    let place = tempfile::tempdir().expect("a directory");
    let (file, root) = (place.path().join("backup.jsonl"), place.path().join("data"));
    let mut out = std::fs::File::create(&file).expect("a file");
    out.write_all(first.as_bytes()).expect("written");
    std::io::copy(&mut lines, &mut out).expect("a copy");
    let done = restore(&root, &[file], &mut |_, _| {}).expect("a restore");
    assert_eq!((done.head, done.events), (head, head));
    assert!(done.keys.is_some_and(|keys| keys > 0), "{done:?}");

    let key = server.host.directory().join("data/master.key");
    std::fs::copy(key, root.join("master.key")).expect("copied");
    let restored = Host::start(HostConfig::new(&root)).expect("a host");
    let all = |host: &Host| {
        let limit = usize::try_from(head).expect("a number");
        host.events(&EventFilter::default(), 0, limit)
            .expect("events")
    };
    assert_eq!(all(&restored), all(&server.host.host));
    assert!(all(&restored).iter().all(|event| event.payload.is_some()));
}

#[test]
fn a_request_for_another_log_is_refused_before_a_line_is_sent() {
    let server = TestServer::with_commands();
    server.host.note("a", 1, "x");
    let event = server.host.host.event_at(1).expect("a log").expect("one");
    for (query, status, code) in [
        ("after=2".to_owned(), 400, "beyond-head"),
        (
            format!("after=1&after_id={}", uuid_other(event.id)),
            409,
            "other-log",
        ),
        ("after=1&keys=plain".to_owned(), 400, "invalid-query"),
        ("from=1".to_owned(), 400, "invalid-query"),
    ] {
        let reply = server.get(&format!("/backup?{query}"));
        assert_eq!(reply.problem(status), code, "{query}");
    }
    let piece = read(open(
        &server,
        &format!("after=1&after_id={}&keys=none", event.id),
    ));
    let piece = piece.expect("a backup");
    assert_eq!(
        (piece.after, piece.head, piece.events, piece.keys),
        (1, 1, 0, None)
    );
    assert_eq!(piece.head_id, Some(event.id));
}

/// Another id than this one.
fn uuid_other(id: uuid::Uuid) -> uuid::Uuid {
    uuid::Uuid::from_u128(!id.as_u128())
}

#[test]
fn backups_that_nobody_reads_hold_up_neither_others_nor_the_end() {
    let mut server = TestServer::with_commands();
    // More than what lies between a server and a client that does not read.
    let text = "x".repeat(900_000);
    for note in 1..=6 {
        let input = json!({ "counter": "a", "note_id": note, "text": text, "times": 8 });
        server.host.execute("note", input).expect("notes");
    }
    let open_ones: Vec<_> = (0..limits::CONCURRENT_BACKUPS)
        .map(|_| open(&server, ""))
        .collect();
    assert!(open_ones.iter().all(|answer| answer.status() == 200));
    assert_eq!(server.get("/backup").problem(503), "too-many-backups");
    server.host.note("a", 99, "writers wait for no reader");
    server.stop();
    for answer in open_ones {
        read(answer).expect_err("a backup that ends too soon is none");
    }
}
