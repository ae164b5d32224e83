//! Everything that can happen.

mod task;

pub use task::TaskAdded;
