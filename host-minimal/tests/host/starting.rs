//! Where a module begins that has not run before.

use host_minimal::modules::ModuleKind::{Effect, Projector};
use host_minimal::modules::ModuleSettings;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{PATIENCE, TestHost, name, upload, wait_until};
use crate::target::Target;

fn latest() -> Value {
    json!({ "start": "latest" })
}

fn notes(host: &TestHost) -> Vec<u64> {
    let connection: Connection = host.read_model("notes");
    let mut statement = connection
        .prepare("SELECT note_id FROM notes ORDER BY position")
        .expect("a table");
    let rows = statement.query_map((), |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a number")).collect()
}

#[test]
fn a_module_that_starts_with_what_is_new_gets_all_of_that_and_nothing_else() {
    let (host, target) = (TestHost::with_commands(), Target::start());
    let env = [("TARGET", target.url.as_str())];
    host.note("a", 1, "x");
    host.deploy_with(Effect, "relay", "1.0.0", &env, &latest());
    host.deploy_with(Projector, "notes", "1.0.0", &[], &latest());
    // At once: the answer to the activation is where "new" begins.
    host.note("a", 2, "x");
    host.wait_caught_up("relay");
    host.wait_caught_up("notes");
    assert_eq!((target.count(1), target.count(2)), (0, 1));
    assert_eq!(notes(&host), [2]);

    // From here on it has a position, which counts whatever happens.
    for (kind, module) in [(Effect, "relay"), (Projector, "notes")] {
        host.host.deactivate(kind, &name(module)).expect("it ends");
    }
    host.note("a", 3, "x");
    let host = host.restart();
    host.deploy_with(Effect, "relay", "1.0.0", &env, &latest());
    host.deploy_with(Projector, "notes", "1.1.0", &[], &latest());
    host.wait_caught_up("relay");
    host.wait_caught_up("notes");
    assert_eq!([1, 2, 3].map(|note_id| target.count(note_id)), [0, 1, 1]);
    assert_eq!(notes(&host), [2, 3]);
}

#[test]
fn a_module_starts_with_the_first_event_where_nothing_else_is_said() {
    let (host, target) = (TestHost::with_commands(), Target::start());
    let env = [("TARGET", target.url.as_str())];
    host.note("a", 1, "x");
    host.deploy_with(Effect, "relay", "1.0.0", &env, &json!({}));
    host.deploy_with(
        Projector,
        "notes",
        "1.0.0",
        &[],
        &json!({ "start": "beginning" }),
    );
    host.wait_caught_up("relay");
    host.wait_caught_up("notes");
    assert_eq!((target.count(1), notes(&host)), (1, vec![1]));
    // A setting is for the first start, and this is not one.
    host.note("a", 2, "x");
    host.deploy_with(Effect, "relay", "1.1.0", &env, &latest());
    host.wait_caught_up("relay");
    assert_eq!(target.count(2), 1);
}

#[test]
fn a_replay_begins_with_the_first_event_all_the_same() {
    let (host, target) = (TestHost::with_commands(), Target::start());
    host.note("a", 1, "x");
    let env = [("TARGET", target.url.as_str())];
    host.deploy_with(Effect, "relay", "1.0.0", &env, &latest());
    host.note("a", 2, "x");
    host.wait_caught_up("relay");
    assert_eq!((target.count(1), target.count(2)), (0, 1));
    host.host.replay_effect(&name("relay")).expect("it begins");
    wait_until(|| (target.count(1) == 1).then_some(()));
}

#[test]
fn what_is_new_is_so_from_the_activation_on_even_for_a_paused_module() {
    let (host, target) = (TestHost::with_commands(), Target::start());
    host.note("a", 1, "x");
    let mut stored = upload(Effect, "relay", "1.0.0", &[("TARGET", &target.url)]);
    stored.settings = ModuleSettings::from_json(&latest().to_string()).expect("settings");
    host.host.upload(stored.clone()).expect("it is stored");
    host.host.pause(Effect, &stored.name).expect("a pause");
    let activated = host.host.activate(Effect, &stored.name, &stored.version);
    activated.expect("it is activated");
    host.note("a", 2, "x");
    let host = host.restart();
    host.note("a", 3, "x");
    host.host.resume(Effect, &stored.name).expect("it goes on");
    host.wait_caught_up("relay");
    assert_eq!([1, 2, 3].map(|note_id| target.count(note_id)), [0, 1, 1]);
    assert!(host.host.shutdown(PATIENCE));
}
