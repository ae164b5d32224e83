//! The checks that run without being asked: what they find, and what they leave alone.

mod commands;
mod effects;
mod projectors;
