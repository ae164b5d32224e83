//! Every limit of the SDK, in one place.

/// How many folds one command or query can register one by one. `fold_iter` counts as one.
pub const FOLDS_MAX: usize = 12;

/// How many columns [`Row::tuple`](crate::sqlite::Row::tuple) can unpack.
pub const TUPLE_COLUMNS_MAX: usize = 8;

/// How often [`retry_on_conflict`](crate::command::retry_on_conflict) calls its closure.
pub const CONFLICT_ATTEMPTS_MAX: u32 = 5;

/// How many combinations of values one fold may select one event type by, where its domain ids
/// have several each. The host takes as many alternatives in one query.
pub const QUERY_ITEMS_MAX: usize = 1_024;

/// How many characters of a statement a message about it shows.
pub const SQL_SHOWN_CHARS_MAX: usize = 500;

/// Size of one state that a fold with [snapshots](crate::snapshot) offers; a larger one is read anew
/// each time.
pub const SNAPSHOT_STATE_BYTES_MAX: usize = 1 << 20;

/// Size of the JSON of a fold's fields under which its state is kept; with more it has no snapshots.
pub const SNAPSHOT_FIELDS_BYTES_MAX: usize = 4 << 10;
