//! The time of day, which can be set.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, TimeDelta, Utc};

/// The machine's time of day, and what a test adds to it.
///
/// Nothing waits by it: deadlines, pauses and patience go by a clock that nobody can set. It dates
/// events and shows guests the present. Where it is set back, later events have earlier times, and
/// only their positions tell the order. Clones are handles to the same clock.
#[derive(Debug, Clone, Default)]
pub struct WallClock {
    shift_micros: Arc<AtomicI64>,
}

impl WallClock {
    /// The time of day.
    pub fn now(&self) -> DateTime<Utc> {
        let shift = TimeDelta::microseconds(self.shift_micros.load(Ordering::Relaxed));
        let now = Utc::now();
        now.checked_add_signed(shift).unwrap_or(now)
    }

    /// Sets the clock forward or back, as an operator or a time server does with the machine's.
    pub fn set(&self, by: TimeDelta) {
        let micros = by.num_microseconds().unwrap_or(0);
        self.shift_micros.fetch_add(micros, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_set_for_all_its_handles() {
        let clock = WallClock::default();
        let handle = clock.clone();
        let before = clock.now();
        clock.set(TimeDelta::days(-1));
        assert!(handle.now() < before);
        clock.set(TimeDelta::days(1));
        assert!(handle.now() >= before);
        clock.set(TimeDelta::MAX);
        assert!(clock.now() >= before, "a shift beyond all dates is none");
    }
}
