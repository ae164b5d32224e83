//! One lane's thread: an instance, a connection, and one event after the other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::super::Runtime;
use super::super::backoff::Backoff;
use super::super::instance::{Instance, SubscriptionError};
use super::super::progress;
use super::super::status::{Failure, Phase};
use crate::report::chain;
use crate::store::RecordedEvent;

/// A running lane. Dropping it waits for the event that it is at.
pub(super) struct Worker {
    events: Option<Sender<Arc<RecordedEvent>>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    pub(super) fn start(
        runtime: Runtime,
        lane: usize,
        acknowledge: Sender<u64>,
    ) -> Result<Self, SubscriptionError> {
        let (events, received) = channel();
        let thread = std::thread::Builder::new()
            .name(format!("effect-{}-{lane}", runtime.module.name()))
            .spawn(move || work(&runtime, &received, &acknowledge))
            .map_err(SubscriptionError::Thread)?;
        Ok(Self {
            events: Some(events),
            thread: Some(thread),
        })
    }

    /// Queues an event; the window bounds how many wait.
    pub(super) fn hand_over(&self, event: Arc<RecordedEvent>) {
        if let Some(events) = &self.events {
            // A lane ends before its queue only when the effect stops, and what it did not
            // handle then is delivered after the next start.
            let _ = events.send(event);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.events = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn work(runtime: &Runtime, events: &Receiver<Arc<RecordedEvent>>, acknowledge: &Sender<u64>) {
    let settings = &runtime.services.settings;
    let mut backoff = Backoff::new(settings.retry_base, settings.retry_cap);
    let mut kept = None;
    while let Ok(event) = events.recv() {
        while let Err(error) = deliver(runtime, &mut kept, &event) {
            // Whatever failed, the next attempt starts from nothing.
            kept = None;
            let (attempts, pause) = backoff.failed(event.position);
            let message = chain(&error);
            tracing::warn!(
                effect = %runtime.module.name(),
                position = event.position,
                event_type = %event.event_type,
                attempts,
                "module failed, retrying with backoff in {pause:?}: {message}"
            );
            let failure = Failure::new(message, Some(&event), attempts, pause);
            runtime.status.failed(Phase::CatchingUp, failure);
            if !runtime.stop.pause(pause) {
                return;
            }
        }
        runtime.status.recovered(event.position);
        if acknowledge.send(event.position).is_err() {
            return;
        }
        runtime.services.log.wake();
        if runtime.stop.is_set() {
            return;
        }
    }
}

/// Handles one event and notes it as handled in the same transaction.
pub(in super::super) fn deliver(
    runtime: &Runtime,
    kept: &mut Option<Instance>,
    event: &RecordedEvent,
) -> Result<(), SubscriptionError> {
    let instance = match kept {
        Some(instance) => instance,
        none => none.insert(Instance::start(runtime)?),
    };
    runtime.status.touched();
    instance.handle(event)?;
    let connection = instance.connection();
    progress::complete(connection, event.position)?;
    if !connection.is_autocommit() {
        // The handler wrote, so its rows and the host's note become durable together.
        connection.execute_batch("COMMIT")?;
    }
    Ok(())
}
