//! The SDK, run through its public API against a small host in memory.

#[path = "sdk/panics.rs"]
mod panics;
#[path = "sdk/shop.rs"]
mod shop;
#[path = "sdk/store.rs"]
mod store;

#[path = "sdk/boundary.rs"]
mod boundary;
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

// Some messages list every type that fits, and the feature adds one.
#[cfg(not(feature = "decimal"))]
#[test]
fn diagnostics() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
