//! Snapshots of folds: components go on from the states that they left, and see what they would
//! have seen without them.

use std::collections::BTreeSet;
use std::path::PathBuf;

use host_minimal::WallClock;
use host_minimal::api::Access;
use host_minimal::commands::ExecuteError;
use host_minimal::keys::{Rotation, Shredding};
use host_minimal::modules::ModuleKind;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::keys::files_with;
use crate::server::TestServer;
use crate::support::{TestHost, upload, wait_until};

const SECRET: &str = "a-very-secret-text";

fn serve(host: TestHost) -> TestServer {
    TestServer::start(host, Access::open())
}

fn figure(server: &TestServer, name: &str) -> u64 {
    let text = server.text("/metrics");
    let value = text.lines().find_map(|line| {
        let (found, value) = line.split_once(' ')?;
        (found == name).then(|| value.parse().expect("a number"))
    });
    value.unwrap_or_else(|| panic!("no {name} in\n{text}"))
}

/// What one call of a command adds to the events that were read.
fn events_read<T>(server: &TestServer, call: impl FnOnce(&TestHost) -> T) -> (u64, T) {
    let before = figure(server, "umari_boundary_events_total");
    let answer = call(&server.host);
    (
        figure(server, "umari_boundary_events_total") - before,
        answer,
    )
}

/// Waits until as many states have been kept since the start.
fn wait_kept(server: &TestServer, states: u64) {
    wait_until(|| (figure(server, "umari_snapshots_kept_total") >= states).then_some(()));
}

fn tally(host: &TestHost, input: &Value) -> Value {
    match host.execute("tally", input.clone()) {
        Err(ExecuteError::Rejected { code, details, .. }) if code == "tally" => {
            serde_json::from_str(&details.expect("details")).expect("JSON")
        }
        other => panic!("{other:?}"),
    }
}

/// What is told with snapshots, after it was compared with what is told without.
fn compared(host: &TestHost, mut input: Value) -> Value {
    input["kept"] = json!(false);
    let without = tally(host, &input);
    input["kept"] = json!(true);
    assert_eq!(tally(host, &input), without, "{input}");
    without
}

fn input() -> Value {
    json!({ "counter": "c", "owner": "ann", "weight": 1, "kept": true })
}

fn note_secret(host: &TestHost, owner: &str, text: &str) {
    host.execute("note-secret", json!({ "owner": owner, "text": text }))
        .expect("a secret");
}

#[test]
fn a_second_call_reads_only_what_came_after_the_first_and_so_does_one_after_a_restart() {
    let server = serve(TestHost::with_commands());
    for number in 1..=4 {
        server.host.note("c", number, "note");
    }
    // Each of the two folds of notes is one, and reads the same four events.
    assert_eq!(events_read(&server, |host| tally(host, &input())).0, 4);
    wait_kept(&server, 1);
    let (read, told) = events_read(&server, |host| tally(host, &input()));
    assert_eq!(read, 4, "the fold without a snapshot reads them all");
    assert_eq!(told["tallied"]["notes"], 4);

    for number in 1..=100 {
        server.host.note("kept", number, "note");
    }
    let count = |host: &TestHost| {
        let counted = host.execute("count-kept", json!({ "counter": "kept" }));
        counted.expect("a count");
    };
    assert_eq!(events_read(&server, count).0, 100);
    wait_kept(&server, 2);
    assert_eq!(
        events_read(&server, count).0,
        1,
        "what the first call wrote"
    );
    assert_eq!(
        events_read(&server, count).0,
        2,
        "not kept again before a hundred"
    );
    let host = server.into_host();
    let server = serve(host.restart());
    assert_eq!(events_read(&server, count).0, 3);
    assert_eq!(figure(&server, "umari_snapshot_hits_total"), 1);
    let ids = server
        .host
        .events("noted")
        .into_iter()
        .filter(|it| it.tags[0] == "counter:kept");
    let ids: Vec<_> = ids.map(|event| event.tags[1].clone()).collect();
    let expected: Vec<_> = (1..=104).map(|id| format!("note_id:{id}")).collect();
    assert_eq!(ids, expected);

    let host = server.into_host();
    let host = host.restart_after(|data| {
        std::fs::remove_file(data.join("snapshots.sqlite")).expect("removed");
    });
    let server = serve(host);
    assert_eq!(events_read(&server, count).0, 104, "nothing but time");
}

