//! New major versions, which take over when they know as much.

use super::*;

#[test]
fn a_new_major_version_takes_over_when_it_knows_as_much() {
    let server = TestServer::start(host_with(&["one", "two"], &[]), Access::open());
    let host = &server.host;
    vandalise(host);
    let left_over = "CREATE TABLE left_over (a); INSERT INTO left_over VALUES (1)";
    let reader = host.read_model("notes");
    reader.execute_batch(left_over).expect("a table");
    let lock = lock(host, "notes");
    let next = upload(ModuleKind::Projector, "notes", "2.0.0", &[]);
    host.host.upload(next).expect("stored");
    let put = || {
        server.request(
            "PUT",
            "/projectors/notes/active",
            &[],
            br#"{"version":"2.0.0"}"#,
        )
    };
    let begun = put();
    assert_eq!(begun.status, 202, "{begun:?}");
    assert_eq!(
        (&begun.body["version"], &begun.body["replay"]["replaces"]),
        (&json!("2.0.0"), &json!("1.0.0"))
    );
    wait_for_state(host, "notes", ReplayState::Switching);
    let module = host.module("notes");
    assert_eq!(module.version.to_string(), "1.0.0", "which runs until then");
    let replay = module.replay.expect("a replay");
    assert_eq!(replay.version.to_string(), "2.0.0");
    assert_eq!(texts(&reader), ["forged one", "forged two"]);
    lock.execute_batch("COMMIT").expect("a release");
    wait_for_state(host, "notes", ReplayState::Done);
    assert_eq!(host.module("notes").version.to_string(), "2.0.0");
    assert_eq!(server.get("/projectors/notes").body["active"], "2.0.0");
    assert_eq!(texts(&reader), ["one", "two"]);
    reader
        .prepare("SELECT * FROM left_over")
        .expect_err("the new version began with nothing");
    assert_eq!(put().status, 200, "it runs");

    // A minor version keeps the read model; an older major version has another one.
    vandalise(host);
    assert_eq!(activate(host, "2.1.0", &[]), Activated::Running);
    host.note("a", 3, "three");
    host.wait_caught_up("notes");
    assert_eq!(texts(&reader), ["forged one", "forged two", "three"]);
    let back = host.host.activate(
        ModuleKind::Projector,
        &name("notes"),
        &"1.0.0".parse().expect("a version"),
    );
    assert_eq!(back.expect("activated"), Activated::Replaying);
    wait_for_state(host, "notes", ReplayState::Done);
    assert_eq!(texts(&reader), ["one", "two", "three"]);
    assert_eq!(host.module("notes").version.to_string(), "1.0.0");
}

#[test]
fn a_new_major_version_that_fails_does_not_take_over() {
    let host = host_with(&["one", "poison"], &[("TOLERANT", "1")]);
    assert_eq!(activate(&host, "2.0.0", &[]), Activated::Replaying);
    let failed = wait_for_state(&host, "notes", ReplayState::Failed);
    assert_eq!(failed.failure.expect("a reason").position, Some(2));
    let module = host.module("notes");
    assert_eq!(module.version.to_string(), "1.0.0");
    assert!(module.is_healthy());
    assert!(module.replay.expect("it says so").failure.is_some());
    let tolerant = [("TOLERANT", "1")];
    assert_eq!(activate(&host, "2.0.1", &tolerant), Activated::Replaying);
    wait_for_state(&host, "notes", ReplayState::Done);
    assert_eq!(host.module("notes").version.to_string(), "2.0.1");
    host.wait_caught_up("notes");
}

#[test]
fn a_major_version_over_one_that_does_not_run_begins_with_nothing() {
    let host = host_with(&["one", "two"], &[]);
    vandalise(&host);
    let reader = host.read_model("notes");
    let stopped = host.host.deactivate(ModuleKind::Projector, &name("notes"));
    assert!(stopped.expect("deactivated"));
    assert_eq!(activate(&host, "2.0.0", &[]), Activated::Running);
    host.wait_caught_up("notes");
    assert_eq!(texts(&reader), ["one", "two"]);
}

#[test]
fn a_new_major_version_is_replayed_over_any_number_of_starts() {
    let host = host_with(&["one"], &[]);
    vandalise(&host);
    let lock = lock(&host, "notes");
    assert_eq!(activate(&host, "2.0.0", &[]), Activated::Replaying);
    wait_for_state(&host, "notes", ReplayState::Switching);
    let killed = TestHost::after_kill_of(&host);
    lock.execute_batch("COMMIT").expect("a release");
    let replay = wait_for_state(&killed, "notes", ReplayState::Done);
    assert_eq!(replay.replaces.expect("a version").to_string(), "1.0.0");
    assert_eq!(killed.module("notes").version.to_string(), "2.0.0");
    assert_eq!(texts(&killed.read_model("notes")), ["one"]);
    wait_for_state(&host, "notes", ReplayState::Done);

    // A kill between the switch and the note of it: the file is the new version's, the module
    // store still has the old one, and the side file is there.
    let data = host.directory().join("data");
    assert!(host.host.shutdown(PATIENCE));
    std::fs::copy(
        data.join("projector/notes.sqlite"),
        data.join("replay/notes.1.sqlite"),
    )
    .expect("a side file");
    let modules = Connection::open(data.join("umari.sqlite")).expect("a module store");
    let changed = modules
        .execute(
            "UPDATE active_module SET version = '1.0.0' WHERE kind = 'projector'",
            (),
        )
        .expect("an update");
    assert_eq!(changed, 1);
    drop(modules);
    let host = host.restart();
    assert_eq!(host.module("notes").version.to_string(), "2.0.0");
    assert!(status(&host, "notes").is_none(), "nothing is left to do");
    assert_eq!(side_files(&host), [""; 0]);
    host.wait_caught_up("notes");
    assert_eq!(texts(&host.read_model("notes")), ["one"]);
}
