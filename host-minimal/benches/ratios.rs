//! What the host costs, as ratios to the limit measured in the same run.
//!
//! ```text
//! cargo bench -p host-minimal
//! ```
//!
//! Absolute times mean nothing on a shared machine. So each figure is measured in turns with its
//! limit, on the same disk, and the table shows the median of the rounds:
//!
//! - commands against raw conditional appends to the embedded store, at 1, 8, 32 and 64 callers:
//!   of a bare event, and of all that the host keeps of it, with the tags of its index and the
//!   envelope;
//! - a projector that catches up against a plain loop that reads the same log, decodes the same
//!   payloads and inserts the same rows through rusqlite;
//! - a replay, up to the end of the switch, against the same loop;
//! - an effect that records each of its events against as many raw appends from as many callers
//!   as it has lanes.
//!
//! A second table has what is not a ratio: what a command costs beside its append, and with 100
//! and 10,000 events in its boundary, with a snapshot and without; and a start with compiled modules
//! and what an idle host holds in memory, both in a process of their own. Its targets are those of
//! the design; the time of a start means as much as the machine is quiet.
//!
//! `UMARI_BENCH_DIR` names the directory to work in; on a tmpfs the disk's fsync is left out.

#[path = "ratios/figures.rs"]
mod figures;
#[path = "../tests/host/support.rs"]
#[allow(dead_code, reason = "shared with the tests, which use more of it")]
mod support;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use host_minimal::commands::Call;
use host_minimal::limits;
use host_minimal::modules::ModuleKind;
use host_minimal::replay::ReplayState;
use host_minimal::store::{EmbeddedStore, EventFilter};
use host_minimal::{Host, HostConfig};
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::json;
use umadb_dcb::{DcbAppendCondition, DcbEvent, DcbEventStoreSync, DcbQuery, DcbQueryItem};

/// What the binary allocates with.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(1);
const CALLERS: [u64; 4] = [1, 8, 32, 64];
const PROJECTED_EVENTS: u64 = 100_000;
const EFFECT_EVENTS: u64 = 5_000;
const EFFECT_CALLERS: u64 = limits::EFFECT_KEYED_WORKERS as u64;

/// One line of the table: how often a second, ours and the limit's.
struct Line {
    name: String,
    ours: f64,
    limit: f64,
    /// The limit of the same, where the store keeps more than what the name says.
    limit_as_stored: Option<f64>,
}

fn main() {
    if figures::is_idle_host() {
        return;
    }
    let directory = match std::env::var_os("UMARI_BENCH_DIR") {
        Some(directory) => tempfile::tempdir_in(directory),
        None => tempfile::tempdir(),
    }
    .expect("a directory");
    let mut lines = Vec::new();
    for callers in CALLERS {
        eprintln!("measuring commands at {callers} callers");
        lines.push(commands(directory.path(), callers));
    }
    eprintln!("measuring a projector that catches up with {PROJECTED_EVENTS} events");
    lines.extend(projector(directory.path()));
    eprintln!("measuring an effect that catches up with {EFFECT_EVENTS} events");
    lines.push(effect(directory.path()));
    let figures = figures::measure(directory.path());
    print_table(&lines);
    figures::print_table(&figures);
}

fn print_table(lines: &[Line]) {
    println!(
        "{:<32} {:>12} {:>12} {:>7} {:>15} {:>7}",
        "", "ours (/s)", "limit (/s)", "ratio", "as stored (/s)", "ratio"
    );
    for line in lines {
        let Line {
            name, ours, limit, ..
        } = line;
        print!(
            "{name:<32} {ours:>12.0} {limit:>12.0} {:>7.2}",
            ours / limit
        );
        if let Some(limit) = line.limit_as_stored {
            print!(" {limit:>15.0} {:>7.2}", ours / limit);
        }
        println!();
    }
}

fn commands(directory: &Path, callers: u64) -> Line {
    let host = start(directory.join(format!("commands-{callers}")));
    deploy(&host, ModuleKind::Command, "count-up");
    let store = EmbeddedStore::open(&directory.join(format!("raw-{callers}.db"))).expect("a store");
    let next = AtomicU64::new(1);
    let [mut ours, mut limits, mut limits_as_stored] = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        limits.push(rate(callers, || {
            append(&store, next.fetch_add(1, Ordering::Relaxed));
        }));
        limits_as_stored.push(rate(callers, || {
            append_as_stored(&store, next.fetch_add(1, Ordering::Relaxed));
        }));
        ours.push(rate(callers, || {
            let counter = format!("c{}", next.fetch_add(1, Ordering::Relaxed));
            let input = json!({ "counter": counter, "text": "x" }).to_string();
            host.execute("count-up", &input, &Call::default())
                .expect("success");
        }));
    }
    host.shutdown(support::PATIENCE);
    store.close();
    Line {
        name: format!(
            "commands, {callers} caller{}",
            if callers == 1 { "" } else { "s" }
        ),
        ours: median(ours),
        limit: median(limits),
        limit_as_stored: Some(median(limits_as_stored)),
    }
}

