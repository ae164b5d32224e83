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
