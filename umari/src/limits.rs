//! Every limit of the SDK, in one place.

/// How many folds one command or query can register one by one. `fold_iter` counts as one.
pub const FOLDS_MAX: usize = 12;

/// How many columns [`Row::tuple`](crate::sqlite::Row::tuple) can unpack.
pub const TUPLE_COLUMNS_MAX: usize = 8;

/// How often [`retry_on_conflict`](crate::command::retry_on_conflict) calls its closure.
pub const CONFLICT_ATTEMPTS_MAX: u32 = 5;
