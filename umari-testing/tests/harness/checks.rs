//! The checks that run without being asked: what they find, and what they leave alone.

mod clock;
mod commands;
mod effects;
mod examples;
mod order;
mod projectors;
mod refusals;
mod shredding;
mod snapshots;
mod upcasts;
