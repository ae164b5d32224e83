//! How long to wait after a failure.

use std::time::Duration;

/// Doubles the pause with each failure at one place, and starts anew at another.
#[derive(Debug)]
pub(super) struct Backoff {
    base: Duration,
    cap: Duration,
    place: Option<u64>,
    attempts: u32,
}

impl Backoff {
    pub(super) fn new(base: Duration, cap: Duration) -> Self {
        Self {
            base,
            cap,
            place: None,
            attempts: 0,
        }
    }

    /// Failures at `place` that were counted elsewhere.
    pub(super) fn earlier(&mut self, place: u64, attempts: u32) {
        self.place = Some(place);
        self.attempts = attempts;
    }

    /// Counts a failure at `place` and returns the attempts made there and the pause.
    pub(super) fn failed(&mut self, place: u64) -> (u32, Duration) {
        if self.place != Some(place) {
            self.place = Some(place);
            self.attempts = 0;
        }
        self.attempts = self.attempts.saturating_add(1);
        let doubled = 1_u32.checked_shl(self.attempts - 1).unwrap_or(u32::MAX);
        (
            self.attempts,
            self.base.saturating_mul(doubled).min(self.cap),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_cap_and_start_anew_elsewhere() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(600));
        let pauses: Vec<u64> = (0..11).map(|_| backoff.failed(7).1.as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600]);
        assert_eq!(backoff.failed(8), (1, Duration::from_secs(1)));
        backoff.earlier(9, 3);
        assert_eq!(backoff.failed(9), (4, Duration::from_secs(8)));
        backoff.earlier(8, 1);
        for _ in 0..100 {
            assert!(backoff.failed(8).1 <= Duration::from_secs(600));
        }
    }
}