/// The append that `count-up` comes down to, without anything of Umari's.
fn append(store: &EmbeddedStore, number: u64) {
    let counter = format!("counter:r{number}");
    let boundary = DcbQueryItem::new().types(["noted"]).tags([counter.clone()]);
    let event = DcbEvent::new()
        .event_type("noted")
        .tags([counter, format!("note_id:{number}")])
        .data(json!({ "counter": "c", "note_id": number, "text": "x" }).to_string());
    let condition = DcbAppendCondition::new(DcbQuery::with_items([boundary]));
    store
        .append(vec![event], Some(condition), None)
        .expect("an append");
}

/// The same append with all that the host keeps of an event: the tags of its index and the envelope.
fn append_as_stored(store: &EmbeddedStore, number: u64) {
    let [id, correlation] = [uuid::Uuid::now_v7(), uuid::Uuid::new_v4()];
    let [counter, note] = [format!("counter:s{number}"), format!("note_id:{number}")];
    let pair = format!("umari.type:noted|{counter}");
    let boundary = DcbQueryItem::new().types(["noted"]).tags([pair.clone()]);
    let tags = [
        format!("umari.type:noted|{note}"),
        pair,
        counter,
        note,
        format!("umari.id:{id}"),
        format!("umari.correlation:{correlation}"),
        "umari.type:noted".to_owned(),
    ];
    let metadata = [
        ("timestamp", "1764288000000000"),
        ("correlation-id", &correlation.to_string()),
        ("causation-id", &id.to_string()),
        ("schema-version", "1"),
        ("module", "count-up"),
        ("module-version", "1.0.0"),
        ("command", "count-up"),
    ];
    let event = DcbEvent::new()
        .event_type("noted")
        .tags(tags)
        .uuid(id)
        .metadata(metadata.map(|(name, value)| (name.to_owned(), value.to_owned())))
        .data(json!({ "counter": "c", "note_id": number, "text": "x" }).to_string());
    let condition = DcbAppendCondition::new(DcbQuery::with_items([boundary]));
    store
        .append(vec![event], Some(condition), None)
        .expect("an append");
}

/// Calls a second over one round, all callers together.
fn rate(callers: u64, call: impl Fn() + Sync) -> f64 {
    let (done, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let begin = Instant::now();
    thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    call();
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        thread::sleep(ROUND);
        stop.store(true, Ordering::Relaxed);
    });
    done.load(Ordering::Relaxed) as f64 / begin.elapsed().as_secs_f64()
}

fn projector(directory: &Path) -> [Line; 2] {
    let host = start(directory.join("projector"));
    deploy(&host, ModuleKind::Command, "note");
    for first in (1..=PROJECTED_EVENTS).step_by(100) {
        let input = json!({ "counter": "c", "note_id": first, "times": 100, "text": "x" });
        host.execute("note", &input.to_string(), &Call::default())
            .expect("success");
    }
    let (mut caught_up, mut replayed, mut limits) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        limits.push(native_loop(
            &host,
            &directory.join(format!("native-{round}.sqlite")),
        ));
        caught_up.push(catch_up(&host));
        replayed.push(replay(&host));
        forget(&host);
    }
    host.shutdown(support::PATIENCE);
    let limit = median(limits);
    let line = |name: &str, ours| Line {
        name: name.to_owned(),
        ours: median(ours),
        limit,
        limit_as_stored: None,
    };
    [
        line("projector catch-up, events", caught_up),
        line("replay with its switch, events", replayed),
    ]
}

