//! One lane's thread: an instance, a connection, and one event after the other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use rusqlite::Connection;

use super::super::Runtime;
use super::super::backoff::Backoff;
use super::super::instance::{Instance, SubscriptionError};
use super::super::progress;
use super::super::status::{Failure, Phase};
use super::super::trouble::Trouble;
use super::failed;
use super::in_hand::InHand;
use crate::report::chain;
use crate::store::RecordedEvent;

/// What happened where a host ended in the middle of an attempt.
pub(super) const INTERRUPTED: &str = "the host ended while the module handled the event";

/// An event for a lane.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) event: RecordedEvent,
    pub(super) delivery: Delivery,
    /// The module crashed when it was asked for the event's key, and may do so again.
    pub(super) ask_for_key: bool,
}

/// How an event comes to its lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// In its order, and until it is handled or parked.
    InOrder {
        /// Failures before this run.
        attempts: u32,
        /// The last of them was the end of a host, so the next attempt waits as after any other.
        interrupted: bool,
    },
    /// Once more after it was parked; a failure leaves it parked.
    Parked,
}

/// A running lane. Dropping it waits for the event that it is at.
pub(super) struct Worker {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(
        runtime: Runtime,
        number: usize,
        in_hand: Arc<InHand>,
        acknowledge: Sender<u64>,
    ) -> Result<Self, SubscriptionError> {
        let (jobs, received) = channel();
        let settings = &runtime.services.settings;
        let backoff = Backoff::new(settings.retry_base, settings.retry_cap);
        let name = format!("effect-{}-{number}", runtime.module.name());
        let lane = Lane {
            runtime,
            number,
            in_hand,
            backoff,
            kept: None,
        };
        let thread = std::thread::Builder::new()
            .name(name)
            .spawn(move || lane.work(&received, &acknowledge))
            .map_err(SubscriptionError::Thread)?;
        Ok(Self {
            jobs: Some(jobs),
            thread: Some(thread),
        })
    }

