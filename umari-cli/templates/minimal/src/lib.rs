//! What all modules share.
//!
//! [`events`] are the facts, and [`folds`] turn them into the state that a decision needs.

pub mod events;
pub mod folds;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
