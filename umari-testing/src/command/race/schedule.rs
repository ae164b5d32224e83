//! The orders in which racing calls can read and commit.

use std::fmt;

/// One interleaving: who commits when, and how much of the others each has read.
///
/// Nothing else counts. Two reads with no commit between them read the same, so the schedules of
/// `n` calls are `n! * n!`, and not all orders of `2 * n` steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Schedule {
    /// The calls in the order of their commits. The call at `k` reads after the first
    /// `read_after` of these commits, which are at most `k`.
    pub(super) commits: Vec<Turn>,
}

/// The turn of one call to commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Turn {
    pub(super) call: usize,
    pub(super) read_after: usize,
}

impl Schedule {
    /// Every schedule of `calls` calls. The first has all read before the first commits, in the order
    /// in which they are written.
    pub(super) fn all(calls: usize) -> Vec<Self> {
        let mut schedules = Vec::new();
        extend(calls, &mut Vec::new(), &mut schedules);
        schedules
    }
}

fn extend(calls: usize, turns: &mut Vec<Turn>, schedules: &mut Vec<Schedule>) {
    if turns.len() == calls {
        schedules.push(Schedule {
            commits: turns.clone(),
        });
        return;
    }
    for call in 0..calls {
        if turns.iter().any(|turn| turn.call == call) {
            continue;
        }
        for read_after in 0..=turns.len() {
            turns.push(Turn { call, read_after });
            extend(calls, turns, schedules);
            turns.pop();
        }
    }
}

impl fmt::Display for Schedule {
    /// As in `a reads, b reads, a commits, b commits`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut steps = Vec::new();
        for (committed, turn) in self.commits.iter().enumerate() {
            let mut readers: Vec<_> = self
                .commits
                .iter()
                .filter(|turn| turn.read_after == committed)
                .map(|turn| turn.call)
                .collect();
            readers.sort_unstable();
            steps.extend(
                readers
                    .into_iter()
                    .map(|call| format!("{} reads", name(call))),
            );
            steps.push(format!("{} commits", name(turn.call)));
        }
        f.write_str(&steps.join(", "))
    }
}

/// `a`, `b`, `c`, ... in the order in which the calls are written.
pub(super) fn name(call: usize) -> char {
    (b'a'..=b'z').nth(call).map_or('?', char::from)
}

#[cfg(test)]
mod tests {
    use super::Schedule;

    #[test]
    fn every_order_that_differs_comes_once() {
        let schedules: Vec<_> = Schedule::all(2).iter().map(ToString::to_string).collect();
        assert_eq!(
            schedules,
            [
                "a reads, b reads, a commits, b commits",
                "a reads, a commits, b reads, b commits",
                "a reads, b reads, b commits, a commits",
                "b reads, b commits, a reads, a commits",
            ]
        );
        for (calls, count) in [(1, 1), (3, 36), (4, 576)] {
            let mut all: Vec<_> = Schedule::all(calls)
                .iter()
                .map(ToString::to_string)
                .collect();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count);
        }
        assert_eq!(
            Schedule::all(3)[0].to_string(),
            "a reads, b reads, c reads, a commits, b commits, c commits"
        );
    }
}
