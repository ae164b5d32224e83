//! A corpus of guests that mean no good. Each attack is stopped by what should stop it, and its
//! neighbours, a command and a projector, go on while it runs.
//!
//! That is measured as progress and not as time: an attack is repeated until its neighbour has
//! done a number of commands beside it, and none of them may fail. `--nocapture` shows the tables.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use host_minimal::commands::ExecuteError;
use host_minimal::engine::trap::Crash;
use host_minimal::host::{ModuleError, Upload};
use host_minimal::modules::{ModuleKind, ModuleSettings};
use host_minimal::{HostConfig, HttpPolicy};
use serde_json::json;

use crate::support::fixtures::build;
use crate::support::{TestHost, name};

#[path = "hostile/abi.rs"]
mod abi;
#[path = "hostile/commands.rs"]
mod commands;
#[path = "hostile/components.rs"]
mod components;
#[path = "hostile/effects.rs"]
mod effects;
#[path = "hostile/own_limits.rs"]
mod own_limits;
#[path = "hostile/projectors.rs"]
mod projectors;

/// Commands that the neighbour does beside each attack.
const NEIGHBOUR_COMMANDS: u64 = 10;

/// The hostile components, by kind.
fn hostile(kind: ModuleKind) -> &'static [u8] {
    static COMPONENTS: OnceLock<[Vec<u8>; 3]> = OnceLock::new();
    let [command, projector, effect] = COMPONENTS.get_or_init(|| {
        let directory = build(&["--package", "fixture-hostile", "--examples"]);
        ["command", "projector", "effect"].map(|kind| {
            let file = directory
                .join("examples")
                .join(format!("hostile_{kind}.wasm"));
            std::fs::read(file).expect("a built fixture")
        })
    });
    match kind {
        ModuleKind::Command => command,
        ModuleKind::Projector => projector,
        ModuleKind::Effect => effect,
    }
}

/// A host with its neighbours, and the limits that users get but for time.
fn neighbourhood(http: HttpPolicy) -> TestHost {
    let host = TestHost::start_with(|config: &mut HostConfig| {
        config.http = http;
        config.settings.memory_bytes = host_minimal::limits::GUEST_MEMORY_BYTES;
    });
    host.deploy(ModuleKind::Command, "note", &[]);
    host.deploy(ModuleKind::Projector, "notes", &[]);
    host.note("neighbour", 0, "the first");
    host
}

/// Lets a hostile module run under `module`, with `ATTACK` set to `attack`. What stops when it is
/// looked at does not get that far.
fn set_loose(
    host: &TestHost,
    kind: ModuleKind,
    module: &str,
    attack: &str,
    settings: &str,
) -> Result<(), Box<ModuleError>> {
    let upload = Upload {
        kind,
        name: name(module),
        version: "1.0.0".parse().expect("a version"),
        env: [("ATTACK".to_owned(), attack.to_owned())].into(),
        settings: ModuleSettings::from_json(settings).expect("settings"),
        wasm: hostile(kind).to_vec(),
    };
    host.host.upload(upload.clone())?;
    host.host
        .activate(kind, &upload.name, &upload.version)
        .map(drop)
        .map_err(Box::new)
}

/// Does what neighbours do, `count` times.
fn live_next_door(host: &TestHost, count: u64) {
    for _ in 0..count {
        let input = json!({ "counter": "neighbour", "note_id": 1, "text": "quiet" });
        host.execute("note", input).expect("a neighbour's command");
    }
}

/// What a table says of one attack.
struct Row {
    attack: String,
    stopped_by: String,
    attempts: u32,
    /// It was stopped by what should stop it.
    as_expected: bool,
}

/// A hostile projector or effect, and what its failure must say: one of these, where the host
/// has several ways to be in time.
struct Attack {
    what: String,
    expected: &'static [&'static str],
}

