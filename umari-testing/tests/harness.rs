//! The harness, tested by using it: every step, where it holds and where it fails.
//!
//! Failing scenarios are run under `catch_unwind`, and snapshots pin every word they say.

mod harness {
    pub(crate) mod shop;
    pub(crate) mod support;

    mod bugs;
    mod checks;
    mod colours;
    mod commands;
    mod cookbook;
    mod effects;
    mod event_lock;
    mod failures;
    mod folds;
    mod histories;
    mod invariants;
    mod metadata;
    mod projectors;
    mod races;
    mod shredding;
    mod sqlite;
    mod states;
    mod steps;
    mod threads;
}

/// One mistake in each file. The compiler says what to write.
#[test]
fn diagnostics() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
