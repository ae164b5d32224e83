//! Data keys from the command line, against a real server.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::shop::{Shop, Sink};
use crate::support::{Ended, Server, run, umari};

fn keys(url: &str, args: &[&str]) -> Ended {
    run(umari().arg("keys").args(args).args(["--url", url]))
}

fn read(url: &str, args: &[&str]) -> Value {
    let ended = keys(url, args);
    assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
    serde_json::from_str(&ended.stdout).expect("JSON")
}

/// `umari keys rotate` on a data directory.
fn rotate(data: &Path, environment: &[(&str, &str)]) -> Command {
    let mut command = umari();
    command
        .args(["keys", "rotate", "--yes", "--data-dir"])
        .arg(data)
        .envs(environment.iter().copied());
    command
}

fn serve(data: &Path, environment: &[(&str, &str)]) -> Command {
    let mut command = umari();
    command
        .args(["serve", "--addr", "127.0.0.1:0", "--data-dir"])
        .arg(data)
        .envs(environment.iter().copied());
    command
}

#[test]
fn a_shop_is_shredded_after_a_yes_and_stays_so() {
    let data = tempfile::tempdir().expect("a directory");
    let shop = Shop::open(data.path(), &Sink::start());
    shop.wait_caught_up();
    let url = shop.url();
    let connected = |url: &str| {
        let ended = run(umari().args(["events", "show", "1", "--json", "--url", url]));
        let event: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        assert_eq!(event["event_type"], "shop.connected");
        event
    };
    assert_eq!(connected(url)["data"]["owner_email"], "one@example.com");
    let listed = read(url, &["list", "--prefix", "shop_id:", "--json"]);
    assert_eq!(listed["scopes"][0]["scope"], "shop_id:1");

    // Nobody is there to be asked.
    let refused = keys(url, &["shred", "shop_id:1"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    for part in ["nothing was done", "for good", "--yes"] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    let unknown = keys(url, &["shred", "shop_id:11", "--yes"]);
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown
            .stderr
            .contains("the scope shop_id:11 has no data key"),
        "{}",
        unknown.stderr
    );
    assert_eq!(connected(url)["data"]["owner_email"], "one@example.com");

    let mut shred = vec!["shred", "shop_id:1", "--yes"];
    shred.extend(["--reason", "request 4711", "--requested-by", "ada"]);
    let shredded = keys(url, &shred);
    assert_eq!(shredded.code, Some(0), "{}", shredded.stderr);
    let lines: Vec<&str> = shredded.stdout.lines().collect();
    assert_eq!(
        lines[0],
        "shredded shop_id:1: 1 data key deleted (entry 1 of the record)"
    );
    let row = |line: &str| {
        let words = line.split_whitespace().map(str::to_owned);
        words.collect::<Vec<_>>()
    };
    let (plans, webhooks) = (row(lines[2]), row(lines[3]));
    assert_eq!(plans[..3], ["projector", "plans", "yes"], "{lines:#?}");
    assert_eq!(plans[4..], ["rows"], "{lines:#?}");
    assert_eq!(
        webhooks[..3],
        ["effect", "register-webhooks", "yes"],
        "{lines:#?}"
    );
    assert!(
        shredded.stderr.contains("with --replay builds these anew"),
        "{}",
        shredded.stderr
    );
    let event = connected(url);
    assert_eq!(
        (&event["shredded"], &event["data"]),
        (&json!(true), &Value::Null)
    );
    let list = keys(url, &["list"]);
    assert!(list.stdout.contains("request 4711"), "{}", list.stdout);
    let record = read(url, &["audit", "--json"]);
    let entry = &record["entries"][0];
    assert_eq!(
        (&entry["scope"], &entry["requested_by"], &entry["keys"]),
        (&json!("shop_id:1"), &json!("ada"), &json!(1))
    );
    let readers = entry["readers"].as_array().expect("readers").iter();
    let names: Vec<&Value> = readers.map(|reader| &reader["name"]).collect();
    assert_eq!(names, ["plans", "register-webhooks"]);
    let audit = keys(url, &["audit"]);
    for part in ["ada", "plans, register-webhooks"] {
        assert!(audit.stdout.contains(part), "{}", audit.stdout);
    }

    let replayed = keys(url, &["shred", "shop_id:1", "--yes", "--replay"]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    assert!(replayed.stdout.contains("begun"), "{}", replayed.stdout);
    let followed = "Replayed projector plans 1.0.0 up to position";
    assert!(replayed.stderr.contains(followed), "{}", replayed.stderr);
    let record = read(url, &["audit", "--json"]);
    assert_eq!(record["entries"][1]["readers"][0]["replay"], "begun");
    let audit = keys(url, &["audit"]);
    let part = "plans (replayed), register-webhooks";
    assert!(audit.stdout.contains(part), "{}", audit.stdout);

    let (status, stderr) = shop.end_by("TERM");
    assert_eq!(status.code(), Some(0), "{stderr}");
    let server = Server::serve(data.path());
    assert_eq!(connected(&server.url)["shredded"], true);
    assert_eq!(read(&server.url, &["audit", "--json"]), record);
}

#[test]
fn a_master_key_in_its_file_is_rotated_with_and_without_a_server() {
    let data = tempfile::tempdir().expect("a directory");
    let file = data.path().join("master.key");
    let server = Server::serve(data.path());
    let first = std::fs::read_to_string(&file).expect("a key");
    let refused = keys(&server.url, &["rotate"]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    let in_use = run(&mut rotate(data.path(), &[]));
    assert_eq!(in_use.code, Some(1));
    assert!(
        in_use.stderr.contains("in use by another host"),
        "{}",
        in_use.stderr
    );
    assert_eq!(std::fs::read_to_string(&file).expect("a key"), first);

    let entry = read(&server.url, &["rotate", "--yes", "--json"]);
    assert_eq!(entry["action"], "rotate");
    let second = std::fs::read_to_string(&file).expect("a key");
    assert_ne!(second, first);
    let (status, stderr) = server.end_by("TERM");
    assert_eq!(status.code(), Some(0), "{stderr}");

    let rotated = run(&mut rotate(data.path(), &[]));
    assert_eq!(rotated.code, Some(0), "{}", rotated.stderr);
    assert_eq!(
        rotated.stdout,
        "rotated the master key: 0 data keys wrapped with the new one (entry 2 of the record)\n"
    );
    for part in [
        "master.key",
        "Backups of umari.sqlite",
        "destroy every copy",
    ] {
        assert!(rotated.stderr.contains(part), "{}", rotated.stderr);
    }
    let third = std::fs::read_to_string(&file).expect("a key");
    std::fs::write(&file, second).expect("a file");
    let refused = run(&mut serve(data.path(), &[]));
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let why = "the master key is not the one that the data keys are wrapped with";
    assert!(refused.stderr.contains(why), "{}", refused.stderr);
    std::fs::write(&file, third).expect("a file");
    Server::serve(data.path());
}

#[test]
fn a_configured_master_key_is_rotated_while_the_host_is_stopped() {
    let data = tempfile::tempdir().expect("a directory");
    let (old, new, newest) = ("ab".repeat(32), "cd".repeat(32), "ef".repeat(32));
    let with_old = [("UMARI_MASTER_KEY", old.as_str())];
    let server = Server::start(&mut serve(data.path(), &with_old));
    let refused = keys(&server.url, &["rotate", "--yes"]);
    assert_eq!(refused.code, Some(1));
    assert!(
        refused.stderr.contains("UMARI_NEW_MASTER_KEY"),
        "{}",
        refused.stderr
    );
    let (status, _) = server.end_by("TERM");
    assert_eq!(status.code(), Some(0));

    let without = run(&mut rotate(data.path(), &with_old));
    assert_eq!(without.code, Some(1), "{}", without.stderr);
    assert!(
        without.stderr.contains("UMARI_NEW_MASTER_KEY"),
        "{}",
        without.stderr
    );
    let both = [with_old[0], ("UMARI_NEW_MASTER_KEY", &new)];
    let rotated = run(&mut rotate(data.path(), &both));
    assert_eq!(rotated.code, Some(0), "{}", rotated.stderr);
    assert!(
        rotated.stderr.contains("UMARI_MASTER_KEY set to it"),
        "{}",
        rotated.stderr
    );
    for text in [&rotated.stdout, &rotated.stderr, &without.stderr] {
        assert!(
            !text.contains(&old) && !text.contains(&new),
            "a key is shown: {text}"
        );
    }
    let refused = run(&mut serve(data.path(), &with_old));
    assert_eq!(refused.code, Some(1), "{}", refused.stderr);
    let with_new = [("UMARI_MASTER_KEY", new.as_str())];
    drop(Server::start(&mut serve(data.path(), &with_new)));

    let mut child = rotate(data.path(), &with_new)
        .arg("--stdin")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("the binary starts");
    let mut stdin = child.stdin.take().expect("a stdin");
    std::io::Write::write_all(&mut stdin, format!("{newest}\n").as_bytes()).expect("written");
    drop(stdin);
    assert!(child.wait().expect("an end").success());
    Server::start(&mut serve(data.path(), &[("UMARI_MASTER_KEY", &newest)]));
}

#[test]
fn a_directory_that_is_no_hosts_is_left_alone() {
    let data = tempfile::tempdir().expect("a directory");
    let refused = run(&mut rotate(data.path(), &[]));
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert_eq!(
        std::fs::read_dir(data.path()).expect("a directory").count(),
        0
    );
}
