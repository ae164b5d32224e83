//! Shredding: what events of a scope said is gone, and the rest goes on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use host_minimal::api::Access;
use host_minimal::commands::ExecuteError;
use host_minimal::keys::{Rotation, ScopeFilter, Shredding};
use host_minimal::limits;
use host_minimal::modules::{ModuleKind, ModuleSettings};
use host_minimal::store::EventFilter;
use host_minimal::trial::{
    Outgoing, OutgoingFailure, OutgoingRequest, OutgoingResponse, Trials, World,
};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::server::TestServer;
use crate::support::{TestHost, fixtures, name};

const SECRET: &str = "a-very-secret-text";

/// Every file below a directory that holds one of `parts`.
pub(crate) fn files_with(directory: &Path, parts: &[&[u8]]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files_with(&path, parts));
            continue;
        }
        let bytes = std::fs::read(&path).expect("a file");
        let holds = |part: &&[u8]| bytes.windows(part.len()).any(|window| window == *part);
        if parts.iter().any(holds) {
            found.push(path);
        }
    }
    found
}

/// The wrapped data key of a scope, as it lies in the database.
fn wrapped_key(host: &TestHost, scope: &str) -> Vec<u8> {
    let database = host.directory().join("data/umari.sqlite");
    Connection::open(database)
        .and_then(|connection| {
            let key = "SELECT wrapped FROM data_key WHERE scope = ?1";
            connection.query_row(key, [scope], |row| row.get(0))
        })
        .expect("a data key")
}

fn note_secret(host: &TestHost, owner: &str) -> Result<(), String> {
    let input = json!({ "owner": owner, "text": SECRET });
    match host.execute("note-secret", input) {
        Ok(_) => Ok(()),
        Err(ExecuteError::Rejected { message, .. }) => Err(message),
        Err(error) => panic!("{error}"),
    }
}

fn payloads(host: &TestHost) -> Vec<(String, bool)> {
    let events = host.events("secret.noted");
    let payload = |event: host_minimal::store::RecordedEvent| {
        assert_eq!(event.payload.is_none(), event.is_shredded());
        (event.tags[0].clone(), event.payload.is_some())
    };
    events.into_iter().map(payload).collect()
}

#[test]
fn after_a_shredding_nothing_is_left_in_memory_or_in_files_over_a_restart() {
    let host = TestHost::with_commands();
    host.deploy(ModuleKind::Projector, "notes", &[]);
    host.wait_caught_up("notes");
    // What a module prints may quote events; this one stands for all of them.
    let logs = host.directory().join("data/projector");
    for log in ["notes.log", "notes.log.1", "stopped.log"] {
        std::fs::write(logs.join(log), SECRET).expect("a log");
    }
    note_secret(&host, "ann").expect("a first secret");
    note_secret(&host, "bob").expect("a first secret");
    note_secret(&host, "ann").expect_err("the fold knows it");
    let key = wrapped_key(&host, "owner:ann");
    let data = host.directory().join("data");
    let parts: [&[u8]; 2] = [&key, SECRET.as_bytes()];
    assert!(files_with(&data, &parts).len() >= 3, "it can be found");

    let shredding = Shredding::of("owner:ann");
    let entry = host.host.shred(&shredding).expect("shredded");
    assert_eq!((entry.scope.as_deref(), entry.keys), (Some("owner:ann"), 1));
    let shredded = |host: &TestHost| {
        assert_eq!(
            payloads(host)[..2],
            [
                ("owner:ann".to_owned(), false),
                ("owner:bob".to_owned(), true)
            ]
        );
        let left = files_with(&data, &parts);
        assert!(left.is_empty(), "{left:?}");
        let log = std::fs::read_to_string(logs.join("notes.log")).expect("a log");
        assert!(log.contains("a scope was shredded"), "{log}");
    };
    shredded(&host);
    note_secret(&host, "bob").expect_err("others are still known");
    note_secret(&host, "ann").expect("nobody knows it any more");
    note_secret(&host, "ann").expect_err("until it is noted again");
    shredded(&host);

    let host = host.restart();
    shredded(&host);
    assert!(payloads(&host)[2].1, "what came afterwards has a new key");
    note_secret(&host, "ann").expect_err("and is known");
    let scopes = host.host.scopes(&ScopeFilter {
        prefix: "owner:a".to_owned(),
        limit: 9,
        ..ScopeFilter::default()
    });
    let [ann] = &scopes.expect("scopes")[..] else {
        panic!("one scope")
    };
    assert_eq!((ann.keys, ann.shredded_at), (1, Some(entry.at)));
    assert_eq!(host.host.key_audit(0, 9).expect("a record"), [entry]);
}