/// Random histories of two counters and two owners, with tallies of random ones between. A tally
/// has three readers: one kept after three events, one after two, one never.
#[test]
fn whatever_came_before_a_tally_is_the_same_with_snapshots_and_without() {
    let server = serve(TestHost::with_commands());
    let host = &server.host;
    let random = &mut StdRng::seed_from_u64(7);
    let any = |random: &mut StdRng, names: [&str; 2]| names[random.random_range(0..2)].to_owned();
    for step in 1..=250_u64 {
        let (counter, owner) = (any(random, ["c", "d"]), any(random, ["ann", "bob"]));
        match random.random_range(0..10) {
            0..4 => drop(host.note(&counter, step, &format!("note {step}"))),
            4..6 => note_secret(host, &owner, &format!("secret {step}")),
            6 if step % 5 == 0 => {
                let shredding = Shredding {
                    allow_unknown: true,
                    ..Shredding::of(format!("owner:{owner}"))
                };
                host.host.shred(&shredding).expect("shredded");
            }
            _ => {
                let head = host.host.head().expect("a head").max(1);
                let as_of = random
                    .random_bool(0.3)
                    .then(|| random.random_range(1..=head));
                compared(
                    host,
                    json!({
                        "counter": counter, "owner": owner, "as_of": as_of,
                        "weight": random.random_range(1..3),
                    }),
                );
            }
        }
    }
    let hits = figure(&server, "umari_snapshot_hits_total");
    assert!(hits > 30, "{hits}");
    println!("{hits} readers went on from a state");
}

#[test]
fn calls_that_conflict_go_on_from_states_and_none_is_lost() {
    let server = serve(TestHost::patient());
    for number in 1..=100 {
        server.host.note("c", number, "note");
    }
    let host = &server.host;
    host.execute("count-kept", json!({ "counter": "c" }))
        .expect("a count");
    wait_kept(&server, 1);
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                for _ in 0..10 {
                    host.execute("count-kept", json!({ "counter": "c" }))
                        .expect("a count");
                }
            });
        }
    });
    let ids: BTreeSet<_> = host
        .events("noted")
        .into_iter()
        .map(|it| it.tags[1].clone())
        .collect();
    assert_eq!(ids.len(), 161, "each number once");
    assert!(figure(&server, "umari_snapshot_hits_total") >= 60);
    let conflicts = r#"umari_command_conflicts_total{command="count-kept"}"#;
    println!("{} conflicts", figure(&server, conflicts));
}

#[test]
fn other_code_other_variables_and_other_fields_begin_at_the_first_event() {
    let server = serve(TestHost::with_commands());
    let host = &server.host;
    for number in 1..=4 {
        host.note("c", number, "note");
        host.note("d", number, "other");
    }
    compared(host, input());
    wait_kept(&server, 1);
    let hits = |expected: u64| {
        assert_eq!(figure(&server, "umari_snapshot_hits_total"), expected);
    };
    hits(0);
    let mut heavy = input();
    heavy["weight"] = json!(10);
    assert_eq!(
        compared(host, heavy)["tallied"]["weight"],
        40,
        "another field"
    );
    wait_kept(&server, 2);
    let mut other = input();
    other["counter"] = json!("d");
    assert_eq!(
        compared(host, other)["tallied"]["texts"][0],
        "other",
        "another domain id"
    );
    wait_kept(&server, 3);
    hits(0);
    assert_eq!(compared(host, input())["tallied"]["weight"], 4);
    hits(1);
    host.deploy_version(ModuleKind::Command, "tally", "1.0.1", &[("OTHER", "1")]);
    compared(host, input());
    hits(1);
    wait_kept(&server, 4);
    // The same code, with a section that changes nothing.
    let mut changed = upload(ModuleKind::Command, "tally", "1.0.2", &[]);
    changed.wasm.extend_from_slice(b"\0\x03\x02aa");
    host.host.upload(changed.clone()).expect("stored");
    let (kind, name) = (changed.kind, &changed.name);
    host.host
        .activate(kind, name, &changed.version)
        .expect("active");
    compared(host, input());
    hits(1);
    wait_kept(&server, 5);
    // And back again: what it kept is still its own.
    host.host
        .activate(kind, name, &"1.0.0".parse().expect("a version"))
        .expect("active");
    compared(host, input());
    hits(2);
}

