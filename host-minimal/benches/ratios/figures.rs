//! What is not a ratio: latencies, a start, and memory.

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use host_minimal::commands::Call;
use host_minimal::host::ModuleStatus;
use host_minimal::modules::ModuleKind;
use host_minimal::store::EmbeddedStore;
use serde_json::json;

use super::{append, append_as_stored, deploy, median, start, support};

/// Names the data directory in a process that is to be an idle host.
const IDLE: &str = "UMARI_BENCH_IDLE";
const CALLS: u64 = 200;
const STARTS: usize = 9;

/// One line of the table.
pub(super) struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    target: &'static str,
}

/// Measures them all.
pub(super) fn measure(directory: &Path) -> Vec<Figure> {
    let mut figures = commands(directory);
    figures.extend(starts(directory));
    figures
}

pub(super) fn print_table(figures: &[Figure]) {
    println!("\n{:<44} {:>12}   target", "", "measured");
    for Figure {
        name,
        value,
        unit,
        target,
    } in figures
    {
        println!("{name:<44} {value:>9.1} {unit:<4} {target}");
    }
}

/// The time of one call of a command, in microseconds.
fn commands(directory: &Path) -> Vec<Figure> {
    eprintln!("measuring what a command costs, with 0, 100 and 10,000 events in its boundary");
    let host = start(directory.join("latency"));
    deploy(&host, ModuleKind::Command, "count-up");
    deploy(&host, ModuleKind::Command, "count-kept");
    deploy(&host, ModuleKind::Command, "note");
    let count = |command: &str, counter: &str| {
        let input = json!({ "counter": counter, "text": "x" }).to_string();
        host.execute(command, &input, &Call::default())
            .expect("success");
    };
    let count_up = |counter: &str| count("count-up", counter);
    let store = EmbeddedStore::open(&directory.join("raw-latency.db")).expect("a store");
    let [mut raw, mut stored, mut empty] = [const { Vec::new() }; 3];
    // Of two logs that grow alike: an append to a longer one changes more pages.
    for number in 0..CALLS {
        raw.push(micros(|| append(&store, number)));
        stored.push(micros(|| append_as_stored(&store, number)));
        empty.push(micros(|| count_up(&format!("empty {number}"))));
        count_up(&format!("beside {number}"));
    }
    store.close();
    for (counter, events) in [("hundred", 100), ("many", 10_000), ("kept", 10_000)] {
        for first in (1..=events).step_by(100) {
            let input = json!({ "counter": counter, "note_id": first, "times": 100, "text": "x" });
            host.execute("note", &input.to_string(), &Call::default())
                .expect("success");
        }
    }
    // Reads them all, and leaves a snapshot.
    count("count-kept", "kept");
    let [mut empty_of_many, mut hundred, mut many, mut kept] = [const { Vec::new() }; 4];
    for number in 0..CALLS {
        empty_of_many.push(micros(|| count_up(&format!("empty of many {number}"))));
        hundred.push(micros(|| count_up("hundred")));
        kept.push(micros(|| count("count-kept", "kept")));
        if number % 10 == 0 {
            many.push(micros(|| count_up("many")));
        }
    }
    host.shutdown(support::PATIENCE);
    let [raw, stored, empty] = [raw, stored, empty].map(median);
    let [empty_of_many, hundred, many, kept] = [empty_of_many, hundred, many, kept].map(median);
    let figure = |name, value, unit, target| Figure {
        name,
        value,
        unit,
        target,
    };
    vec![
        figure("raw append, with its fsyncs", raw, "us", ""),
        figure("the same, with index and envelope", stored, "us", ""),
        figure("command, nothing in its boundary", empty, "us", ""),
        figure("  of which not the append", empty - stored, "us", "<= 60"),
        figure(
            "the same, in a log of 20,000 events",
            empty_of_many,
            "us",
            "",
        ),
        figure("command, 100 events in its boundary", hundred, "us", ""),
        figure("command, 10,000 events in its boundary", many, "us", ""),
        figure(
            "  as a multiple of an empty one",
            many / empty_of_many,
            "",
            "",
        ),
        figure("command, 10,000 events, snapshotted", kept, "us", ""),
        figure(
            "  as a multiple of an empty one",
            kept / empty_of_many,
            "",
            "<= 1.2",
        ),
    ]
}

fn micros(call: impl FnOnce()) -> f64 {
    let begin = Instant::now();
    call();
    begin.elapsed().as_secs_f64() * 1e6
}

/// Starts with three compiled modules, and an idle host after the last one.
fn starts(directory: &Path) -> Vec<Figure> {
    eprintln!("measuring starts with three modules, and what an idle host holds");
    let data = directory.join("idle");
    let host = start(data.clone());
    for (kind, name) in IDLE_MODULES {
        deploy(&host, kind, name);
    }
    host.shutdown(support::PATIENCE);
    drop(host);
    let mut times = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..STARTS {
        let output = Command::new(std::env::current_exe().expect("this program"))
            .env(IDLE, &data)
            .output()
            .expect("it runs");
        let text = String::from_utf8(output.stdout).expect("text");
        let line = text.lines().last().expect("two figures");
        let (time, resident) = line.split_once(' ').expect("two figures");
        times.push(time.parse().expect("a number"));
        memory.push(resident.parse().expect("a number"));
    }
    vec![
        Figure {
            name: "warm start with three modules",
            value: median(times),
            unit: "ms",
            target: "< 200",
        },
        Figure {
            name: "resident memory of an idle host",
            value: median(memory),
            unit: "MB",
            target: "< 60",
        },
    ]
}

const IDLE_MODULES: [(ModuleKind, &str); 3] = [
    (ModuleKind::Command, "note"),
    (ModuleKind::Projector, "notes"),
    (ModuleKind::Effect, "relay"),
];

/// Whether this process was to be an idle host, and has been one.
pub(super) fn is_idle_host() -> bool {
    let Some(data) = std::env::var_os(IDLE) else {
        return false;
    };
    let begin = Instant::now();
    let host = start(data.into());
    support::wait_until(|| {
        let modules = host.modules().expect("modules");
        modules.iter().all(ModuleStatus::is_healthy).then_some(())
    });
    let ready = begin.elapsed().as_secs_f64() * 1e3;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| {
        let kilobytes = line.strip_prefix("VmRSS:")?.split_whitespace().next()?;
        kilobytes.parse::<f64>().ok()
    });
    // Without /proc there is no figure.
    println!("{ready} {}", resident.map_or(f64::NAN, |it| it / 1024.0));
    host.shutdown(support::PATIENCE);
    true
}
