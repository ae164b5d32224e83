//! Building anew what follows from the log, and looking at what followed from it earlier.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::shop::{Shop, Sink};
use crate::support::{Ended, run, umari};

fn ask(shop: &Shop, args: &[&str]) -> Ended {
    run(umari().args(args).args(["--url", shop.url()]))
}

/// Asks for what is refused, and returns the reasons.
fn refused(shop: &Shop, args: &[&str]) -> String {
    let ended = ask(shop, args);
    assert_eq!(ended.code, Some(1), "{args:?}: {}", ended.stderr);
    assert_eq!(ended.stdout, "", "{args:?}");
    ended.stderr
}

fn title(file: &Path) -> Result<(String, u64, String), rusqlite::Error> {
    let connection = Connection::open(file).expect("a database");
    let journal = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    connection.query_row(
        "SELECT (SELECT group_concat(title) FROM plans), last_position FROM umari_progress",
        (),
        |row| {
            Ok((
                row.get::<_, Option<String>>(0)?.unwrap_or_default(),
                row.get(1)?,
                journal,
            ))
        },
    )
}

#[test]
fn a_read_model_is_replayed_and_followed_to_its_end() {
    let data = tempfile::tempdir().expect("a directory");
    let sink = Sink::start();
    let shop = Shop::open(data.path(), &sink);
    assert!(refused(&shop, &["projectors", "replay", "nothing"]).contains("no projector nothing"));
    let status = ["projectors", "replay", "plans", "--status"];
    assert!(refused(&shop, &status).contains("no replay of the projector plans"));
    let cancel = ["projectors", "replay", "plans", "--cancel"];
    assert!(refused(&shop, &cancel).contains("no replay of the projector plans"));
    for wrong in [
        &["--cancel", "--follow"][..],
        &["--until", "1"],
        &["--into", "x.sqlite"],
        &["--force"],
    ] {
        let mut args = vec!["projectors", "replay", "plans"];
        args.extend(wrong);
        assert_eq!(ask(&shop, &args).code, Some(2), "{wrong:?}");
    }

    shop.wait_caught_up();
    let file = data.path().join("projector/plans.sqlite");
    let reader = Connection::open(&file).expect("a read model");
    let forged = reader.execute("UPDATE plans SET title = 'forged'", ());
    assert_eq!(forged, Ok(1));
    // Singular, as the plural.
    let ended = ask(&shop, &["projector", "replay", "plans", "--follow"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let head = shop.get("/modules")["modules"][0]["head"].clone();
    let last = ended.stderr.lines().last().expect("a line").trim();
    assert_eq!(
        last,
        format!("Replayed projector plans 1.0.0 up to position {head}")
    );
    let now: String = reader
        .query_row("SELECT title FROM plans", (), |row| row.get(0))
        .expect("a plan");
    assert_eq!(now, "Two years");

    let shown = ask(
        &shop,
        &["projectors", "replay", "plans", "--status", "--json"],
    );
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!(
        (&shown["state"], &shown["position"]),
        (&json!("done"), &head)
    );
    let begun = ask(&shop, &["projectors", "replay", "plans"]);
    assert_eq!(begun.code, Some(0), "{}", begun.stderr);
    assert!(
        begun
            .stderr
            .contains("umari projectors replay plans --status --follow"),
        "{}",
        begun.stderr
    );
    let mut followed = status.to_vec();
    followed.push("--follow");
    assert_eq!(ask(&shop, &followed).code, Some(0));
}

#[test]
fn a_new_major_version_says_that_it_is_replayed_first() {
    let data = tempfile::tempdir().expect("a directory");
    let sink = Sink::start();
    let shop = Shop::open(data.path(), &sink);
    shop.wait_caught_up();
    let component = shop.component("plans");
    let component = component.to_str().expect("a path");
    let upload = [
        "projectors",
        "upload",
        "plans",
        "2.0.0",
        component,
        "--activate",
    ];
    let ended = ask(&shop, &upload);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended
            .stderr
            .contains("1.0.0 runs until 2.0.0 knows as much"),
        "{}",
        ended.stderr
    );
    let follow = ["projectors", "replay", "plans", "--status", "--follow"];
    assert_eq!(ask(&shop, &follow).code, Some(0));
    let shown = shop.get("/projectors/plans");
    assert_eq!(shown["active"], "2.0.0");
    // Nothing is left to say of it.
    let listed = ask(&shop, &["modules"]);
    assert!(!listed.stdout.contains("replay"), "{}", listed.stdout);
}

#[test]
fn an_effect_is_replayed_and_repeats_nothing() {
    let data = tempfile::tempdir().expect("a directory");
    let sink = Sink::start();
    let shop = Shop::open(data.path(), &sink);
    shop.wait_caught_up();
    let before = sink.registrations();
    assert!(!before.is_empty());
    let head = shop.get("/modules")["modules"][0]["head"].clone();
    let ended = ask(&shop, &["effects", "replay", "register-webhooks"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("Replaying effect register-webhooks"),
        "{}",
        ended.stderr
    );
    shop.wait_caught_up();
    assert_eq!(sink.registrations(), before);
    assert_eq!(shop.get("/modules")["modules"][0]["head"], head);
    assert!(refused(&shop, &["effects", "replay", "nothing"]).contains("no effect nothing"));
}

#[test]
fn a_read_model_of_the_past_is_a_file() {
    let data = tempfile::tempdir().expect("a directory");
    let sink = Sink::start();
    let shop = Shop::open(data.path(), &sink);
    shop.wait_caught_up();
    let created = &shop.get("/events?type=warranty.plan.created")["events"];
    let created = created.as_array().cloned().unwrap_or_default();
    let [created] = created.as_slice() else {
        panic!("{}", shop.get("/events"));
    };
    let position = created["position"].as_u64().expect("a position");
    let into = data.path().join("past.sqlite");
    let file = into.to_str().expect("a path");
    let write = |until: &str, more: &[&str]| {
        let mut args = vec![
            "projectors",
            "replay",
            "plans",
            "--until",
            until,
            "--into",
            file,
        ];
        args.extend(more);
        ask(&shop, &args)
    };

    let before = (position - 1).to_string();
    let ended = write(&before, &[]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(
        ended.stderr.contains(&format!(
            "projector plans as of position {before} to {file}"
        )),
        "{}",
        ended.stderr
    );
    let delete = "delete".to_owned();
    assert_eq!(
        title(&into),
        Ok((String::new(), position - 1, delete.clone()))
    );

    let time = created["timestamp"].as_str().expect("a time");
    let taken = write(time, &[]);
    assert_eq!(taken.code, Some(1));
    assert!(
        taken.stderr.contains("past.sqlite exists"),
        "{}",
        taken.stderr
    );
    assert!(taken.stderr.contains("--force"), "{}", taken.stderr);
    let ended = write(time, &["--force", "--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let said: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    assert_eq!(said["position"], position);
    assert_eq!(title(&into), Ok(("Two years".to_owned(), position, delete)));

    // What is refused leaves the file as it was, and nothing beside it.
    for (until, why) in [
        ("soon", "neither a position nor a time"),
        ("2026-01-31", "neither a position nor a time"),
        ("999999", "the log ends at position"),
    ] {
        let refused = write(until, &["--force"]);
        assert_eq!(refused.code, Some(1), "{until}");
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
    }
    assert_eq!(title(&into).expect("the file").0, "Two years");
    let names = std::fs::read_dir(data.path()).expect("a directory");
    let mut names = names.map(|entry| entry.expect("an entry").file_name());
    let left = names.find(|name| {
        let name = name.to_string_lossy();
        name.starts_with(".tmp") || name.starts_with("past.sqlite-")
    });
    assert_eq!(left, None);
    let nowhere = data.path().join("none/past.sqlite");
    let nowhere = nowhere.to_str().expect("a path");
    let args = [
        "projectors",
        "replay",
        "plans",
        "--until",
        "1",
        "--into",
        nowhere,
    ];
    assert!(refused(&shop, &args).contains("cannot write"));
}
