//! The reference's API, chapter by chapter: each of its shapes in a shop that sells warranties,
//! and beside it what it promises to do.

#![expect(
    unreachable_pub,
    reason = "events, folds and commands are written as in a library that others use"
)]

#[path = "reference/domain.rs"]
mod domain;
// Shared with the other test binary, which uses other parts of it.
#[allow(dead_code)]
#[path = "sdk/store.rs"]
mod store;
#[path = "reference/support.rs"]
mod support;

#[path = "reference/ch04_events.rs"]
mod ch04_events;
#[path = "reference/ch05_domain_ids.rs"]
mod ch05_domain_ids;
#[path = "reference/ch06_folds.rs"]
mod ch06_folds;
#[path = "reference/ch07_commands.rs"]
mod ch07_commands;
#[path = "reference/ch07_outcomes.rs"]
mod ch07_outcomes;
#[path = "reference/ch08_projectors.rs"]
mod ch08_projectors;
#[path = "reference/ch09_effects.rs"]
mod ch09_effects;
#[path = "reference/ch09_failures.rs"]
mod ch09_failures;
#[path = "reference/ch11_sqlite.rs"]
mod ch11_sqlite;
#[path = "reference/ch11_sqlite_values.rs"]
mod ch11_sqlite_values;
#[path = "reference/ch12_fold_reference.rs"]
mod ch12_fold_reference;

// The largest snippet has a file of its own.
#[path = "reference/plans_projector.rs"]
mod plans_projector;

#[path = "reference/appendix_a.rs"]
mod appendix_a;
#[path = "reference/appendix_b.rs"]
mod appendix_b;
