//! The engine that commands and fold queries share: from folds to a query, from events to states.
//!
//! [`selection`] says which events a reader reads, to the store as a query and to itself as a
//! matcher, from one model. [`running`] takes readers through the log, [`resuming`] from where their
//! states were kept. [`slots`] is the tuple of
//! readers that a builder collects.

pub(crate) mod resuming;
pub(crate) mod running;
pub(crate) mod selection;
pub(crate) mod slots;

pub(crate) use running::{Running, replay, wanted};
pub(crate) use selection::subscription;