#[test]
fn a_state_that_does_not_decode_is_read_anew() {
    let server = serve(TestHost::with_commands());
    for number in 1..=3 {
        server.host.note("c", number, "note");
    }
    let count = |host: &TestHost| {
        let counted = host.execute("count-one-way", json!({ "counter": "c" }));
        counted.expect("a count");
    };
    assert_eq!(events_read(&server, count).0, 3);
    wait_kept(&server, 1);
    assert_eq!(events_read(&server, count).0, 4, "all of them again");
    assert_eq!(figure(&server, "umari_snapshots_ignored_total"), 1);
    assert_eq!(figure(&server, "umari_snapshot_hits_total"), 0);
}

#[test]
fn a_read_of_the_past_takes_no_state_that_knows_more() {
    let clock = WallClock::default();
    let server = serve(TestHost::with_clock(&clock));
    let host = &server.host;
    for number in 1..=4 {
        host.note("c", number, "note");
    }
    let third = host.events("noted")[2].timestamp.timestamp_micros();
    compared(host, input());
    wait_kept(&server, 1);
    host.note("c", 5, "note");
    let notes = |change: &dyn Fn(&mut Value)| {
        let mut input = input();
        change(&mut input);
        compared(host, input)["tallied"]["notes"]
            .as_u64()
            .expect("a number")
    };
    let hits = || figure(&server, "umari_snapshot_hits_total");
    assert_eq!((notes(&|it| it["as_of"] = json!(3)), hits()), (3, 0));
    assert_eq!((notes(&|it| it["as_of"] = json!(4)), hits()), (4, 1));
    assert_eq!((notes(&|it| it["as_of"] = json!(5)), hits()), (5, 2));
    // More than one event may be of one moment.
    let by_then = notes(&|it| it["as_of_micros"] = json!(third));
    assert!((3..=5).contains(&by_then));
    let later = third + 3_600_000_000;
    assert_eq!(notes(&|it| it["as_of_micros"] = json!(later)), 5);
    assert!(hits() >= 3);
}

fn states(host: &TestHost) -> Vec<Vec<u8>> {
    let database = host.directory().join("data/snapshots.sqlite");
    let connection = Connection::open(database).expect("a database");
    let mut statement = connection
        .prepare("SELECT state FROM snapshot")
        .expect("a table");
    let states = statement.query_map([], |row| row.get(0)).expect("states");
    states.collect::<Result<_, _>>().expect("bytes")
}

fn data(host: &TestHost) -> PathBuf {
    host.directory().join("data")
}

#[test]
fn a_shredding_takes_the_states_of_its_scope_and_leaves_no_byte_of_them() {
    let server = serve(TestHost::with_commands());
    let host = &server.host;
    for number in 1..=3 {
        note_secret(host, "ann", &format!("{SECRET} {number}"));
        note_secret(host, "bob", &format!("{SECRET} {number}"));
    }
    let of = |owner: &str| json!({ "counter": "c", "owner": owner, "weight": 1 });
    compared(host, of("ann"));
    wait_kept(&server, 1);
    let [state] = &states(host)[..] else {
        panic!("one state")
    };
    assert!(
        !files_with(&data(host), &[state]).is_empty(),
        "it can be found"
    );
    compared(host, of("bob"));
    wait_kept(&server, 2);
    host.host
        .shred(&Shredding::of("owner:ann"))
        .expect("shredded");
    let parts: [&[u8]; 3] = [state, &state[12..44], SECRET.as_bytes()];
    let left = files_with(&data(host), &parts);
    assert!(left.is_empty(), "{left:?}");
    assert_eq!(figure(&server, "umari_snapshots"), 1, "that of bob");

    let hits = figure(&server, "umari_snapshot_hits_total");
    assert_eq!(compared(host, of("ann"))["secrets"], json!(["none"]));
    assert_eq!(figure(&server, "umari_snapshot_hits_total"), hits);
    compared(host, of("bob"));
    assert_eq!(figure(&server, "umari_snapshot_hits_total"), hits + 1);
    assert!(files_with(&data(host), &parts).is_empty());
}

