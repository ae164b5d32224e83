//! Three small problems that are hard with aggregates and plain with dynamic consistency boundaries:
//! course subscriptions, invoice numbers without gaps, and orders that are placed once.
//!
//! [`events`] are the facts, [`folds`] turn them into what a decision needs.

pub mod events;
pub mod folds;
#[cfg(any(test, feature = "samples"))]
pub mod samples;

/// How many courses one student can take.
pub const COURSES_PER_STUDENT_MAX: u64 = 5;
