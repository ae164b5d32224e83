//! How many instructions the SDK spends beside plain serde code that does the same work.
//!
//! `cargo bench -p umari --bench instructions` prints a table of counts and ratios. Each case runs in a
//! process of its own under valgrind's callgrind, twice with a different number of rounds, so that
//! what it costs to start cancels out. Counts of one binary are the same on every run, whatever
//! else the machine does; that is why a ratio over the limit is a failure here (exit code 1) where
//! a time could not be.

#[path = "instructions/domain.rs"]
mod domain;
#[path = "instructions/host.rs"]
mod host;
#[path = "instructions/plain.rs"]
mod plain;
#[path = "instructions/sdk.rs"]
mod sdk;

use std::hint::black_box;
use std::process::{Command, ExitCode};

/// How many times what plain code needs the SDK may need.
const RATIO_MAX: f64 = 1.5;

/// Events in the boundary of the cases that read.
const EVENTS: usize = 1_000;

/// What is measured: a name, ours, and plain code for the same.
struct Case {
    name: &'static str,
    ours: fn(),
    plain: fn(),
}

const CASES: [Case; 4] = [
    Case {
        name: "build a query of two folds",
        ours: || drop(black_box(sdk::query())),
        plain: || drop(black_box(plain::query())),
    },
    Case {
        name: "decode and fold 1,000 events",
        ours: || drop(black_box(sdk::fold())),
        plain: || drop(black_box(plain::fold())),
    },
    Case {
        name: "emit ten events",
        ours: || drop(black_box(sdk::emit())),
        plain: || drop(black_box(plain::emit())),
    },
    Case {
        name: "all of it: a command over 1,000 events",
        ours: || drop(black_box(sdk::command())),
        plain: || drop(black_box(plain::command())),
    },
];

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--case", index, side, rounds] => {
            run(index, side, rounds);
            ExitCode::SUCCESS
        }
        // `cargo test --benches` runs every benchmark once, to see that it does not fail.
        _ if arguments.iter().any(|argument| argument == "--test") => {
            for case in &CASES {
                (case.ours)();
                (case.plain)();
            }
            ExitCode::SUCCESS
        }
        _ => table(),
    }
}

fn run(index: &str, side: &str, rounds: &str) {
    let case = &CASES[index.parse::<usize>().expect("the number of a case")];
    let work = if side == "ours" {
        case.ours
    } else {
        case.plain
    };
    for _ in 0..rounds.parse::<u32>().expect("a number of rounds") {
        work();
    }
}

fn table() -> ExitCode {
    sdk::check_against_plain();
    println!(
        "{:42} {:>14} {:>14} {:>8} {:>8}",
        "instructions", "ours", "plain serde", "ratio", "limit"
    );
    let mut over = false;
    for (index, case) in CASES.iter().enumerate() {
        let (ours, plain) = match (count(index, "ours"), count(index, "plain")) {
            (Ok(ours), Ok(plain)) => (ours, plain),
            (Err(error), _) | (_, Err(error)) => {
                eprintln!("error: {error}");
                return ExitCode::from(2);
            }
        };
        let ratio = ours as f64 / plain as f64;
        over |= ratio > RATIO_MAX;
        println!(
            "{:42} {ours:>14} {plain:>14} {ratio:>8.2} {RATIO_MAX:>8.2}",
            case.name
        );
    }
    if over {
        eprintln!("error: a ratio is over its limit");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

/// Instructions of one round.
fn count(index: usize, side: &str) -> Result<u64, String> {
    const ROUNDS: u64 = 5;
    let few = collected(index, side, 1)?;
    let many = collected(index, side, 1 + ROUNDS)?;
    Ok((many - few) / ROUNDS)
}

/// What callgrind counts of a process that runs a case.
fn collected(index: usize, side: &str, rounds: u64) -> Result<u64, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["--case", &index.to_string(), side, &rounds.to_string()])
        .output()
        .map_err(|error| {
            format!("valgrind cannot be run ({error}): install it to count instructions")
        })?;
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .and_then(|(_, count)| count.trim().parse().ok());
    collected.ok_or_else(|| format!("callgrind counted nothing:\n{text}"))
}