#[test]
fn what_a_crash_left_is_removed_at_the_next_start() {
    let host = TestHost::with_commands();
    note_secret(&host, "ann").expect("a secret");
    host.host
        .shred(&Shredding::of("owner:ann"))
        .expect("shredded");
    assert!(host.host.shutdown(crate::support::PATIENCE));
    // As if the host had been killed after the keys were deleted.
    let log = host.directory().join("data/effect/mail.log");
    std::fs::write(&log, SECRET).expect("a log");
    let database = host.directory().join("data/umari.sqlite");
    Connection::open(database)
        .and_then(|connection| connection.execute("UPDATE key_audit SET settled = 0", []))
        .expect("a change");
    let host = host.restart();
    assert!(!log.exists());
    assert_eq!(payloads(&host), [("owner:ann".to_owned(), false)]);
}

#[test]
fn the_api_shreds_and_shows_the_envelope_only() {
    let server = TestServer::with_commands();
    note_secret(&server.host, "ann").expect("a secret");
    note_secret(&server.host, "bob").expect("a secret");
    let before = server.get("/events/1").body;
    assert_eq!(
        (&before["shredded"], &before["data"]["text"]),
        (&json!(false), &json!(SECRET))
    );

    let path = "/keys/owner%3Aann?reason=request%204711&requested_by=ada";
    let receipt = server.request("DELETE", path, &[], b"");
    assert_eq!(receipt.status, 200, "{receipt:?}");
    for (name, value) in [
        ("action", json!("shred")),
        ("scope", json!("owner:ann")),
        ("keys", json!(1)),
        ("reason", json!("request 4711")),
        ("requested_by", json!("ada")),
        ("event_id", Value::Null),
    ] {
        assert_eq!(receipt.body[name], value, "{name}");
    }
    assert_eq!(
        server.get("/keys/audit").body["entries"],
        json!([receipt.body])
    );

    let mut expected = before.clone();
    expected["shredded"] = json!(true);
    expected["data"] = Value::Null;
    let correlation = before["correlation_id"].as_str().expect("an id");
    let graph = server.get(&format!("/correlations/{correlation}")).body;
    for shown in [
        &server.get("/events/1").body,
        &server.get("/events").body["events"][0],
        &server.get("/events?tag=owner:ann").body["events"][0],
        &graph["executions"][0]["events"][0],
    ] {
        assert_eq!(shown, &expected);
    }
    assert_eq!(server.get("/events/2").body["data"]["text"], SECRET);

    let scopes = server.get("/keys?prefix=owner:&limit=1").body;
    assert_eq!(scopes["next_after"], "owner:ann");
    let ann = &scopes["scopes"][0];
    assert_eq!(ann["shredded_at"], receipt.body["at"]);
    assert_eq!(
        (&ann["keys"], &ann["shredded_reason"]),
        (&json!(0), &json!("request 4711"))
    );
    let rest = server.get("/keys?prefix=owner:&after=owner:ann").body;
    assert_eq!(rest["next_after"], Value::Null);
    let bob = &rest["scopes"][0];
    assert_eq!(
        (&bob["scope"], &bob["keys"]),
        (&json!("owner:bob"), &json!(1))
    );
    assert_eq!(
        bob["active_key_id"],
        server.get("/events/2").body["encryption_key_id"]
    );
}

