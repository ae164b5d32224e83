//! What is counted about snapshots.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters, since the host was started, and how much is kept.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    hits: AtomicU64,
    misses: AtomicU64,
    ignored: AtomicU64,
    kept: AtomicU64,
    refused: AtomicU64,
    entries: AtomicU64,
    bytes: AtomicU64,
}

/// The same as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Figures {
    /// States from which a reader went on.
    pub(crate) hits: u64,
    /// Readers for which there was none.
    pub(crate) misses: u64,
    /// States that were there and of no use: damaged, of a later moment, or in another shape.
    pub(crate) ignored: u64,
    /// States that were kept.
    pub(crate) kept: u64,
    /// States that were offered and not kept.
    pub(crate) refused: u64,
    /// States that are there.
    pub(crate) entries: u64,
    /// What they take, about.
    pub(crate) bytes: u64,
}

impl Counts {
    pub(crate) fn hit(&self, readers: usize) {
        self.hits.fetch_add(readers as u64, Ordering::Relaxed);
    }

    pub(crate) fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ignored(&self) {
        self.ignored.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn kept(&self) {
        self.kept.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn holds(&self, entries: u64, bytes: u64) {
        self.entries.store(entries, Ordering::Relaxed);
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    pub(super) fn figures(&self) -> Figures {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Figures {
            hits: read(&self.hits),
            misses: read(&self.misses),
            ignored: read(&self.ignored),
            kept: read(&self.kept),
            refused: read(&self.refused),
            entries: read(&self.entries),
            bytes: read(&self.bytes),
        }
    }
}
