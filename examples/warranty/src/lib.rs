//! The warranty shop: what all of its modules share.
//!
//! [`events`] are the facts, [`folds`] turn them into the state that a decision needs, and
//! [`validation`] holds the rules that more than one input has to keep.

pub mod events;
pub mod folds;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
pub mod validation;
