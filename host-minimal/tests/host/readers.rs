//! What a shredding says of those who have read the scope, and their replays.

use host_minimal::modules::ModuleKind::{Effect, Projector};
use host_minimal::replay::ReplayState;
use serde_json::{Value, json};

use crate::keys::files_with;
use crate::server::TestServer;
use crate::support::{name, wait_until};
use crate::target::Target;

fn secret(server: &TestServer, owner: &str) {
    let input = json!({ "owner": owner, "text": format!("the secret of {owner}") });
    let written = server.host.execute("note-secret", input);
    written.expect("a secret");
}

fn shred(server: &TestServer, scope: &str, more: &str) -> Value {
    let path = format!("/keys/{scope}?requested_by=ada{more}");
    let receipt = server.request("DELETE", &path, &[], b"");
    assert_eq!(receipt.status, 200, "{receipt:?}");
    receipt.body
}

/// The owners whose secrets a projector keeps.
fn owners(server: &TestServer, projector: &str) -> Vec<String> {
    let connection = server.host.read_model(projector);
    let mut statement = connection
        .prepare("SELECT owner FROM secrets ORDER BY rowid")
        .expect("a statement");
    let rows = statement.query_map([], |row| row.get(0));
    rows.and_then(Iterator::collect).expect("rows")
}

/// A server on which `vault` has read the secrets of ann and bob; `vault-old` too, before it was
/// stopped; `vault-slow` none of them; and others that read no secrets.
fn server() -> TestServer {
    let server = TestServer::with_commands();
    let target = Target::start();
    let host = &server.host;
    host.deploy(Projector, "notes", &[]);
    host.deploy(Effect, "relay", &[("TARGET", &target.url)]);
    for vault in ["vault", "vault-old", "vault-slow"] {
        host.deploy(Projector, vault, &[]);
        host.wait_caught_up(vault);
    }
    host.host
        .pause(Projector, &name("vault-slow"))
        .expect("paused");
    wait_until(|| {
        let status = host.module("vault-slow").subscription.expect("it runs");
        (status.phase.as_str() == "paused").then_some(())
    });
    secret(&server, "ann");
    secret(&server, "bob");
    for module in ["vault", "vault-old", "notes", "relay"] {
        host.wait_caught_up(module);
    }
    host.host
        .deactivate(Projector, &name("vault-old"))
        .expect("stopped");
    server
}

#[test]
fn a_shredding_names_who_has_read_the_scope_and_nobody_else() {
    let server = server();
    let receipt = shred(&server, "owner%3Aann", "");
    let reader = |name: &str, certain: bool| {
        json!({ "kind": "projector", "name": name, "position": 2, "certain": certain,
                "keeps_data": true, "replay": null })
    };
    // Of one that is not active it is known how far it came, and not what it reads. An effect that
    // came as far is known not to read secrets.
    let readers = json!([reader("vault", true), reader("vault-old", false)]);
    assert_eq!(receipt["readers"], readers);
    let record = server.get("/keys/audit").body["entries"].clone();
    assert_eq!(record, json!([receipt]));
    // A scope without any event has no readers, and a rotation has none to name.
    let nobody = shred(&server, "owner%3Anobody", "&allow_unknown=true");
    assert_eq!(nobody["readers"], json!([]));
    let rotated = server.request("POST", "/keys/rotate", &[], b"").body;
    assert_eq!(rotated["readers"], Value::Null);
    assert_eq!(owners(&server, "vault"), ["ann", "bob"], "nothing replays");
}

#[test]
fn a_replay_after_a_shredding_takes_the_data_out_of_read_models() {
    let server = server();
    let receipt = shred(&server, "owner%3Aann", "&replay=true");
    let replay = |name: &str| {
        let readers = receipt["readers"].as_array().expect("readers").iter();
        let mut named = readers.filter(|reader| reader["name"] == name);
        named.next().expect("a reader")["replay"].clone()
    };
    assert_eq!(replay("vault"), "begun");
    let refused = replay("vault-old")["refused"].to_string();
    assert!(refused.contains("not active"), "{refused}");
    assert_eq!(
        server.get("/keys/audit").body["entries"],
        json!([receipt]),
        "the record says so, too"
    );
    wait_until(|| {
        let replay = server.get("/projectors/vault/replay").body;
        (replay["state"] == "done").then_some(())
    });
    server.host.wait_caught_up("vault");
    assert_eq!(owners(&server, "vault"), ["bob"]);
    let directory = server.host.directory();
    let left = files_with(directory, &[b"the secret of ann"]);
    let names: Vec<&str> = left
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .collect();
    // The read model of one that is not active is for an operator to decide on: the receipt names it.
    assert!(
        names
            .iter()
            .all(|name| name.starts_with("vault-old.sqlite")),
        "{names:?}"
    );
    assert!(!names.is_empty(), "the search finds what is there");
}

#[test]
fn a_replay_under_way_begins_again_without_what_is_shredded() {
    let server = server();
    let vault = name("vault");
    let status = || {
        let status = server.host.host.replay_status(&vault).expect("a log");
        status.expect("a replay")
    };
    // The switch waits for it, so the replay has read everything and is not done.
    let lock = server.host.read_model("vault");
    lock.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    let first = server.host.host.replay(&vault).expect("a replay");
    wait_until(|| (status().state == ReplayState::Switching).then_some(()));
    let receipt = std::thread::scope(|scope| {
        let shredding = scope.spawn(|| shred(&server, "owner%3Aann", "&replay=true"));
        wait_until(|| (status().started_at != first.started_at).then_some(()));
        lock.execute_batch("COMMIT").expect("a release");
        shredding.join().expect("a receipt")
    });
    assert_eq!(receipt["readers"][0]["name"], "vault");
    assert_eq!(receipt["readers"][0]["replay"], "begun");
    wait_until(|| (status().state == ReplayState::Done).then_some(()));
    server.host.wait_caught_up("vault");
    assert_eq!(owners(&server, "vault"), ["bob"]);
}

#[test]
fn an_effect_that_shreds_leaves_a_record_of_the_readers() {
    let server = server();
    server.host.deploy(Effect, "eraser", &[]);
    let request = json!({ "owner": "bob" });
    server
        .host
        .execute("request-erasure", request)
        .expect("a request");
    server.host.wait_caught_up("eraser");
    let record = server.get("/keys/audit").body["entries"].clone();
    let readers = record[0]["readers"].as_array().expect("readers");
    let names: Vec<&Value> = readers.iter().map(|reader| &reader["name"]).collect();
    // It was told the secret itself.
    assert_eq!(names, ["vault", "vault-old", "eraser"], "{record:#}");
}
