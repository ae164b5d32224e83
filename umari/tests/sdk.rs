//! The SDK, run through its public API against a small host in memory.

use std::fs;
use std::path::{Path, PathBuf};

#[path = "sdk/panics.rs"]
mod panics;
#[path = "sdk/shop.rs"]
mod shop;
#[path = "sdk/store.rs"]
mod store;

#[path = "sdk/boundary.rs"]
mod boundary;
#[path = "sdk/clock.rs"]
mod clock;
#[path = "sdk/commands.rs"]
mod commands;
#[path = "sdk/deciders.rs"]
mod deciders;
#[path = "sdk/dependencies.rs"]
mod dependencies;
#[path = "sdk/effects.rs"]
mod effects;
#[path = "sdk/export.rs"]
mod export;
#[path = "sdk/plural.rs"]
mod plural;
#[path = "sdk/rows.rs"]
mod rows;
#[path = "sdk/snapshots.rs"]
mod snapshots;
#[path = "sdk/values.rs"]
mod values;
#[path = "sdk/versions.rs"]
mod versions;
#[path = "sdk/wire.rs"]
mod wire;

/// One mistake in each file, one error for it.
#[test]
fn diagnostics() {
    trybuild::TestCases::new().compile_fail("tests/ui/*/*.rs");
}

/// What the compiler knows only once it builds. A file that passes makes it build, and not just check.
#[test]
fn diagnostics_of_a_build() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/built/toggle_of_opposing_events.rs");
    cases.compile_fail("tests/built/toggle_of_events_with_different_domain_ids.rs");
    cases.compile_fail("tests/built/toggle_of_one_event.rs");
}

/// What is pinned is one error for each of them, in the harness too.
#[test]
fn each_mistake_is_one_error() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut folders = vec![
        tests.join("built"),
        tests.join("../../umari-testing/tests/ui"),
    ];
    folders.extend(files(&tests.join("ui")));
    let mut mistakes = 0;
    for file in folders.iter().flat_map(|folder| files(folder)) {
        if file
            .extension()
            .is_none_or(|extension| extension != "stderr")
        {
            continue;
        }
        let text = fs::read_to_string(&file).unwrap();
        let errors = text.lines().filter(|line| line.starts_with("error"));
        assert_eq!(errors.count(), 1, "errors in {}", file.display());
        mistakes += 1;
    }
    assert!(mistakes > 150, "there are {mistakes} of them");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}