#[test]
fn requests_that_would_shred_something_else_are_refused() {
    let server = TestServer::with_commands();
    note_secret(&server.host, "ann").expect("a secret");
    let delete = |path: &str| server.request("DELETE", path, &[], b"");
    assert_eq!(delete("/keys/owner:anne").problem(404), "unknown-scope");
    for scope in ["ann", ":ann", "umari.type:secret.noted", "owner:%00"] {
        let reply = delete(&format!("/keys/{scope}"));
        assert_eq!(reply.problem(400), "invalid-scope", "{scope}");
    }
    for query in ["reson=x", "allow_unknown=yes"] {
        let reply = delete(&format!("/keys/owner:ann?{query}"));
        assert_eq!(reply.problem(400), "invalid-query", "{query}");
    }
    for (name, limit) in [
        ("reason", limits::SHREDDING_REASON_BYTES),
        ("requested_by", limits::SHREDDING_REQUESTER_BYTES),
    ] {
        let with = |bytes: usize| {
            let text = "x".repeat(bytes);
            delete(&format!("/keys/owner:nobody?{name}={text}"))
        };
        assert_eq!(with(limit).problem(404), "unknown-scope");
        assert_eq!(with(limit + 1).problem(400), "beyond-limit");
    }
    for path in ["/keys?limit=0", "/keys?page=2", "/keys/audit?after=x"] {
        assert_eq!(server.get(path).problem(400), "invalid-query", "{path}");
    }
    assert_eq!(server.get("/events/1").body["data"]["text"], SECRET);
    assert_eq!(server.get("/keys/audit").body["entries"], json!([]));

    let recorded = delete("/keys/owner:anne?allow_unknown=true");
    assert_eq!((recorded.status, &recorded.body["keys"]), (200, &json!(0)));
    assert_eq!(delete("/keys/owner:anne").status, 200, "it is known now");
}

#[test]
fn a_lost_key_is_a_problem_of_its_own() {
    let host = TestHost::with_commands();
    note_secret(&host, "ann").expect("a secret");
    assert!(host.host.shutdown(crate::support::PATIENCE));
    let database = host.directory().join("data/umari.sqlite");
    Connection::open(database)
        .and_then(|connection| connection.execute("DELETE FROM data_key", []))
        .expect("a loss");
    let server = TestServer::start(host.restart(), Access::open());
    let problem = server.get("/events");
    assert_eq!(problem.problem(503), "data-key-lost");
    assert_eq!(
        (&problem.body["position"], &problem.body["scope"]),
        (&json!(1), &json!("owner:ann"))
    );
    let accepted = "/keys/owner:ann?allow_unknown=true&reason=lost%20with%20the%20disk";
    assert_eq!(server.request("DELETE", accepted, &[], b"").status, 200);
    assert_eq!(server.get("/events").body["events"][0]["shredded"], true);
}

/// The secrets that a projector keeps, by owner.
fn secrets(host: &TestHost, projector: &str) -> Vec<(String, String)> {
    let connection = host.read_model(projector);
    let mut statement = connection
        .prepare("SELECT owner, text FROM secrets ORDER BY rowid")
        .expect("a statement");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.and_then(Iterator::collect).expect("rows")
}

fn secret_of(owner: &str) -> (String, String) {
    (owner.to_owned(), SECRET.to_owned())
}

/// What the effect shredded: whom, and how many keys.
fn shredded_by(host: &TestHost, effect: &str) -> Vec<(String, u64)> {
    let database = host
        .directory()
        .join("data/effect")
        .join(format!("{effect}.sqlite"));
    let connection = Connection::open(database).expect("a database");
    let mut statement = connection
        .prepare("SELECT owner, keys FROM shredded ORDER BY rowid")
        .expect("a statement");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.and_then(Iterator::collect).expect("rows")
}

