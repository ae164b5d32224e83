//! Effects: events to lanes, at least once, and a watermark below which nothing is missing.
//!
//! The dispatcher reads the log and asks the module for each event's partition key. Events
//! without a key share the global lane; keys are spread over the keyed lanes by a stable hash.
//! A lane handles its events one after the other; one that fails stands still and tries again,
//! while the others go on within a bounded window above the watermark. A handled event is noted
//! in the transaction of its handler, so a restart delivers only what was not handled.
//!
//! An operator may park an event that fails: it is passed by, kept, and delivered once more when that
//! is asked for, in its lane and after whatever the lane has to do.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use rusqlite::Connection;

pub(crate) mod failed;
mod in_hand;
mod lanes;
pub(crate) mod operating;
pub(super) mod parking;
mod worker;

use self::in_hand::InHand;
use self::lanes::{Window, lane_of};
use self::worker::{Delivery, INTERRUPTED, Job, Worker};
pub(super) use self::worker::{Note, deliver};
use super::Runtime;
use super::backoff::Backoff;
use super::instance::{Instance, SubscriptionError};
use super::progress;
use super::status::{Failure, Phase};
use super::trouble::Trouble;
use crate::limits;
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
        runtime.stop.run_ended();
        let Err((error, position)) = ran else {
            continue;
        };
        let (attempts, pause) = backoff.failed(position);
        let trouble = Trouble::from(&error);
        tracing::warn!(
            effect = %runtime.module.name(),
            attempts,
            "effect failed, trying again in {pause:?}: {}",
            trouble.message
        );
        runtime.status.failed(
            Phase::Retrying,
            Failure::new(trouble, None, attempts, pause),
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
    /// Failed before the last start, by position.
    earlier: BTreeMap<u64, Delivery>,
    in_hand: Arc<InHand>,
    saved_watermark: u64,
    workers: [Option<Worker>; lanes::LANES],
    acknowledge: Sender<u64>,
    acknowledged: Receiver<u64>,
}

impl<'a> Dispatcher<'a> {
    fn start(runtime: &'a Runtime) -> Result<Self, SubscriptionError> {
        let mut instance = Instance::start(runtime)?;
        let query = instance.query()?;
        runtime.status.reads(&query);
        let watermark = progress::last_position(instance.connection())?;
        let completed = progress::completed(instance.connection())?;
        let (in_hand, interrupted) = InHand::open(&runtime.files.database.with_extension("lanes"))?;
        let interrupted = interrupted
            .into_iter()
            .filter(|position| *position > watermark && !completed.contains(position));
        let earlier = earlier(instance.connection(), interrupted.collect())?;
        runtime.parking.queued();
        runtime.status.recovered(0);
        runtime.status.advanced(watermark);
        let (acknowledge, acknowledged) = channel();
        Ok(Self {
            runtime,
            instance,
            query,
            window: Window::starting_at(watermark),
            completed,
            earlier,
            in_hand: Arc::new(in_hand),
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
            if self.runtime.parking.take_queued() {
                self.deliver_parked()?;
            }
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
        self.runtime.parking.forget();
        self.in_hand.clear()?;
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
        let Runtime { stop, parking, .. } = self.runtime;
        let first = Cell::new(None);
        log.wait_beyond(beyond, &|| {
            first.set(first.get().or_else(|| self.acknowledged.try_recv().ok()));
            first.get().is_some() || stop.is_set() || parking.has_queued()
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
        self.window.begin(position);
        let delivery = self.earlier.remove(&position);
        let delivery = delivery.unwrap_or(Delivery::InOrder {
            attempts: 0,
            interrupted: false,
        });
        self.hand_over(event, delivery)
    }

    /// Hands every queued event to its lane, out of order.
    fn deliver_parked(&mut self) -> Result<(), SubscriptionError> {
        let log = self.runtime.services.log.clone();
        for position in failed::queued(self.instance.connection())? {
            let mut reader = log.read(&self.query, position.saturating_sub(1), position);
            match reader.next_batch(1)?.pop() {
                Some(event) => self.hand_over(event, Delivery::Parked)?,
                None => {
                    let error = "this version of the module does not ask for the event";
                    failed::failed_again(self.instance.connection(), position, error)?;
                    self.runtime.parking.delivered();
                }
            }
        }
        Ok(())
    }

    /// Hands an event to its lane. One whose key the module crashes on blocks the lane of those
    /// without a key, as one that it cannot handle there, and nothing else.
    fn hand_over(
        &mut self,
        event: RecordedEvent,
        delivery: Delivery,
    ) -> Result<(), SubscriptionError> {
        let (lane, ask_for_key) = match self.instance.partition_key(&event) {
            Ok(key) => (lane_of(key.as_deref()), false),
            Err(_) => {
                // After a crash an instance must not be called again.
                self.instance = Instance::start(self.runtime)?;
                (lane_of(None), true)
            }
        };
        let worker = match &mut self.workers[lane] {
            Some(worker) => worker,
            none => none.insert(Worker::start(
                self.runtime.clone(),
                lane,
                Arc::clone(&self.in_hand),
                self.acknowledge.clone(),
            )?),
        };
        worker.hand_over(Job {
            event,
            delivery,
            ask_for_key,
        });
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
            let connection = self.instance.connection();
            progress::save_watermark(connection, watermark)?;
            if let Some(event_id) = self.runtime.services.log.id_at(watermark)? {
                progress::save_landmark(connection, watermark, event_id)?;
            }
            self.saved_watermark = watermark;
        }
        Ok(())
    }
}

impl Drop for Dispatcher<'_> {
    fn drop(&mut self) {
        // The lanes are waited for: one that tries an event again and again would take forever.
        self.runtime.stop.end_run();
    }
}

/// How often events failed before this run. What was in hand when a host ended failed by that.
fn earlier(
    connection: &Connection,
    mut interrupted: BTreeSet<u64>,
) -> rusqlite::Result<BTreeMap<u64, Delivery>> {
    failed::recover(connection, INTERRUPTED)?;
    let mut earlier = BTreeMap::new();
    for event in failed::all_retrying(connection)? {
        let interrupted = interrupted.remove(&event.position);
        earlier.insert(
            event.position,
            Delivery::InOrder {
                attempts: event.attempts + u32::from(interrupted),
                interrupted,
            },
        );
    }
    let first = Delivery::InOrder {
        attempts: 1,
        interrupted: true,
    };
    earlier.extend(interrupted.into_iter().map(|position| (position, first)));
    Ok(earlier)
}
