//! How many commands run at once, and how many more may wait for that.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many calls a host is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommandLoad {
    /// Calls that run.
    pub running: usize,
    /// Calls that wait until one of these has ended.
    pub waiting: usize,
}

/// A counting semaphore for threads, in front of which only so many may wait.
pub(super) struct Slots {
    count: usize,
    queue: usize,
    load: Mutex<CommandLoad>,
    freed: Condvar,
}

/// The right to run until it is dropped.
pub(super) struct Slot<'a>(&'a Slots);

/// Why there was no slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoSlot {
    /// As many wait as may.
    QueueFull(CommandLoad),
    /// None was given back in time.
    Late(CommandLoad),
}

impl Slots {
    /// Slots for `count` calls, for which `queue` more may wait.
    pub(super) fn new(count: usize, queue: usize) -> Self {
        Self {
            count,
            queue,
            load: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    pub(super) fn load(&self) -> CommandLoad {
        *self.lock()
    }

    /// Waits for a slot, if that many do not wait already, and not beyond `deadline`.
    pub(super) fn take(&self, deadline: Instant) -> Result<Slot<'_>, NoSlot> {
        let mut load = self.lock();
        if load.running >= self.count {
            if load.waiting >= self.queue {
                return Err(NoSlot::QueueFull(*load));
            }
            load.waiting += 1;
            let patience = deadline.saturating_duration_since(Instant::now());
            (load, _) = self
                .freed
                .wait_timeout_while(load, patience, |load| load.running >= self.count)
                .unwrap_or_else(PoisonError::into_inner);
            load.waiting -= 1;
            if load.running >= self.count {
                return Err(NoSlot::Late(*load));
            }
        }
        load.running += 1;
        Ok(Slot(self))
    }

    fn lock(&self) -> MutexGuard<'_, CommandLoad> {
        self.load.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn slots_are_given_back() {
        let slots = Slots::new(1, 1);
        let first = slots.take(Instant::now()).expect("a slot");
        let late = CommandLoad {
            running: 1,
            waiting: 0,
        };
        assert_eq!(slots.take(Instant::now()).err(), Some(NoSlot::Late(late)));
        drop(first);
        drop(slots.take(Instant::now()).expect("a slot"));
        assert_eq!(slots.load(), CommandLoad::default());
    }

    #[test]
    fn only_so_many_wait() {
        const QUEUE: usize = 3;
        let slots = Slots::new(1, QUEUE);
        let first = slots.take(Instant::now()).expect("a slot");
        let end = Instant::now() + Duration::from_secs(60);
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..QUEUE)
                .map(|_| scope.spawn(|| slots.take(end).map(drop)))
                .collect();
            while slots.load().waiting < QUEUE {
                assert!(Instant::now() < end, "they wait");
                std::thread::yield_now();
            }
            let full = slots.load();
            let one_past = slots.take(end).err();
            assert_eq!(one_past, Some(NoSlot::QueueFull(full)));
            drop(first);
            for thread in waiting {
                thread.join().expect("no panic").expect("a slot in time");
            }
        });
        assert_eq!(slots.load(), CommandLoad::default());
    }
}
