//! Which lane an event takes, and what is handled so far.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use crate::limits;

/// The global lane and the keyed ones.
pub(super) const LANES: usize = 1 + limits::EFFECT_KEYED_WORKERS;

/// The lane of a partition key: 0 without one, else by a hash that is the same on every host.
pub(super) fn lane_of(key: Option<&str>) -> usize {
    let Some(key) = key else { return 0 };
    let hash = Sha256::digest(key.as_bytes());
    1 + usize::from(hash[0]) % limits::EFFECT_KEYED_WORKERS
}

/// The events between the watermark and the last one that was dispatched.
#[derive(Debug)]
pub(super) struct Window {
    /// Everything up to here was dispatched, or did not match.
    scanned: u64,
    in_flight: BTreeSet<u64>,
    /// Handled above the first event in flight. They count against the window, so that a lane
    /// that stands still bounds how far the others run ahead.
    ahead: BTreeSet<u64>,
}

impl Window {
    pub(super) fn starting_at(watermark: u64) -> Self {
        Self {
            scanned: watermark,
            in_flight: BTreeSet::new(),
            ahead: BTreeSet::new(),
        }
    }

    pub(super) fn scanned(&self) -> u64 {
        self.scanned
    }

    pub(super) fn scanned_to(&mut self, position: u64) {
        self.scanned = self.scanned.max(position);
    }

    pub(super) fn begin(&mut self, position: u64) {
        self.in_flight.insert(position);
        self.scanned_to(position);
    }

    pub(super) fn complete(&mut self, position: u64) {
        if self.in_flight.remove(&position) {
            self.ahead.insert(position);
            self.ahead = self.ahead.split_off(&(self.watermark() + 1));
        }
    }

    /// The highest position up to which everything is handled.
    pub(super) fn watermark(&self) -> u64 {
        self.in_flight
            .first()
            .map_or(self.scanned, |first| first - 1)
    }

    pub(super) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    pub(super) fn room(&self) -> usize {
        limits::EFFECT_WINDOW_EVENTS.saturating_sub(self.in_flight.len() + self.ahead.len())
    }

    pub(super) fn has_room(&self) -> bool {
        self.room() > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_take_the_same_lane_on_every_host() {
        assert_eq!(lane_of(None), 0);
        // Pinned: a change here would let events of one key overtake each other during an upgrade.
        assert_eq!(
            [
                lane_of(Some("")),
                lane_of(Some("42")),
                lane_of(Some("shop"))
            ],
            [4, 4, 6]
        );
        let used: BTreeSet<usize> = (0..200).map(|n| lane_of(Some(&n.to_string()))).collect();
        assert_eq!(used, (1..LANES).collect());
    }

    #[test]
    fn the_watermark_is_the_highest_contiguous_position() {
        let mut window = Window::starting_at(10);
        assert_eq!(window.watermark(), 10);
        for position in [12, 15, 20] {
            window.begin(position);
        }
        assert_eq!(window.watermark(), 11, "what did not match is handled");
        window.complete(15);
        assert_eq!(window.watermark(), 11);
        window.complete(12);
        assert_eq!(window.watermark(), 19);
        window.complete(20);
        window.scanned_to(30);
        assert_eq!(window.watermark(), 30);
        assert!(window.is_idle());
        assert_eq!(window.room(), limits::EFFECT_WINDOW_EVENTS);
        window.complete(12);
        assert_eq!(
            window.watermark(),
            30,
            "an answer that comes twice changes nothing"
        );
    }

    #[test]
    fn a_lane_that_stands_still_bounds_the_others() {
        let mut window = Window::starting_at(0);
        window.begin(1);
        let mut position = 1;
        while window.has_room() {
            position += 1;
            window.begin(position);
            window.complete(position);
        }
        assert_eq!(position, limits::EFFECT_WINDOW_EVENTS as u64);
        assert_eq!(window.watermark(), 0);
        window.complete(1);
        assert_eq!(window.watermark(), position);
    }
}
