//! Projectors: events in position order, exactly once over their own file.

use std::sync::atomic::Ordering;

use tracing::field::Empty;

use self::batches::Batches;
use super::Runtime;
use super::backoff::Backoff;
use super::instance::{Instance, SubscriptionError};
use super::progress;
use super::status::{Failure, Phase};
use super::trouble::Trouble;
use crate::capabilities::sqlite::run_cached;
use crate::limits;
use crate::store::{Query, RecordedEvent};

mod batches;

/// How far the position in memory may run ahead of the one on disk while nothing matches.
const UNSAVED_POSITIONS: u64 = 1_000;

/// Runs until asked to stop; starts anew after each failure and each hold.
pub(super) fn run(runtime: &Runtime) {
    let settings = &runtime.services.settings;
    let mut backoff = Backoff::new(settings.retry_base, settings.retry_cap);
    while runtime.may_run() {
        let Err(failed) = follow(runtime) else {
            continue;
        };
        let place = failed.event.as_ref().map_or(0, |event| event.position);
        let (attempts, pause) = backoff.failed(place);
        let trouble = Trouble::from(&failed.error);
        tracing::warn!(
            projector = %runtime.module.name(),
            position = place,
            attempts,
            "projector failed, trying again in {pause:?}: {}",
            trouble.message
        );
        let failure = Failure::new(trouble, failed.event.as_deref(), attempts, pause);
        runtime.status.failed(Phase::Retrying, failure);
        runtime.stop.pause(pause);
    }
}

/// What stopped a projector, and at which event.
pub(super) struct Failed {
    pub(super) error: SubscriptionError,
    pub(super) event: Option<Box<RecordedEvent>>,
}

impl<E: Into<SubscriptionError>> From<E> for Failed {
    fn from(error: E) -> Self {
        Self {
            error: error.into(),
            event: None,
        }
    }
}

/// Starts an instance and follows the log until asked to stop.
fn follow(runtime: &Runtime) -> Result<(), Failed> {
    let mut instance = Instance::start(runtime)?;
    let query = instance.query()?;
    runtime.status.reads(&query);
    progress::save_writer(instance.connection(), runtime.module.version())?;
    runtime.status.recovered(0);
    let mut position = progress::last_position(instance.connection())?;
    let mut saved = position;
    runtime.status.advanced(position);
    let log = &runtime.services.log;
    while !runtime.stop.is_set() {
        let head = log.head()?;
        if position < head {
            runtime.status.enter(Phase::CatchingUp, head);
            let before = position;
            position = catch_up(runtime, &mut instance, &query, before, head, &mut saved)?;
            if saved + UNSAVED_POSITIONS <= position {
                progress::save_position(instance.connection(), position)?;
                saved = position;
            }
        } else {
            runtime.status.enter(Phase::Live, head);
            log.wait_beyond(position, &|| runtime.stop.is_set());
        }
    }
    if saved < position {
        progress::save_position(instance.connection(), position)?;
    }
    Ok(())
}

/// Handles what lies between `position` and `head`, in batches; the new position.
pub(super) fn catch_up(
    runtime: &Runtime,
    instance: &mut Instance,
    query: &Query,
    mut position: u64,
    head: u64,
    saved: &mut u64,
) -> Result<u64, Failed> {
    let mut batches = Batches::new(runtime.services.log.read(query, position, head));
    while !runtime.stop.is_set() {
        let one_by_one = position < runtime.one_by_one.load(Ordering::Relaxed);
        let most = if one_by_one {
            1
        } else {
            limits::PROJECTOR_BATCH_EVENTS
        };
        if !one_by_one && head - position > limits::PROJECTOR_BATCH_EVENTS as u64 {
            batches = batches.read_ahead().map_err(SubscriptionError::Thread)?;
        }
        let batch = batches.next(most)?;
        let Some(last) = batch.last() else {
            // Nothing more matches, so everything up to the head is handled.
            runtime.status.advanced(head);
            return Ok(head);
        };
        position = last.position;
        handle_batch(runtime, instance, batch)?;
        *saved = position;
    }
    Ok(position)
}

/// Handles a batch in one transaction that also moves the position. On a failure everything
/// before the failing event is committed. Its span says up to which position that is.
fn handle_batch(
    runtime: &Runtime,
    instance: &mut Instance,
    batch: Vec<RecordedEvent>,
) -> Result<(), Failed> {
    let span = tracing::info_span!(
        "batch",
        projector = %runtime.module.name(),
        events = batch.len(),
        position = Empty,
    )
    .entered();
    instance.connection().execute_batch("BEGIN IMMEDIATE")?;
    let mut handled: Option<RecordedEvent> = None;
    let mut failed = None;
    for event in batch {
        runtime.status.begun(event.position);
        run_cached(instance.connection(), "/*umari*/ SAVEPOINT umari_event")?;
        match instance.handle(&event) {
            Ok(()) => {
                run_cached(instance.connection(), "/*umari*/ RELEASE umari_event")?;
                runtime.status.handled(event.position);
                handled = Some(event);
            }
            Err(error) => {
                let position = event.position;
                let event = Some(Box::new(event));
                if instance.connection().is_autocommit() {
                    // SQLite has undone the whole batch. What stands before this event is handled
                    // again, one by one, and kept.
                    runtime.one_by_one.store(position, Ordering::Relaxed);
                    return Err(Failed { error, event });
                }
                instance
                    .connection()
                    .execute_batch("ROLLBACK TO umari_event; RELEASE umari_event")?;
                failed = Some(Failed { error, event });
                break;
            }
        }
    }
    if let Some(event) = &handled {
        progress::save_landmark(instance.connection(), event.position, event.id)?;
        progress::save_position(instance.connection(), event.position)?;
    }
    instance.connection().execute_batch("COMMIT")?;
    if let Some(event) = handled {
        span.record("position", event.position);
        runtime.status.advanced(event.position);
    }
    failed.map_or(Ok(()), Err)
}