    /// Queues an event; the window bounds how many wait.
    pub(super) fn hand_over(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            // A lane ends before its queue only when the effect stops, and what it did not
            // handle then is delivered after the next start.
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a lane works with.
struct Lane {
    runtime: Runtime,
    number: usize,
    in_hand: Arc<InHand>,
    backoff: Backoff,
    kept: Option<Instance>,
}

/// What follows a failure.
enum Next {
    Again,
    Parked,
    Stop,
}

impl Lane {
    fn work(mut self, jobs: &Receiver<Job>, acknowledge: &Sender<u64>) {
        while let Ok(job) = jobs.recv() {
            match job.delivery {
                Delivery::Parked => self.deliver_parked(&job),
                Delivery::InOrder { .. } => {
                    if !self.settle(&job) {
                        return;
                    }
                    if acknowledge.send(job.event.position).is_err() {
                        return;
                    }
                    self.runtime.services.log.wake();
                }
            }
            if self.runtime.stop.is_set() {
                return;
            }
        }
    }

    /// Tries until the event is handled or parked; `false` when the effect stops before that.
    fn settle(&mut self, job: &Job) -> bool {
        let position = job.event.position;
        let Delivery::InOrder {
            attempts: earlier,
            interrupted,
        } = job.delivery
        else {
            return true;
        };
        let mut note = if earlier == 0 {
            Note::Handled
        } else {
            Note::HandledAtLast
        };
        let mut last = interrupted.then(|| Trouble::new(INTERRUPTED));
        // The attempt that the host's end cut short is counted below.
        self.backoff
            .earlier(position, earlier - u32::from(interrupted));
        loop {
            if let Some(trouble) = last.take() {
                note = Note::HandledAtLast;
                match self.wait_after_failure(&job.event, trouble) {
                    Next::Again => {}
                    Next::Parked => break,
                    Next::Stop => return false,
                }
            }
            match self.attempt(job, note) {
                Ok(()) => break,
                Err(error) => last = Some(Trouble::from(&error)),
            }
        }
        self.runtime.status.handled(position);
        self.runtime.parking.settled(position);
        true
    }

    fn attempt(&mut self, job: &Job, note: Note) -> Result<(), SubscriptionError> {
        self.in_hand.take(self.number, job.event.position)?;
        let delivered = self.deliver(job, note);
        if delivered.is_err() {
            // Whatever failed, the next attempt starts from nothing.
            self.kept = None;
            self.in_hand.put_down(self.number)?;
        }
        delivered
    }

    fn deliver(&mut self, job: &Job, note: Note) -> Result<(), SubscriptionError> {
        if job.ask_for_key {
            started(&self.runtime, &mut self.kept)?.partition_key(&job.event)?;
        }
        deliver(&self.runtime, &mut self.kept, &job.event, note)
    }

    /// Counts a failure, and waits until the event is to be tried again or put aside.
    fn wait_after_failure(&mut self, event: &RecordedEvent, trouble: Trouble) -> Next {
        let Runtime {
            status,
            stop,
            parking,
            ..
        } = &self.runtime;
        let (attempts, pause) = self.backoff.failed(event.position);
        tracing::warn!(
            effect = %self.runtime.module.name(),
            position = event.position,
            event_type = %event.event_type,
            attempts,
            "module failed, retrying with backoff in {pause:?}: {}",
            trouble.message
        );
        let noted = self.with_database(|connection| {
            failed::retrying(connection, event, attempts, &trouble.message)
        });
        if let Err(error) = noted {
            tracing::warn!(
                effect = %self.runtime.module.name(),
                "the failure could not be noted, so a restart will not count it: {}",
                chain(&error)
            );
        }
        let failure = Failure::new(trouble, Some(event), attempts, pause);
        status.failed(Phase::CatchingUp, failure);
        let position = event.position;
        if !stop.pause_unless(pause, || parking.is_wanted(position)) {
            return Next::Stop;
        }
        if !parking.is_wanted(position) {
            return Next::Again;
        }
        let parked = self.with_database(|connection| failed::park(connection, position));
        let next = if parked.is_ok() {
            Next::Parked
        } else {
            Next::Again
        };
        parking.answer(position, parked);
        next
    }

    /// Delivers a parked event once.
    fn deliver_parked(&mut self, job: &Job) {
        let position = job.event.position;
        // It may have been dropped since it was queued.
        let taken = self.with_database(|connection| failed::deliver(connection, position));
        let outcome = match taken {
            Ok(false) => return,
            Ok(true) => self
                .deliver(job, Note::Unparked)
                .map_err(|error| chain(&error)),
            Err(error) => Err(chain(&error)),
        };
        if let Err(message) = outcome {
            self.kept = None;
            tracing::warn!(
                effect = %self.runtime.module.name(),
                position,
                "a parked event failed again and stays parked: {message}"
            );
            let noted = self
                .with_database(|connection| failed::failed_again(connection, position, &message));
            if let Err(error) = noted {
                tracing::warn!(position, "that could not be noted: {}", chain(&error));
            }
        }
        self.runtime.parking.delivered();
    }

    /// Calls `act` with a connection to the effect's database that no handler has used.
    fn with_database<T, E: From<rusqlite::Error>>(
        &self,
        act: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, E> {
        let connection = failed::open(&self.runtime.files.database)?;
        act(&connection.ok_or(rusqlite::Error::QueryReturnedNoRows)?)
    }
}

/// What is noted in the transaction of a handler that succeeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Note {
    /// The event is handled.
    Handled,
    /// The event is handled, after failures.
    HandledAtLast,
    /// The event is no longer parked; that it was passed by is noted since it was parked.
    Unparked,
}

/// Handles one event and notes it in the same transaction.
pub(in super::super) fn deliver(
    runtime: &Runtime,
    kept: &mut Option<Instance>,
    event: &RecordedEvent,
    note: Note,
) -> Result<(), SubscriptionError> {
    let instance = started(runtime, kept)?;
    runtime.status.begun(event.position);
    instance.handle(event)?;
    let connection = instance.connection();
    if connection.is_autocommit() && note == Note::HandledAtLast {
        connection.execute_batch("BEGIN IMMEDIATE")?;
    }
    if note != Note::Unparked {
        progress::complete(connection, event.position)?;
    }
    if note != Note::Handled {
        failed::forget(connection, event.position)?;
    }
    if !connection.is_autocommit() {
        // The handler wrote, so its rows and the host's note become durable together.
        connection.execute_batch("COMMIT")?;
    }
    Ok(())
}

fn started<'a>(
    runtime: &Runtime,
    kept: &'a mut Option<Instance>,
) -> Result<&'a mut Instance, SubscriptionError> {
    match kept {
        Some(instance) => Ok(instance),
        none => Ok(none.insert(Instance::start(runtime)?)),
    }
}
