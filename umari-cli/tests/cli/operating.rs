//! Operating a shop that runs: what an operator types, and sees.

use std::path::Path;

use serde_json::{Value, json};

use crate::shop::{Shop, Sink};
use crate::support::{Ended, run, umari};

/// Calls the binary with the shop's server.
fn call(shop: &Shop, args: &[&str]) -> Ended {
    run(umari().args(args).args(["--url", shop.url()]))
}

/// What a call that goes well prints.
fn done(shop: &Shop, args: &[&str]) -> Ended {
    let ended = call(shop, args);
    assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
    ended
}

/// What a call answers as JSON.
fn read(shop: &Shop, args: &[&str]) -> Value {
    serde_json::from_str(&done(shop, args).stdout).expect("JSON")
}

fn open(data: &Path) -> Shop {
    let shop = Shop::open(data, &Sink::start());
    shop.wait_caught_up();
    shop
}

#[test]
fn a_module_is_paused_and_resumed_by_either_name_of_its_kind() {
    let data = tempfile::tempdir().expect("a directory");
    let shop = open(data.path());
    for (kind, module) in [("projector", "plans"), ("effects", "register-webhooks")] {
        let singular = kind.trim_end_matches('s');
        let ended = done(&shop, &[kind, "pause", module]);
        assert_eq!(ended.stderr, format!("      Paused {singular} {module}\n"));
        let ended = done(&shop, &[kind, "pause", module]);
        assert!(
            ended.stderr.contains("which was paused already"),
            "{}",
            ended.stderr
        );
        shop.wait_for(module, |module| module["status"] == "paused");
        let listed = done(&shop, &["modules"]).stdout;
        let line = listed.lines().find(|line| line.contains(module));
        assert!(line.expect("a line").contains("paused"), "{listed}");
        let answer = read(&shop, &[kind, "resume", module, "--json"]);
        let expected =
            json!({ "kind": singular, "name": module, "paused": false, "changed": true });
        assert_eq!(answer, expected);
        shop.wait_for(module, |module| module["status"] == "live");
    }

    let unknown = call(&shop, &["effects", "pause", "plans"]);
    assert_eq!(unknown.code, Some(1));
    assert!(
        unknown.stderr.contains("there is no effect plans"),
        "{}",
        unknown.stderr
    );
    assert_eq!(call(&shop, &["effects", "pause"]).code, Some(2));
}

#[test]
fn an_event_that_an_effect_cannot_handle_is_parked_and_delivered_or_dropped() {
    let data = tempfile::tempdir().expect("a directory");
    let sink = Sink::start();
    sink.refuse(true);
    let shop = Shop::open(data.path(), &sink);
    let effect = "register-webhooks";
    let failing = shop.wait_for(effect, |module| module["status"] == "retrying");
    let position = failing["last_error"]["position"].to_string();
    let shown = done(&shop, &["effects", "show", effect]).stdout;
    assert!(
        shown.contains(&format!("fails     at event {position} (shop.connected, ")),
        "{shown}"
    );

    let ended = call(&shop, &["effects", "drop", effect, &position]);
    assert_eq!(ended.code, Some(1));
    assert!(
        ended.stderr.contains("has no parked event at position"),
        "{}",
        ended.stderr
    );
    let ended = done(&shop, &["effect", "park", effect]);
    let parked = format!("      Parked event {position} (shop.connected) after ");
    assert!(ended.stderr.starts_with(&parked), "{}", ended.stderr);
    shop.wait_for(effect, |module| module["status"] == "live");
    let ended = call(&shop, &["effects", "park", effect]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("nothing to park"), "{}", ended.stderr);
    let listed = done(&shop, &["effects", "parked", effect]).stdout;
    assert!(listed.contains("shop.connected"), "{listed}");
    assert!(listed.contains(&format!("\n{position}: ")), "{listed}");
    let shown = done(&shop, &["effects", "show", effect]).stdout;
    for line in [
        "parked    1 event; see `umari effects parked",
        "failed    at event",
    ] {
        assert!(shown.contains(line), "{shown}");
    }

    let ended = call(&shop, &["effects", "unpark", effect, &position]);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let first = format!("error: event {position} failed again and stays parked\n");
    assert!(ended.stderr.starts_with(&first), "{}", ended.stderr);
    sink.refuse(false);
    let answer = read(&shop, &["effects", "unpark", effect, &position, "--json"]);
    assert_eq!(answer["outcome"], "handled", "{answer}");
    let answer = read(&shop, &["effects", "parked", effect, "--json"]);
    assert_eq!(answer, json!({ "name": effect, "parked": [] }));
    let ended = done(&shop, &["effects", "parked", effect]);
    assert!(
        ended.stderr.contains("no parked events"),
        "{}",
        ended.stderr
    );
}
