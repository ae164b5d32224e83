//! How many commands run at once, and how many more may wait for that.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many calls a host is busy with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CommandLoad {
    /// Calls that run.
    pub running: usize,
    /// Calls that wait until one of these has ended.
    pub waiting: usize,
}

/// A counting semaphore for threads, in front of which only so many may wait. One command alone
/// takes three quarters of it at the most, running and waiting: its callers keep no others out.
///
/// Who waits longest comes first, among those whose command has not its share.
pub(super) struct Slots {
    count: usize,
    queue: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    all: CommandLoad,
    /// Commands that have any.
    by_command: HashMap<String, CommandLoad>,
    /// In the order in which they came.
    waiting: VecDeque<Arc<Waiting>>,
}

/// A call that waits. One slot that is given back wakes one thread and not all.
struct Waiting {
    command: String,
    /// Whether it has been given a slot: changed under the lock.
    has_slot: AtomicBool,
    given: Condvar,
}

/// The right to run until it is dropped.
pub(super) struct Slot<'a> {
    slots: &'a Slots,
    command: String,
}

/// What one command may have of `count`.
fn share(count: usize) -> usize {
    count - count / 4
}

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
            state: Mutex::default(),
        }
    }

    pub(super) fn load(&self) -> CommandLoad {
        self.lock().all
    }

    /// Waits for a slot for `command`, if that many do not wait already, and not beyond `deadline`.
    pub(super) fn take(&self, command: &str, deadline: Instant) -> Result<Slot<'_>, NoSlot> {
        let slot = || Slot {
            slots: self,
            command: command.to_owned(),
        };
        let mut state = self.lock();
        if self.has_room(&state, command) {
            state.change(command, |load| load.running += 1);
            return Ok(slot());
        }
        if state.all.waiting >= self.queue || state.of(command).waiting >= share(self.queue) {
            return Err(NoSlot::QueueFull(state.all));
        }
        let this = Arc::new(Waiting {
            command: command.to_owned(),
            has_slot: AtomicBool::new(false),
            given: Condvar::new(),
        });
        state.change(command, |load| load.waiting += 1);
        state.waiting.push_back(Arc::clone(&this));
        let patience = deadline.saturating_duration_since(Instant::now());
        let (mut state, _) = this
            .given
            .wait_timeout_while(state, patience, |_| !this.has_slot())
            .unwrap_or_else(PoisonError::into_inner);
        if this.has_slot() {
            return Ok(slot());
        }
        state.waiting.retain(|other| !Arc::ptr_eq(other, &this));
        state.change(command, |load| load.waiting -= 1);
        Err(NoSlot::Late(state.all))
    }

    fn has_room(&self, state: &State, command: &str) -> bool {
        state.all.running < self.count && state.of(command).running < share(self.count)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn has_slot(&self) -> bool {
        self.has_slot.load(Ordering::Relaxed)
    }
}

impl State {
    fn of(&self, command: &str) -> CommandLoad {
        self.by_command.get(command).copied().unwrap_or_default()
    }

