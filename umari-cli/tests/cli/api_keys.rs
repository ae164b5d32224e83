//! Keys to a server, from the first one to the last.

use std::path::Path;

use serde_json::Value;

use crate::support::{Ended, Server, run, umari};

/// Starts `umari serve` with a key, or without one.
fn serve(data: &Path, key: Option<&str>) -> Server {
    let mut command = umari();
    command
        .args(["serve", "--addr", "127.0.0.1:0", "--data-dir"])
        .arg(data);
    if let Some(key) = key {
        command.env("UMARI_API_KEY", key);
    }
    Server::start(&mut command)
}

fn ask(server: &Server, key: &str, args: &[&str]) -> Ended {
    run(umari()
        .args(args)
        .env("UMARI_URL", &server.url)
        .env("UMARI_API_KEY", key))
}

fn listed(server: &Server, key: &str) -> Vec<Value> {
    let ended = ask(server, key, &["api-keys", "list", "--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let answer: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    answer["api_keys"].as_array().expect("a list").clone()
}

#[test]
fn keys_are_made_used_and_revoked() {
    let data = tempfile::tempdir().expect("a directory");
    let server = serve(data.path(), Some("the-first"));
    for wrong in ["", "the-firs", "umari_x"] {
        let ended = ask(&server, wrong, &["modules"]);
        assert_eq!(ended.code, Some(1));
        let help = "umari api-keys create";
        assert!(ended.stderr.contains("HTTP 401"), "{}", ended.stderr);
        assert!(ended.stderr.contains(help), "{}", ended.stderr);
    }

    let create = ["api-keys", "create", "ci", "--scope", "read"];
    let made = ask(&server, "the-first", &create);
    assert_eq!(made.code, Some(0), "{}", made.stderr);
    let key = made.stdout.trim().to_owned();
    assert!(key.starts_with("umari_"), "{key}");
    assert!(!made.stderr.contains(&key), "{}", made.stderr);
    let taken = ask(&server, "the-first", &create);
    assert_eq!(taken.code, Some(1));
    assert!(taken.stderr.contains("`name-taken`"), "{}", taken.stderr);

    assert_eq!(ask(&server, &key, &["modules"]).code, Some(0));
    let refused = ask(&server, &key, &["api-keys", "list"]);
    assert_eq!(refused.code, Some(1));
    let first = "error: this needs the scope admin, and the API key \"ci\" has read\n";
    assert!(refused.stderr.starts_with(first), "{}", refused.stderr);
    let refused = ask(&server, &key, &["execute", "greet", "--input", "{}"]);
    let first = "error: this needs the scope execute, ";
    assert!(refused.stderr.starts_with(first), "{}", refused.stderr);

    // It outlives the server, and its use has been noted.
    server.end_by("TERM");
    let server = serve(data.path(), Some("the-second"));
    assert_eq!(ask(&server, &key, &["modules"]).code, Some(0));
    assert_eq!(ask(&server, "the-first", &["modules"]).code, Some(1));
    let keys = listed(&server, "the-second");
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["name"], "ci");
    assert!(keys[0]["last_used_at"].is_string(), "{}", keys[0]);
    assert!(!keys[0].to_string().contains(&key));

    let revoke = ["api-keys", "revoke", "ci"];
    let revoked = ask(&server, "the-second", &revoke);
    assert_eq!(revoked.code, Some(0), "{}", revoked.stderr);
    assert_eq!(ask(&server, &key, &["modules"]).code, Some(1));
    let again = ask(&server, "the-second", &revoke);
    assert_eq!(again.code, Some(1));
    let first = "error: there is no valid API key ci\n";
    assert!(again.stderr.starts_with(first), "{}", again.stderr);
    assert!(listed(&server, "the-second")[0]["revoked_at"].is_string());
}

#[test]
fn the_first_key_of_an_open_server_closes_it() {
    let data = tempfile::tempdir().expect("a directory");
    let server = serve(data.path(), None);
    assert_eq!(ask(&server, "", &["modules"]).code, Some(0));
    let create = |key, name, scope| {
        ask(
            &server,
            key,
            &["api-keys", "create", name, "--scope", scope],
        )
    };
    let refused = create("", "reader", "read");
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("`no-admin-key`"),
        "{}",
        refused.stderr
    );
    let admin = create("", "me", "admin");
    assert_eq!(admin.code, Some(0), "{}", admin.stderr);
    let admin = admin.stdout.trim();
    assert_eq!(ask(&server, "", &["modules"]).code, Some(1));
    assert_eq!(ask(&server, admin, &["modules"]).code, Some(0));
    let id = listed(&server, admin)[0]["id"].clone();
    let id = id.as_str().expect("an id");
    let last = ask(&server, admin, &["api-keys", "revoke", id]);
    assert!(last.stderr.contains("UMARI_API_KEY"), "{}", last.stderr);
    assert_eq!(ask(&server, admin, &["modules"]).code, Some(0));
}

#[test]
fn a_key_needs_a_scope_that_there_is() {
    for args in [vec![], vec!["--scope", "write"]] {
        let ended = run(umari().args(["api-keys", "create", "ci"]).args(args));
        assert_eq!(ended.code, Some(2));
        assert!(ended.stderr.contains("--scope"), "{}", ended.stderr);
    }
}