/// Lets each attack fail beside its neighbour, which does its commands meanwhile.
fn try_each(host: &TestHost, kind: ModuleKind, settings: &str, attacks: Vec<Attack>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (n, Attack { what, expected }) in attacks.into_iter().enumerate() {
        let module = format!("{}{n}", &kind.as_str()[..1]);
        let loose = set_loose(host, kind, &module, &what, settings);
        live_next_door(host, NEIGHBOUR_COMMANDS);
        let (stopped_by, attempts) = match loose {
            Ok(()) => {
                let (_, failure) = host.wait_for_failure(&module, 1);
                host.host.deactivate(kind, &name(&module)).expect("it ends");
                (failure.message, failure.attempts)
            }
            Err(refused) => (format!("refused: {refused}"), 1),
        };
        rows.push(Row {
            attack: what,
            as_expected: expected.iter().any(|it| stopped_by.contains(it)),
            stopped_by,
            attempts,
        });
    }
    rows
}

/// Shows the table, and that all is well.
fn conclude(host: &TestHost, title: &str, rows: &[Row]) {
    print_table(title, rows);
    let unexpected: Vec<_> = rows
        .iter()
        .filter(|row| !row.as_expected)
        .map(|row| (&row.attack, &row.stopped_by))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    host.wait_caught_up("notes");
    assert!(host.host.health().expect("a store").is_healthy());
}

fn print_table(title: &str, rows: &[Row]) {
    println!("\n{title}: {} attacks", rows.len());
    println!(
        "{:<34} {:>8}  {:>9}  STOPPED BY",
        "ATTACK", "ATTEMPTS", "NEIGHBOUR"
    );
    for row in rows {
        let beside = format!("{NEIGHBOUR_COMMANDS} done");
        let attack: String = row.attack.chars().take(34).collect();
        let stopped_by: String = row
            .stopped_by
            .lines()
            .next()
            .unwrap_or("")
            .chars()
            .take(110)
            .collect();
        println!(
            "{attack:<34} {:>8}  {beside:>9}  {stopped_by}",
            row.attempts
        );
    }
}

/// Hostile modules of all kinds at once; the neighbours reach the head all the same.
#[test]
fn all_attacks_at_once_leave_the_neighbours_their_share() {
    let host = neighbourhood(HttpPolicy::default());
    commands::set_loose(&host);
    let deadline = r#"{"limits":{"deadline_ms":500,"memory_mb":32}}"#;
    for (n, attack) in ["handle:spin", "handle:hoard", "handle:copy", "init:flood"]
        .iter()
        .enumerate()
    {
        set_loose(
            &host,
            ModuleKind::Projector,
            &format!("p{n}"),
            attack,
            deadline,
        )
        .expect(attack);
    }
    for (n, attack) in ["handle:spin", "handle:sleep", "key:spin"]
        .iter()
        .enumerate()
    {
        set_loose(
            &host,
            ModuleKind::Effect,
            &format!("e{n}"),
            attack,
            deadline,
        )
        .expect(attack);
    }
    let enough = AtomicBool::new(false);
    let attacks = [
        "spin",
        "copy",
        "hoard",
        "recurse",
        "flood",
        "sleep",
        "leak-transactions",
        "open-and-close",
    ];
    let made = thread::scope(|scope| {
        let attackers: Vec<_> = attacks
            .into_iter()
            .map(|attack| {
                let (host, enough) = (&host, &enough);
                scope.spawn(move || {
                    let mut made = 0;
                    while !enough.load(Ordering::Relaxed) {
                        commands::attack(host, attack).expect_err(attack);
                        made += 1;
                    }
                    made
                })
            })
            .collect();
        live_next_door(&host, 50);
        host.wait_for("notes", |notes| {
            let position = notes.subscription.as_ref().map_or(0, |it| it.position);
            position > 50
        });
        enough.store(true, Ordering::Relaxed);
        let made = attackers
            .into_iter()
            .map(|it| it.join().expect("an attacker"));
        made.collect::<Vec<u32>>()
    });
    println!(
        "\nall at once: 50 commands beside {made:?} calls of {attacks:?}, 4 projectors and 3 effects"
    );
    host.wait_caught_up("notes");
}