    fn change(&mut self, command: &str, change: impl Fn(&mut CommandLoad)) {
        change(&mut self.all);
        let mut own = self.of(command);
        change(&mut own);
        if own == CommandLoad::default() {
            self.by_command.remove(command);
        } else {
            self.by_command.insert(command.to_owned(), own);
        }
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut state = self.slots.lock();
        state.change(&self.command, |load| load.running -= 1);
        let next = state
            .waiting
            .iter()
            .position(|next| self.slots.has_room(&state, &next.command));
        if let Some(next) = next.and_then(|index| state.waiting.remove(index)) {
            state.change(&next.command, |load| {
                load.waiting -= 1;
                load.running += 1;
            });
            next.has_slot.store(true, Ordering::Relaxed);
            drop(state);
            next.given.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn slots_are_given_back() {
        let slots = Slots::new(1, 1);
        let first = slots.take("a", Instant::now()).expect("a slot");
        let late = CommandLoad {
            running: 1,
            waiting: 0,
        };
        assert_eq!(
            slots.take("a", Instant::now()).err(),
            Some(NoSlot::Late(late))
        );
        drop(first);
        drop(slots.take("a", Instant::now()).expect("a slot"));
        assert_eq!(slots.load(), CommandLoad::default());
    }

    #[test]
    fn only_so_many_wait() {
        const QUEUE: usize = 3;
        let slots = Slots::new(1, QUEUE);
        let first = slots.take("a", Instant::now()).expect("a slot");
        let end = Instant::now() + Duration::from_secs(60);
        std::thread::scope(|scope| {
            let waiting: Vec<_> = (0..QUEUE)
                .map(|_| scope.spawn(|| slots.take("a", end).map(drop)))
                .collect();
            while slots.load().waiting < QUEUE {
                assert!(Instant::now() < end, "they wait");
                std::thread::yield_now();
            }
            let full = slots.load();
            let one_past = slots.take("a", end).err();
            assert_eq!(one_past, Some(NoSlot::QueueFull(full)));
            drop(first);
            for thread in waiting {
                thread.join().expect("no panic").expect("a slot in time");
            }
        });
        assert_eq!(slots.load(), CommandLoad::default());
    }

    #[test]
    fn who_waits_longest_comes_first() {
        const CALLS: usize = 8;
        let slots = Slots::new(1, 2 * CALLS);
        let first = slots.take("a", Instant::now()).expect("a slot");
        let end = Instant::now() + Duration::from_secs(60);
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for call in 0..CALLS {
                let (slots, order) = (&slots, &order);
                scope.spawn(move || {
                    let slot = slots.take("a", end).expect("a slot in time");
                    order.lock().expect("no panic").push(call);
                    drop(slot);
                });
                while slots.load().waiting <= call {
                    assert!(Instant::now() < end, "it waits");
                    std::thread::yield_now();
                }
            }
            // One that gives up is passed by, and keeps nobody waiting.
            let late = slots.take("a", Instant::now()).err();
            assert_eq!(late, Some(NoSlot::Late(slots.load())));
            drop(first);
        });
        let order = order.into_inner().expect("no panic");
        assert_eq!(order, (0..CALLS).collect::<Vec<_>>());
        assert_eq!(slots.load(), CommandLoad::default());
    }

    #[test]
    fn who_waits_for_the_share_of_its_command_keeps_nobody_waiting() {
        let slots = Slots::new(4, 8);
        let end = Instant::now() + Duration::from_secs(60);
        let mut greedy: Vec<_> = (0..3)
            .map(|_| slots.take("greedy", end).expect("a slot"))
            .collect();
        let fourth = slots.take("neighbour", end).expect("a slot");
        let waits = |slots: &Slots, calls| {
            while slots.load().waiting < calls {
                assert!(Instant::now() < end, "it waits");
                std::thread::yield_now();
            }
        };
        std::thread::scope(|scope| {
            let second = scope.spawn(|| slots.take("greedy", end).expect("a slot in time"));
            waits(&slots, 1);
            let third = scope.spawn(|| slots.take("neighbour", end).expect("a slot in time"));
            waits(&slots, 2);
            drop(fourth);
            drop(third.join().expect("no panic"));
            assert_eq!(slots.load().waiting, 1, "it has its share");
            greedy.pop();
            drop(second.join().expect("no panic"));
        });
        drop(greedy);
        assert_eq!(slots.load(), CommandLoad::default());
    }

    #[test]
    fn one_command_leaves_room_for_others() {
        let slots = Slots::new(4, 4);
        let now = Instant::now();
        let taken: Vec<_> = (0..3)
            .map(|_| slots.take("greedy", now).expect("a slot"))
            .collect();
        let load = slots.load();
        assert_eq!(slots.take("greedy", now).err(), Some(NoSlot::Late(load)));
        let neighbour = slots.take("neighbour", now).expect("the fourth");
        drop(taken);
        drop(neighbour);
        slots.take("greedy", now).map(drop).expect("a slot");
        assert!(slots.lock().by_command.is_empty(), "nothing is left over");
    }

    #[test]
    fn one_command_leaves_room_in_the_queue() {
        let slots = Slots::new(1, 4);
        let first = slots.take("greedy", Instant::now()).expect("a slot");
        let end = Instant::now() + Duration::from_secs(60);
        std::thread::scope(|scope| {
            let waiting: Vec<_> = ["greedy", "greedy", "greedy", "neighbour"]
                .into_iter()
                .enumerate()
                .map(|(n, command)| {
                    let slots = &slots;
                    let thread = scope.spawn(move || slots.take(command, end).map(drop));
                    while slots.load().waiting <= n {
                        assert!(Instant::now() < end, "it waits");
                        std::thread::yield_now();
                    }
                    if n == 2 {
                        let full = NoSlot::QueueFull(slots.load());
                        assert_eq!(slots.take("greedy", end).err(), Some(full));
                    }
                    thread
                })
                .collect();
            drop(first);
            for thread in waiting {
                thread.join().expect("no panic").expect("a slot in time");
            }
        });
        assert_eq!(slots.load(), CommandLoad::default());
    }
}