/// Before and after, for each kind of module, on components.
#[test]
fn an_effect_has_somebody_forgotten_everywhere() {
    let host = TestHost::with_commands();
    host.deploy(ModuleKind::Projector, "vault", &[]);
    host.deploy(ModuleKind::Effect, "eraser", &[]);
    note_secret(&host, "ann").expect("a secret");
    note_secret(&host, "bob").expect("a secret");
    note_secret(&host, "ann").expect_err("a fold knows it");
    host.wait_caught_up("vault");
    host.wait_caught_up("eraser");
    assert_eq!(
        secrets(&host, "vault"),
        [secret_of("ann"), secret_of("bob")]
    );
    let log = host.directory().join("data/effect/eraser.log");
    let printed = |host: &TestHost| {
        let output = host.host.output(ModuleKind::Effect, &name("eraser"));
        let log = std::fs::read_to_string(&log).expect("a log");
        (
            output.expect("it runs").contains(SECRET),
            log.contains(SECRET),
        )
    };
    assert_eq!(printed(&host), (true, true));

    host.execute("request-erasure", json!({ "owner": "ann" }))
        .expect("a request");
    host.wait_caught_up("eraser");
    assert_eq!(shredded_by(&host, "eraser"), [("ann".to_owned(), 1)]);
    let request = host.events("erasure.requested").remove(0);
    let record = host.host.key_audit(0, 9).expect("the record");
    let [entry] = &record[..] else {
        panic!("one entry: {record:?}")
    };
    assert_eq!(entry.requested_by.as_deref(), Some("effect eraser 1.0.0"));
    assert_eq!(entry.reason.as_deref(), Some("asked for"));
    assert_eq!(entry.event_id, Some(request.id));
    assert_eq!(
        payloads(&host),
        [
            ("owner:ann".to_owned(), false),
            ("owner:bob".to_owned(), true)
        ]
    );
    assert_eq!(printed(&host), (false, false));

    note_secret(&host, "bob").expect_err("the fold still knows others");
    note_secret(&host, "ann").expect("the fold passes over what is shredded");
    host.wait_caught_up("vault");
    // What a projector wrote is its own, until it is built again.
    let [ann, bob] = [secret_of("ann"), secret_of("bob")];
    assert_eq!(
        secrets(&host, "vault"),
        [ann.clone(), bob.clone(), ann.clone()]
    );
    host.deploy(ModuleKind::Projector, "vault-again", &[]);
    host.wait_caught_up("vault-again");
    assert_eq!(secrets(&host, "vault-again"), [bob.clone(), ann.clone()]);

    // An effect that meets the same request again leaves what was noted since.
    host.deploy(ModuleKind::Effect, "eraser-again", &[]);
    host.wait_caught_up("eraser-again");
    assert_eq!(shredded_by(&host, "eraser-again"), [("ann".to_owned(), 1)]);
    note_secret(&host, "ann").expect_err("it is still known");

    let host = host.restart();
    assert_eq!(host.host.key_audit(0, 9).expect("the record"), record);
    let readable: Vec<bool> = payloads(&host)
        .into_iter()
        .map(|(_, there)| there)
        .collect();
    assert_eq!(readable, [false, true, true]);
    note_secret(&host, "ann").expect_err("it is still known");
}

#[test]
fn an_event_that_waits_for_another_attempt_is_shredded_too() {
    let host = TestHost::with_commands();
    host.deploy(ModuleKind::Effect, "eraser", &[]);
    let input = json!({ "owner": "eve", "text": "stubborn" });
    host.execute("note-secret", input).expect("a secret");
    let (_, failure) = host.wait_for_failure("eraser", 2);
    assert!(failure.message.contains("it stays a secret"), "{failure:?}");
    host.host
        .shred(&Shredding::of("owner:eve"))
        .expect("shredded");
    host.wait_caught_up("eraser");
}

#[test]
fn a_rotated_master_key_opens_everything_and_the_old_one_nothing() {
    let host = TestHost::with_commands();
    note_secret(&host, "ann").expect("a secret");
    let file = host.directory().join("data/master.key");
    let old = std::fs::read_to_string(&file).expect("a key");
    let old_wrapped = wrapped_key(&host, "owner:ann");
    let entry = host.host.rotate_master_key(&Rotation::default());
    assert_eq!(entry.expect("rotated").keys, 1);
    note_secret(&host, "ann").expect_err("it is known while the host runs");
    note_secret(&host, "bob").expect("a secret");
    let data = host.directory().join("data");
    let parts: [&[u8]; 2] = [&old_wrapped, old.trim().as_bytes()];
    let left = files_with(&data, &parts);
    assert!(left.is_empty(), "{left:?}");

    let host = host.restart();
    let readable: Vec<bool> = payloads(&host)
        .into_iter()
        .map(|(_, there)| there)
        .collect();
    assert_eq!(readable, [true, true]);
    assert!(host.host.shutdown(crate::support::PATIENCE));
    let new = std::fs::read_to_string(&file).expect("a key");
    std::fs::write(&file, &old).expect("a file");
    drop(host.host);
    let refused = host_minimal::Host::start(host_minimal::HostConfig::new(&data));
    let text = refused.expect_err("the old key").to_string();
    assert!(
        text.contains("is not the one that the data keys are wrapped with"),
        "{text}"
    );
    std::fs::write(&file, new).expect("a file");
    host_minimal::Host::start(host_minimal::HostConfig::new(&data)).expect("the new key");
}

