//! Effects: events to lanes, at least once, and a watermark below which nothing is missing.
//!
//! The dispatcher reads the log and asks the module for each event's partition key. Events
//! without a key share the global lane; keys are spread over the keyed lanes by a stable hash.
//! A lane handles its events one after the other; one that fails stands still and tries again,
//! while the others go on within a bounded window above the watermark. A handled event is noted
//! in the transaction of its handler, so a restart delivers only what was not handled.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

mod lanes;
mod worker;

use self::lanes::{Window, lane_of};
use self::worker::Worker;
pub(super) use self::worker::deliver;
use super::Runtime;
use super::backoff::Backoff;
use super::instance::{Instance, SubscriptionError};
use super::progress;
use super::status::{Failure, Phase};
use crate::limits;
use crate::report::chain;
use crate::store::{Query, RecordedEvent};

/// Runs until asked to stop; starts anew after each hold and each failure of the dispatcher itself.
/// Failures of handlers are the workers' to retry.
pub(super) fn run(runtime: &Runtime) {
    let settings = &runtime.services.settings;
    let mut backoff = Backoff::new(settings.retry_base, settings.retry_cap);
    while runtime.may_run() {
        let ran = Dispatcher::start(runtime)
            .map_err(|error| (error, 0))
            .and_then(|mut dispatcher| {
                dispatcher
                    .follow()
                    .map_err(|error| (error, dispatcher.window.scanned()))
            });
        let Err((error, position)) = ran else {
            continue;
        };
        let (attempts, pause) = backoff.failed(position);
        let message = chain(&error);
        tracing::warn!(
            effect = %runtime.module.name(),
            attempts,
            "effect failed, trying again in {pause:?}: {message}"
        );
        runtime.status.failed(
            Phase::Retrying,
            Failure::new(message, None, attempts, pause),
        );
        runtime.stop.pause(pause);
    }
}

struct Dispatcher<'a> {
    runtime: &'a Runtime,
    instance: Instance,
    query: Query,
    window: Window,
    /// Handled before the last start, above the watermark.
    completed: BTreeSet<u64>,
    saved_watermark: u64,
    workers: [Option<Worker>; lanes::LANES],
    acknowledge: Sender<u64>,
    acknowledged: Receiver<u64>,
}

impl<'a> Dispatcher<'a> {
    fn start(runtime: &'a Runtime) -> Result<Self, SubscriptionError> {
        let mut instance = Instance::start(runtime)?;
        let query = instance.query()?;
        let watermark = progress::last_position(instance.connection())?;
        let completed = progress::completed(instance.connection())?;
        runtime.status.recovered(0);
        runtime.status.advanced(watermark);
        let (acknowledge, acknowledged) = channel();
        Ok(Self {
            runtime,
            instance,
            query,
            window: Window::starting_at(watermark),
            completed,
            saved_watermark: watermark,
            workers: [const { None }; lanes::LANES],
            acknowledge,
            acknowledged,
        })
    }

    fn follow(&mut self) -> Result<(), SubscriptionError> {
        let log = self.runtime.services.log.clone();
        while !self.runtime.stop.is_set() {
            self.take_acknowledgements()?;
            let head = log.head()?;
            if self.window.has_room() && self.window.scanned() < head {
                self.runtime.status.enter(Phase::CatchingUp, head);
                self.dispatch_up_to(head)?;
                continue;
            }
            let idle = self.window.watermark() >= head;
            self.runtime
                .status
                .enter(if idle { Phase::Live } else { Phase::CatchingUp }, head);
            self.wait_for_work(&log);
        }
        // Dropping the workers waits for the events that they are at.
        self.workers = [const { None }; lanes::LANES];
        self.take_acknowledgements()?;
        self.save_watermark()
    }

    /// Waits until the log grows past what is dispatched, or an acknowledgement makes room.
    fn wait_for_work(&mut self, log: &crate::store::EventLog) {
        let beyond = if self.window.has_room() {
            self.window.scanned()
        } else {
            u64::MAX
        };
        let stop = &self.runtime.stop;
        let first = Cell::new(None);
        log.wait_beyond(beyond, &|| {
            first.set(first.get().or_else(|| self.acknowledged.try_recv().ok()));
            first.get().is_some() || stop.is_set()
        });
        if let Some(position) = first.get() {
            self.window.complete(position);
        }
    }

    fn dispatch_up_to(&mut self, head: u64) -> Result<(), SubscriptionError> {
        let log = self.runtime.services.log.clone();
        let mut reader = log.read(&self.query, self.window.scanned(), head);
        while self.window.has_room() && !self.runtime.stop.is_set() {
            let batch = reader.next_batch(self.window.room().min(limits::READ_BATCH_EVENTS))?;
            if batch.is_empty() {
                self.window.scanned_to(head);
                break;
            }
            for event in batch {
                self.dispatch(event)?;
            }
            self.take_acknowledgements()?;
        }
        self.publish_watermark()
    }

    fn dispatch(&mut self, event: RecordedEvent) -> Result<(), SubscriptionError> {
        let position = event.position;
        if self.completed.remove(&position) {
            self.window.scanned_to(position);
            return Ok(());
        }
        let key = self.instance.partition_key(&event)?;
        let lane = lane_of(key.as_deref());
        self.window.begin(position);
        let worker = match &mut self.workers[lane] {
            Some(worker) => worker,
            none => none.insert(Worker::start(
                self.runtime.clone(),
                lane,
                self.acknowledge.clone(),
            )?),
        };
        worker.hand_over(Arc::new(event));
        Ok(())
    }

    fn take_acknowledgements(&mut self) -> Result<(), SubscriptionError> {
        while let Ok(position) = self.acknowledged.try_recv() {
            self.window.complete(position);
        }
        self.publish_watermark()
    }

    /// Shows the watermark, and saves it from time to time: what lies between is noted event by
    /// event.
    fn publish_watermark(&mut self) -> Result<(), SubscriptionError> {
        const UNSAVED_POSITIONS: u64 = 256;
        let watermark = self.window.watermark();
        self.runtime.status.advanced(watermark);
        if watermark >= self.saved_watermark + UNSAVED_POSITIONS || self.window.is_idle() {
            self.save_watermark()?;
        }
        Ok(())
    }

    fn save_watermark(&mut self) -> Result<(), SubscriptionError> {
        let watermark = self.window.watermark();
        if watermark > self.saved_watermark {
            progress::save_watermark(self.instance.connection(), watermark)?;
            self.saved_watermark = watermark;
        }
        Ok(())
    }
}
