//! What a run does about snapshots: nothing, unless the check of them tries it.

/// How the transactions of one run treat snapshots.
#[derive(Debug, Clone, Default)]
pub(crate) enum Snapshots {
    /// There are none.
    #[default]
    None,
    /// Every state is asked for at the end of its read.
    Asked,
    /// So it is, and the transaction with this number reads up to a position, as if nothing had
    /// come after it.
    Cut { transaction: usize, at: u64 },
    /// So it is, and the readers of the transaction with this number go on from these states.
    Resumed {
        transaction: usize,
        at: u64,
        states: Vec<Option<String>>,
    },
}

/// What one reader of a transaction did about its snapshot.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    /// Whether its state is kept.
    pub(crate) has_key: bool,
    /// The state that it offered.
    pub(crate) state: Option<String>,
    /// Whether it could not read the state that it was given.
    pub(crate) discarded: bool,
}