#[test]
fn the_api_rotates_a_master_key_that_is_the_hosts_own() {
    let server = TestServer::with_commands();
    note_secret(&server.host, "ann").expect("a secret");
    let rotate = |server: &TestServer, path: &str| server.request("POST", path, &[], b"");
    assert_eq!(
        rotate(&server, "/keys/rotate?to=x").problem(400),
        "invalid-query"
    );
    let receipt = rotate(&server, "/keys/rotate?reason=yearly&requested_by=ada");
    assert_eq!(receipt.status, 200, "{receipt:?}");
    assert_eq!(
        (
            &receipt.body["action"],
            &receipt.body["keys"],
            &receipt.body["scope"]
        ),
        (&json!("rotate"), &json!(1), &Value::Null)
    );
    assert_eq!(server.get("/events/1").body["data"]["text"], SECRET);
    assert_eq!(
        server.get("/keys/audit").body["entries"],
        json!([receipt.body])
    );
    assert_eq!(
        server.get("/keys").body["scopes"][0]["shredded_at"],
        Value::Null
    );

    let server = TestServer::start(TestHost::with_master_key(&"ab".repeat(32)), Access::open());
    let refused = rotate(&server, "/keys/rotate");
    assert_eq!(refused.problem(409), "master-key-configured");
    assert!(
        refused.body["detail"]
            .as_str()
            .expect("text")
            .contains("UMARI_NEW_MASTER_KEY")
    );
}

#[test]
fn commands_and_shreddings_of_one_scope_at_once_lose_nothing() {
    const COMMANDS: usize = 15;
    let host = TestHost::patient();
    let note = |writer: &str, number: usize| {
        let input = json!({ "owner": "ann", "text": format!("{writer} {number}") });
        host.execute("note-secret", input).expect("noted")
    };
    note("first", 0);
    std::thread::scope(|scope| {
        for writer in ["one", "two"] {
            scope.spawn(move || (0..COMMANDS).for_each(|number| drop(note(writer, number))));
        }
        for _ in 0..5 {
            let shredded = host.host.shred(&Shredding::of("owner:ann"));
            shredded.expect("shredded");
        }
    });
    note("last", 0);
    let events = host.events("secret.noted");
    assert_eq!(events.len(), 2 * COMMANDS + 2, "no append is lost");
    assert!(events[0].is_shredded());
    let last = events.last().expect("an event");
    let mut keys: Vec<_> = events.iter().map(|event| event.encryption_key_id).collect();
    assert!(keys.is_sorted(), "a shredded key came back");
    keys.dedup();
    assert_eq!(keys.last(), Some(&last.encryption_key_id));
    for event in &events {
        let alive = event.encryption_key_id == last.encryption_key_id;
        assert_eq!(!event.is_shredded(), alive, "position {}", event.position);
    }
}

#[test]
fn a_component_on_trial_shreds_in_its_own_world() {
    let host = TestHost::with_commands();
    note_secret(&host, "ann").expect("a secret");
    note_secret(&host, "bob").expect("a secret");
    host.execute("request-erasure", json!({ "owner": "ann" }))
        .expect("a request");
    let history = host
        .host
        .events(&EventFilter::default(), 0, 9)
        .expect("the log");
    let trials = Trials::open(&host.directory().join("trials")).expect("trials");
    let eraser = trials
        .load(
            &fixtures().eraser,
            ModuleKind::Effect,
            &name("eraser"),
            ModuleSettings::default(),
        )
        .expect("an effect");
    let now = chrono::DateTime::UNIX_EPOCH;
    let world = || World {
        history: history.clone(),
        now,
        event_ids: uuid::Uuid::nil(),
        env: Default::default(),
    };
    // A second world has the same events, and its own keys.
    for _ in 0..2 {
        let trial = trials
            .effect(&eraser, world(), Arc::new(Offline))
            .expect("a trial");
        let first = trial.deliver(0);
        assert_eq!(first.failure, None);
        assert_eq!(first.shredded, ["owner:ann"]);
        let again = trial.deliver(0);
        assert_eq!((again.failure, again.shredded), (None, Vec::new()));
    }
    assert_eq!(
        payloads(&host),
        [
            ("owner:ann".to_owned(), true),
            ("owner:bob".to_owned(), true)
        ]
    );
}

/// Nothing answers.
#[derive(Debug)]
struct Offline;

impl Outgoing for Offline {
    fn send(&self, _: OutgoingRequest) -> Result<OutgoingResponse, OutgoingFailure> {
        Err(OutgoingFailure {
            code: "denied".to_owned(),
            message: "nothing is sent here".to_owned(),
        })
    }
}
