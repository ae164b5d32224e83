//! How many events a module handles in a second, over the last few.

use std::time::{Duration, Instant};

use crate::limits;

const SECONDS: usize = limits::RATE_WINDOW.as_secs() as usize;

/// Counts by second, over [`limits::RATE_WINDOW`].
#[derive(Debug)]
pub(super) struct Rate {
    began: Instant,
    /// The second that was counted in last, since it began.
    newest: u64,
    counts: [u64; SECONDS],
}

impl Rate {
    pub(super) fn starting_at(now: Instant) -> Self {
        Self {
            began: now,
            newest: 0,
            counts: [0; SECONDS],
        }
    }

    /// One more event is handled.
    pub(super) fn count(&mut self, now: Instant) {
        self.roll(now);
        self.counts[index(self.newest)] += 1;
    }

    /// Events in a second, over the window or since the beginning where that is later.
    pub(super) fn per_second(&mut self, now: Instant) -> f64 {
        self.roll(now);
        let elapsed = now.saturating_duration_since(self.began);
        // The second that is not over yet counts as far as it is.
        let partial = Duration::from_nanos(u64::from(elapsed.subsec_nanos()));
        let window = limits::RATE_WINDOW - Duration::from_secs(1) + partial;
        let seconds = elapsed.min(window).max(Duration::from_secs(1));
        let events: u64 = self.counts.iter().sum();
        events as f64 / seconds.as_secs_f64()
    }

    /// Forgets what has left the window.
    fn roll(&mut self, now: Instant) {
        let second = now.saturating_duration_since(self.began).as_secs();
        let first = (self.newest + 1).max((second + 1).saturating_sub(SECONDS as u64));
        for gone in first..=second {
            self.counts[index(gone)] = 0;
        }
        self.newest = self.newest.max(second);
    }
}

fn index(second: u64) -> usize {
    (second % SECONDS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(rate: &mut Rate, at: Instant) -> String {
        format!("{:.2}", rate.per_second(at))
    }

    #[test]
    fn a_rate_is_that_of_the_window() {
        let began = Instant::now();
        let after = |millis: u64| began + Duration::from_millis(millis);
        let mut rate = Rate::starting_at(began);
        assert_eq!(shown(&mut rate, began), "0.00");
        for _ in 0..30 {
            rate.count(after(500));
        }
        assert_eq!(
            shown(&mut rate, after(500)),
            "30.00",
            "no less than a second"
        );
        assert_eq!(shown(&mut rate, after(3_000)), "10.00");
        for _ in 0..60 {
            rate.count(after(5_000));
        }
        assert_eq!(shown(&mut rate, after(9_000)), "10.00");
        assert_eq!(
            shown(&mut rate, after(10_000)),
            "6.67",
            "the first have left"
        );
        assert_eq!(shown(&mut rate, after(14_999)), "6.00");
        assert_eq!(shown(&mut rate, after(15_000)), "0.00");
        rate.count(after(3_600_000));
        rate.count(after(3_600_000));
        assert_eq!(shown(&mut rate, after(3_600_000)), "0.22");
    }
}
