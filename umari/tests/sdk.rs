//! The SDK, run through its public API against a small host in memory.

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