/// As if the host had been killed between the deletion of the keys and that of the states.
#[test]
fn a_state_that_a_crash_left_after_a_shredding_is_gone_at_the_next_start() {
    let server = serve(TestHost::with_commands());
    for number in 1..=3 {
        note_secret(&server.host, "ann", &format!("{SECRET} {number}"));
    }
    let of_ann = || json!({ "counter": "c", "owner": "ann", "weight": 1 });
    compared(&server.host, of_ann());
    wait_kept(&server, 1);
    let host = server.into_host();
    let mut kept = Vec::new();
    let host = host.restart_after(|data| {
        kept = std::fs::read(data.join("snapshots.sqlite")).expect("a file");
    });
    host.host
        .shred(&Shredding::of("owner:ann"))
        .expect("shredded");
    let host = host.restart_after(|data| {
        std::fs::write(data.join("snapshots.sqlite"), &kept).expect("written");
        Connection::open(data.join("umari.sqlite"))
            .and_then(|connection| connection.execute("UPDATE key_audit SET settled = 0", []))
            .expect("a change");
    });
    let server = serve(host);
    assert_eq!(figure(&server, "umari_snapshots"), 0);
    assert_eq!(compared(&server.host, of_ann())["secrets"], json!(["none"]));
    assert_eq!(figure(&server, "umari_snapshot_hits_total"), 0);
}

#[test]
fn a_rotation_of_the_master_key_begins_anew() {
    let server = serve(TestHost::with_commands());
    for number in 1..=3 {
        server.host.note("c", number, "note");
    }
    compared(&server.host, input());
    wait_kept(&server, 1);
    server
        .host
        .host
        .rotate_master_key(&Rotation::default())
        .expect("rotated");
    assert_eq!(figure(&server, "umari_snapshots"), 0);
    compared(&server.host, input());
    wait_kept(&server, 2);
    let host = server.into_host();
    let server = serve(host.restart());
    assert_eq!(
        figure(&server, "umari_snapshots"),
        1,
        "it opens with the new one"
    );
    let host = server.into_host();
    let host = host.restart_after(|data| {
        let directory = host_minimal::data_dir::DataDir::open(data).expect("a directory");
        host_minimal::host::rotate_master_key(&directory, None, None, &Rotation::default())
            .expect("rotated");
        assert!(!data.join("snapshots.sqlite").exists());
    });
    compared(&host, input());
}

#[test]
fn an_effect_asks_with_states_too_and_knows_nothing_after_it_has_shredded() {
    let server = serve(TestHost::with_commands());
    let host = &server.host;
    host.deploy(ModuleKind::Effect, "eraser", &[]);
    let known = || -> Vec<u64> {
        let database = data(host).join("effect/eraser.sqlite");
        let connection = Connection::open(database).expect("a database");
        let mut statement = connection
            .prepare("SELECT secrets FROM known ORDER BY rowid")
            .expect("a table");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("numbers")
    };
    for number in 1..=3 {
        note_secret(host, "ann", &format!("{SECRET} {number}"));
        host.wait_caught_up("eraser");
        wait_kept(&server, number);
    }
    assert_eq!(known(), [1, 2, 3]);
    assert_eq!(figure(&server, "umari_snapshot_hits_total"), 2);
    let [state] = &states(host)[..] else {
        panic!("one state")
    };
    host.execute("request-erasure", json!({ "owner": "ann" }))
        .expect("a request");
    host.wait_caught_up("eraser");
    assert_eq!(known(), [1, 2, 3, 0]);
    let left = files_with(&data(host), &[SECRET.as_bytes(), state]);
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_log_that_was_exchanged_while_the_host_was_stopped_has_no_states() {
    let server = serve(TestHost::with_commands());
    for number in 1..=4 {
        server.host.note("c", number, "note");
    }
    compared(&server.host, input());
    wait_kept(&server, 1);
    let host = server.into_host();
    let other = TestHost::with_commands();
    for number in 1..=5 {
        other.note("c", number, "another");
    }
    let log = data(&other).join("events.db");
    assert!(other.host.shutdown(crate::support::PATIENCE));
    let host = host.restart_after(|data| {
        std::fs::copy(&log, data.join("events.db")).expect("a copy");
    });
    let server = serve(host);
    assert_eq!(
        compared(&server.host, input())["tallied"]["texts"][0],
        "another"
    );
    assert_eq!(figure(&server, "umari_snapshot_hits_total"), 0);
}
