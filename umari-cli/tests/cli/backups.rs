//! `umari backup` and `umari restore` on the warranty shop.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::shop::{Shop, Sink};
use crate::support::{Ended, Server, run, umari};

fn umari_in(dir: &Path, args: &[&str]) -> Ended {
    run(umari().args(args).current_dir(dir))
}

/// What a server tells of its events, and of the shop's plans, as text.
fn told(url: &str) -> (Vec<Value>, Value) {
    let ask = |args: &[&str]| -> Value {
        let ended = run(umari().args(args).args(["--json", "--url", url]));
        assert_eq!(ended.code, Some(0), "{}", ended.stderr);
        serde_json::from_str(&ended.stdout).expect("JSON")
    };
    let events = ask(&["events", "--limit", "1000"]);
    let head = events["head"].to_string();
    let plans = "SELECT * FROM plans ORDER BY plan_id";
    let query = [
        "projectors",
        "query",
        "plans",
        plans,
        "--min-position",
        &head,
    ];
    let mut plans = ask(&[&query[..], &["--timeout", "60s"]].concat());
    plans["position"] = Value::Null;
    (events["events"].as_array().expect("events").clone(), plans)
}

#[test]
fn a_shop_is_backed_up_while_it_works_and_restored_whole() {
    let place = tempfile::tempdir().expect("a directory");
    let (dir, data) = (place.path(), place.path().join("data"));
    let sink = Sink::start();
    let shop = Shop::open(&data, &sink);
    for number in 1..=20 {
        assert_eq!(shop.sell(number).expect("an answer").0, 200);
    }
    // Whatever the effect does to the log, it has done.
    shop.wait_caught_up();
    let url = shop.url().to_owned();
    let ended = umari_in(dir, &["backup", "1.jsonl", "--url", &url]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stdout.contains("Backed up events 1 to "),
        "{}",
        ended.stdout
    );
    assert!(!dir.join("1.jsonl.part").exists());
    for number in 21..=30 {
        assert_eq!(shop.sell(number).expect("an answer").0, 200);
    }
    let onto = [
        "backup", "2.jsonl", "--onto", "1.jsonl", "--json", "--url", &url,
    ];
    let ended = umari_in(dir, &onto);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let made: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert!(made["events"].as_u64() >= Some(10), "{made}");
    // The keys come along each time: they are the whole truth of that moment.
    assert_eq!(made["keys"], 1, "{made}");
    let ended = umari_in(dir, &["backup", "1.jsonl", "--url", &url]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("--onto 1.jsonl"), "{}", ended.stderr);
    shop.wait_caught_up();
    let before = told(&url);
    let (status, stderr) = shop.end_by("TERM");
    assert_eq!(status.code(), Some(0), "{stderr}");

    // The directory that nobody uses now says the same as the server did.
    let offline = ["backup", "-", "--data-dir", "data"];
    let whole = umari_in(dir, &offline);
    assert_eq!(whole.code, Some(0), "{}", whole.stderr);
    fs::write(dir.join("whole.jsonl"), &whole.stdout).expect("written");
    let ended = umari_in(dir, &["backup", "--verify", "whole.jsonl"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let ended = umari_in(dir, &["backup", "--verify", "1.jsonl", "2.jsonl"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(ended.stdout.lines().count(), 2, "{}", ended.stdout);
    let ended = umari_in(dir, &["backup", "--verify", "2.jsonl", "1.jsonl"]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("does not go on from"),
        "{}",
        ended.stderr
    );

    let restore = ["restore", "1.jsonl", "2.jsonl", "--data-dir", "restored"];
    let ended = umari_in(dir, &restore);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("Restored "), "{}", ended.stdout);
    assert!(
        ended.stderr.contains("put the original master.key"),
        "{}",
        ended.stderr
    );
    let again = umari_in(dir, &restore);
    assert_eq!(again.code, Some(1));
    assert!(again.stderr.contains("is not empty"), "{}", again.stderr);

    fs::copy(data.join("master.key"), dir.join("restored/master.key")).expect("copied");
    let restored = Shop::reopen(&dir.join("restored"), &sink);
    assert_eq!(told(restored.url()), before);
}

#[test]
fn what_cannot_be_backed_up_or_restored_is_said_and_leaves_nothing() {
    let place = tempfile::tempdir().expect("a directory");
    let dir = place.path();
    let server = Server::serve(&dir.join("data"));
    let backup =
        |args: &[&str]| umari_in(dir, &[&["backup"], args, &["--url", &server.url]].concat());
    let refused = |ended: &Ended, code: i32, words: &str| {
        assert_eq!(ended.code, Some(code), "{}", ended.stderr);
        assert!(ended.stderr.contains(words), "{}", ended.stderr);
    };
    refused(&backup(&["a.jsonl", "--from", "7"]), 1, "the log ends at 0");
    refused(
        &backup(&["a.jsonl", "--onto", "b.jsonl"]),
        2,
        "b.jsonl cannot be opened",
    );
    refused(&backup(&["a.jsonl", "b.jsonl"]), 2, "a backup is one file");
    refused(
        &backup(&["a.jsonl", "--data-dir", "data"]),
        1,
        "is in use by another host",
    );
    refused(
        &backup(&["a.jsonl", "--data-dir", "none"]),
        1,
        "holds nothing of a host",
    );
    let names: Vec<PathBuf> = fs::read_dir(dir)
        .expect("entries")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(names, [dir.join("data")]);

    assert_eq!(backup(&["a.jsonl"]).code, Some(0));
    let whole = fs::read_to_string(dir.join("a.jsonl")).expect("read");
    let cut = whole.lines().next().expect("a line");
    fs::write(dir.join("cut.jsonl"), format!("{cut}\n")).expect("written");
    fs::write(
        dir.join("wrong.jsonl"),
        whole.replace("\"host\":\"", "\"host\":\"9"),
    )
    .expect("written");
    for (file, words) in [
        ("cut.jsonl", "line 2: the file ends here and is not whole"),
        ("wrong.jsonl", "line 1: its checksum does not fit"),
    ] {
        refused(&umari_in(dir, &["backup", "--verify", file]), 1, words);
        let restore = ["restore", file, "--data-dir", "new"];
        refused(&umari_in(dir, &restore), 1, words);
        assert!(!dir.join("new").exists());
    }
    let restore = ["restore", "a.jsonl", "--data-dir", "data"];
    refused(&umari_in(dir, &restore), 1, "is in use by another host");
    let (status, stderr) = server.end_by("TERM");
    assert_eq!(status.code(), Some(0), "{stderr}");
    refused(&umari_in(dir, &restore), 1, "is not empty");
}