fn effect(directory: &Path) -> Line {
    let store = EmbeddedStore::open(&directory.join("raw-effect.db")).expect("a store");
    let host = start(directory.join("effect"));
    deploy(&host, ModuleKind::Command, "note");
    let (mut ours, mut limits) = (Vec::new(), Vec::new());
    let next = AtomicU64::new(1);
    for round in 0..ROUNDS as u64 {
        limits.push(rate(EFFECT_CALLERS, || {
            append(&store, next.fetch_add(1, Ordering::Relaxed));
        }));
        for first in (1..=EFFECT_EVENTS).step_by(10) {
            let first = round * EFFECT_EVENTS + first;
            let input = json!({
                "counter": format!("c{first}"), "note_id": first, "times": 10, "text": "quiet",
            });
            host.execute("note", &input.to_string(), &Call::default())
                .expect("success");
        }
        ours.push(relay(&host));
    }
    host.shutdown(support::PATIENCE);
    store.close();
    Line {
        name: "effect that records, events".into(),
        ours: median(ours),
        limit: median(limits),
        limit_as_stored: None,
    }
}

/// Lets the effect handle what has come since it ran last.
fn relay(host: &Host) -> f64 {
    let name = support::name("relay");
    let begin = Instant::now();
    deploy(host, ModuleKind::Effect, "relay");
    support::wait_until(|| {
        let modules = host.modules().expect("modules");
        let status = modules.into_iter().find(|m| m.name == name)?.subscription?;
        (status.position >= host.head().expect("a head")).then_some(())
    });
    let rate = EFFECT_EVENTS as f64 / begin.elapsed().as_secs_f64();
    host.deactivate(ModuleKind::Effect, &name)
        .expect("it stops");
    rate
}

fn catch_up(host: &Host) -> f64 {
    let name = support::name("notes");
    let begin = Instant::now();
    deploy(host, ModuleKind::Projector, "notes");
    support::wait_until(|| {
        let status = host
            .modules()
            .expect("modules")
            .into_iter()
            .find(|m| m.name == name)?;
        (status.subscription?.position >= PROJECTED_EVENTS).then_some(())
    });
    PROJECTED_EVENTS as f64 / begin.elapsed().as_secs_f64()
}

/// From the request to the read model that is another one, for all who have it open.
fn replay(host: &Host) -> f64 {
    let name = support::name("notes");
    let begin = Instant::now();
    host.replay(&name).expect("a replay");
    support::wait_until(|| {
        let status = host.replay_status(&name).expect("a log")?;
        (status.state == ReplayState::Done).then_some(())
    });
    PROJECTED_EVENTS as f64 / begin.elapsed().as_secs_f64()
}

/// Removes the projector and its file.
fn forget(host: &Host) {
    host.deactivate(ModuleKind::Projector, &support::name("notes"))
        .expect("it stops");
    for file in ["notes.sqlite", "notes.sqlite-wal", "notes.sqlite-shm"] {
        // SQLite removes the side files itself when the last connection closes.
        let _ = std::fs::remove_file(host.data_dir().join("projector").join(file));
    }
}

/// The projector as a plain program.
fn native_loop(host: &Host, path: &Path) -> f64 {
    #[derive(Deserialize)]
    struct Noted {
        counter: String,
        note_id: i64,
        text: String,
    }
    let begin = Instant::now();
    let connection = Connection::open(path).expect("a database");
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
             CREATE TABLE notes (position INTEGER PRIMARY KEY, counter TEXT NOT NULL,
                 note_id INTEGER NOT NULL, text TEXT NOT NULL)",
        )
        .expect("a table");
    let filter = EventFilter {
        types: vec!["noted".into()],
        ..EventFilter::default()
    };
    let mut position = 0;
    while position < PROJECTED_EVENTS {
        let events = host.events(&filter, position, 256).expect("events");
        connection
            .execute_batch("BEGIN IMMEDIATE")
            .expect("a transaction");
        for event in events {
            position = event.position;
            let noted: Noted =
                serde_json::from_str(event.payload.as_deref().expect("a payload")).expect("a note");
            let mut insert = connection
                .prepare_cached("INSERT INTO notes VALUES (?1, ?2, ?3, ?4)")
                .expect("a statement");
            insert
                .execute(params![position, noted.counter, noted.note_id, noted.text])
                .expect("a row");
        }
        connection.execute_batch("COMMIT").expect("a commit");
    }
    PROJECTED_EVENTS as f64 / begin.elapsed().as_secs_f64()
}

fn start(directory: PathBuf) -> Host {
    Host::start(HostConfig::new(directory)).expect("the host starts")
}

fn deploy(host: &Host, kind: ModuleKind, name: &str) {
    let target = [("TARGET", "http://127.0.0.1:1")];
    let env: &[_] = if kind == ModuleKind::Effect {
        &target
    } else {
        &[]
    };
    let upload = support::upload(kind, name, "1.0.0", env);
    host.upload(upload.clone()).expect("the module is stored");
    host.activate(kind, &upload.name, &upload.version)
        .expect("the module is activated");
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
