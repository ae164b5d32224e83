//! Time: a wall clock that stands still during a call, and the call's deadline.
//!
//! A command sees one moment for its whole execution, so that running it twice on the same
//! events decides the same.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use wasmtime_wasi::HostWallClock;

use crate::wall_clock::WallClock;

/// What guests take for the present.
#[derive(Debug, Clone)]
pub(crate) enum Present {
    /// The moment at which a call begins.
    Call(WallClock),
    /// Always this moment, in a rehearsal.
    At(DateTime<Utc>),
}

impl Default for Present {
    fn default() -> Self {
        Self::Call(WallClock::default())
    }
}

impl Present {
    /// WASI counts from 1970; a clock that is before that shows 1970.
    fn since_epoch(&self) -> Duration {
        let time = match self {
            Self::Call(clock) => clock.now(),
            Self::At(time) => *time,
        };
        SystemTime::from(time)
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
    }
}

/// The clock of one instance.
#[derive(Debug, Clone)]
pub(crate) struct CallClock {
    wall: FrozenWallClock,
    deadline: Instant,
}

impl CallClock {
    pub(crate) fn new(present: Present) -> Self {
        Self {
            wall: FrozenWallClock::new(present),
            deadline: Instant::now(),
        }
    }

    /// Moves the wall clock to the present and sets when the call must end.
    pub(crate) fn start_call(&mut self, deadline: Instant) {
        self.wall.advance();
        self.deadline = deadline;
    }

    pub(crate) fn wall(&self) -> FrozenWallClock {
        self.wall.clone()
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }
}

/// A wall clock that shows the moment at which the current call began.
#[derive(Debug, Clone)]
pub(crate) struct FrozenWallClock {
    present: Present,
    since_epoch: Arc<Mutex<Duration>>,
}

impl FrozenWallClock {
    fn new(present: Present) -> Self {
        Self {
            since_epoch: Arc::new(Mutex::new(present.since_epoch())),
            present,
        }
    }

    fn advance(&self) {
        *self
            .since_epoch
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = self.present.since_epoch();
    }
}

impl HostWallClock for FrozenWallClock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        *self
            .since_epoch
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wall_clock_stands_still_until_the_next_call() {
        let mut clock = CallClock::new(Present::default());
        let wall = clock.wall();
        let before = wall.now();
        while Present::default().since_epoch() == before {}
        assert_eq!(wall.now(), before);
        clock.start_call(Instant::now());
        assert!(wall.now() > before);
    }

    #[test]
    fn in_a_rehearsal_the_clock_shows_its_moment_in_every_call() {
        let moment = "2020-02-29T12:00:00.000001Z".parse().unwrap();
        let mut clock = CallClock::new(Present::At(moment));
        clock.start_call(Instant::now());
        let shown: DateTime<Utc> = (UNIX_EPOCH + clock.wall().now()).into();
        assert_eq!(shown, moment);
    }
}
