//! Time: a wall clock that stands still during a call, and waits that end at its deadline.
//!
//! A command sees one moment for its whole execution, so that running it twice on the same
//! events decides the same. Epochs interrupt guest code only; a guest that waits on a timer is
//! inside a host call, so the wait itself has to know the deadline.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::HostWallClock;
use wasmtime_wasi::p2::DynPollable;
use wasmtime_wasi::p2::bindings::io::poll as poll_async;
use wasmtime_wasi::p2::bindings::sync::io::poll;
use wasmtime_wasi::runtime::in_tokio;

use crate::engine::guest::GuestState;
use crate::engine::trap::DeadlineExceeded;
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

/// Replaces WASI's `poll` by one whose waits end at the call's deadline.
pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    poll::add_to_linker::<GuestState, Waits>(linker, |state| WaitView {
        table: &mut state.table,
        deadline: state.clock.deadline(),
    })?;
    linker.allow_shadowing(false);
    Ok(())
}

struct Waits;

impl HasData for Waits {
    type Data<'a> = WaitView<'a>;
}

struct WaitView<'a> {
    table: &'a mut ResourceTable,
    deadline: Instant,
}

/// Waits for `wait`, but not beyond `deadline`.
fn until<T>(
    deadline: Instant,
    wait: impl Future<Output = wasmtime::Result<T>>,
) -> wasmtime::Result<T> {
    in_tokio(async move {
        match tokio::time::timeout_at(deadline.into(), wait).await {
            Ok(result) => result,
            Err(_elapsed) => Err(DeadlineExceeded.into()),
        }
    })
}

impl poll::Host for WaitView<'_> {
    fn poll(&mut self, pollables: Vec<Resource<DynPollable>>) -> wasmtime::Result<Vec<u32>> {
        until(self.deadline, poll_async::Host::poll(self.table, pollables))
    }
}

impl poll::HostPollable for WaitView<'_> {
    fn ready(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<bool> {
        until(
            self.deadline,
            poll_async::HostPollable::ready(self.table, pollable),
        )
    }

    fn block(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        until(
            self.deadline,
            poll_async::HostPollable::block(self.table, pollable),
        )
    }

    fn drop(&mut self, pollable: Resource<DynPollable>) -> wasmtime::Result<()> {
        poll_async::HostPollable::drop(self.table, pollable)
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

    #[test]
    fn a_wait_ends_at_the_deadline() {
        let error = until::<()>(Instant::now(), std::future::pending()).unwrap_err();
        assert!(error.is::<DeadlineExceeded>());
    }
}
