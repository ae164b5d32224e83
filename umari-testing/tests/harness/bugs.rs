//! The mistakes that are made in systems of this kind, each as a small module that makes it.
//!
//! A test shows what the harness says of the mistake in the scenario that a developer would have
//! written anyway, and that the corrected module passes the same scenario.

mod commands;
mod effects;
mod evolution;
mod folds;
mod projectors;
mod shredding;
