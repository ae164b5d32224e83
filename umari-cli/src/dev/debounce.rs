//! Many changes to one rebuild: wait until the files are quiet, but not for ever.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Files are quiet when nothing was written for this long. Editors write a file in several steps,
/// and a checkout writes many.
const QUIET: Duration = Duration::from_millis(150);
/// A writer that never rests does not hold back a rebuild for longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Collects changes. Time is given from outside, so that tests need none.
#[derive(Debug, Default)]
pub(super) struct Debouncer {
    paths: BTreeSet<PathBuf>,
    /// Times of the first and of the last change collected.
    times: Option<(Instant, Instant)>,
}

impl Debouncer {
    /// Adds changes that were seen at `now`.
    pub(super) fn push(&mut self, paths: Vec<PathBuf>, now: Instant) {
        if paths.is_empty() {
            return;
        }
        let first = self.times.map_or(now, |(first, _)| first);
        self.times = Some((first, now));
        self.paths.extend(paths);
    }

    /// When the collected changes are to be acted on, if nothing else comes.
    pub(super) fn due_at(&self) -> Option<Instant> {
        self.times
            .map(|(first, last)| (last + QUIET).min(first + PATIENCE))
    }

    /// The collected changes, when they are due at `now`. It starts anew.
    pub(super) fn take(&mut self, now: Instant) -> Option<Vec<PathBuf>> {
        if self.due_at()? > now {
            return None;
        }
        self.times = None;
        Some(std::mem::take(&mut self.paths).into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(names: &[&str]) -> Vec<PathBuf> {
        names.iter().map(PathBuf::from).collect()
    }

    #[test]
    fn nothing_is_due_while_nothing_happens() {
        let mut debouncer = Debouncer::default();
        let now = Instant::now();
        assert_eq!(debouncer.due_at(), None);
        assert_eq!(debouncer.take(now), None);
        debouncer.push(Vec::new(), now);
        assert_eq!(debouncer.due_at(), None);
    }

    #[test]
    fn a_burst_becomes_one_set_once_it_is_quiet() {
        let mut debouncer = Debouncer::default();
        let start = Instant::now();
        debouncer.push(paths(&["b", "a"]), start);
        debouncer.push(paths(&["a"]), start + QUIET / 2);
        assert_eq!(debouncer.take(start + QUIET), None);
        let due = start + QUIET / 2 + QUIET;
        assert_eq!(debouncer.due_at(), Some(due));
        assert_eq!(debouncer.take(due), Some(paths(&["a", "b"])));
        assert_eq!(debouncer.take(due + QUIET), None);
    }

    #[test]
    fn a_writer_that_never_rests_is_not_waited_for() {
        let mut debouncer = Debouncer::default();
        let start = Instant::now();
        let mut now = start;
        let mut taken = None;
        // Bounded by the assertion below: patience ends after finitely many steps.
        for _ in 0..1_000 {
            debouncer.push(paths(&["log"]), now);
            now += QUIET / 2;
            taken = debouncer.take(now);
            if taken.is_some() {
                break;
            }
        }
        assert_eq!(taken, Some(paths(&["log"])));
        assert!(now - start <= PATIENCE + QUIET);
        // What comes after is a new burst with patience of its own.
        debouncer.push(paths(&["log"]), now);
        assert_eq!(debouncer.due_at(), Some(now + QUIET));
    }
}
