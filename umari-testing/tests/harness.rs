//! The harness, tested by using it: every step, where it holds and where it fails.
//!
//! Failing scenarios are run under `catch_unwind`, and snapshots pin every word they say.

mod harness {
    pub(crate) mod shop;
    pub(crate) mod support;

    mod checks;
    mod commands;
    mod effects;
    mod failures;
    mod folds;
    mod histories;
    mod projectors;
    mod sqlite;
}
