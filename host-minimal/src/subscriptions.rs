//! Modules that follow the log: projectors and effects.
//!
//! Each active one has a thread that reads what its query matches, in position order, and a
//! watermark in its own SQLite file that says how far it has come. The watermark moves in the
//! same transaction as the rows that it vouches for.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use crate::capabilities::output::Output;
use crate::modules::ModuleKind;
use crate::modules::component::{LoadedModule, Services};

mod backoff;
mod database;
pub(crate) mod effect;
mod instance;
pub(crate) mod last_failure;
pub(crate) mod progress;
mod projector;
mod rate;
pub(crate) mod rebuild;
mod status;
mod stop;
pub(crate) mod trial;
mod trouble;

pub use self::effect::failed::{FailedEvent, FailedState};
pub use self::effect::operating::{ParkError, ParkOutcome, RetryOutcome};
pub(crate) use self::progress::last_position;
pub use self::status::{Failure, Phase, SubscriptionStatus};

use self::effect::operating::EffectHandle;
use self::effect::parking::Parking;
use self::last_failure::LastFailure;
use self::status::StatusBoard;
use self::stop::Stop;

/// The files of one module.
#[derive(Debug, Clone)]
pub(crate) struct ModuleFiles {
    pub(crate) database: PathBuf,
    pub(crate) log: PathBuf,
}

/// What a running subscription works with.
#[derive(Clone)]
struct Runtime {
    module: LoadedModule,
    services: Services,
    files: ModuleFiles,
    output: Output,
    status: Arc<StatusBoard>,
    stop: Arc<Stop>,
    parking: Arc<Parking>,
    /// Where the module begins that has no position yet: behind this one.
    first_position: u64,
    /// Up to here a projector handles one event in each transaction, since one of them took those
    /// of others with it.
    one_by_one: Arc<AtomicU64>,
}

/// How a subscription starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Starting {
    /// Everything up to here is known to be handled, so who asks at once is not told less.
    pub(crate) position: Option<u64>,
    /// An operator paused it, so it waits at once.
    pub(crate) paused: bool,
    /// Where it begins that has no position yet: behind this one.
    pub(crate) first_position: u64,
}

/// A running projector or effect.
pub(crate) struct Subscription {
    runtime: Runtime,
    thread: Option<JoinHandle<()>>,
}

impl Subscription {
    /// Starts the thread of a projector or an effect.
    pub(crate) fn start(
        module: LoadedModule,
        services: Services,
        files: ModuleFiles,
        starting: Starting,
    ) -> io::Result<Self> {
        let allowance = module.allowance(&services.settings).output;
        let output = services.outputs.logged(&files.log, allowance);
        let output = output.tapped(services.tap(&module));
        let last_failure = LastFailure::beside(&files.database);
        let runtime = Runtime {
            module,
            services,
            files,
            output,
            status: Arc::new(StatusBoard::keeping(last_failure)),
            stop: Arc::default(),
            parking: Arc::default(),
            first_position: starting.first_position,
            one_by_one: Arc::default(),
        };
        let status = Arc::downgrade(&runtime.status);
        runtime.services.outputs.purge_too(status.clone());
        runtime.services.shredder.runs(&runtime.module, status);
        // Noted before anyone may think that it runs, so that it misses nothing from here on.
        if starting.first_position > 0
            && let Err(error) = progress::begin_at(&runtime.files.database, starting.first_position)
        {
            let (kind, name) = (runtime.module.kind(), runtime.module.name());
            tracing::warn!(
                "{kind} {name} could not note where it begins, and tries again: {error}"
            );
        }
        if starting.paused {
            runtime.stop.hold();
            runtime.status.paused();
        }
        let position = match starting.position {
            None if starting.paused => progress::stored_position(&runtime.files.database),
            position => position,
        };
        if let Some(position) = position {
            runtime.status.advanced(position);
        }
        let thread = std::thread::Builder::new()
            .name(format!(
                "{}-{}",
                runtime.module.kind(),
                runtime.module.name()
            ))
            .spawn({
                let runtime = runtime.clone();
                move || {
                    let ended = Ended(Arc::clone(&runtime.stop), Arc::clone(&runtime.status));
                    match runtime.module.kind() {
                        ModuleKind::Effect => effect::run(&runtime),
                        _ => projector::run(&runtime),
                    }
                    drop(ended);
                }
            })?;
        Ok(Self {
            runtime,
            thread: Some(thread),
        })
    }

    pub(crate) fn status(&self) -> SubscriptionStatus {
        let mut status = self.runtime.status.snapshot();
        if self.runtime.stop.is_held() && status.phase != Phase::Paused {
            status.phase = Phase::Pausing;
        }
        status
    }

    /// Lets the module come to rest after the event that it handles.
    pub(crate) fn pause(&self) {
        self.runtime.stop.hold();
        self.runtime.services.log.wake();
    }

    /// Lets a paused module go on where it stood.
    pub(crate) fn resume(&self) {
        self.runtime.stop.release();
    }

    /// A hold on it, where it is an effect.
    pub(crate) fn effect(&self) -> Option<EffectHandle> {
        let is_effect = self.runtime.module.kind() == ModuleKind::Effect;
        is_effect.then(|| EffectHandle {
            runtime: self.runtime.clone(),
        })
    }

    /// Where the subscription is, as it moves: `None` until it has started. The channel ends with
    /// the subscription.
    pub(crate) fn moved(&self) -> watch::Receiver<Option<u64>> {
        self.runtime.status.moved()
    }

    /// What the module printed last.
    pub(crate) fn output(&self) -> String {
        self.runtime.output.tail(str::to_owned)
    }

    /// Where the module prints.
    pub(crate) fn shared_output(&self) -> Output {
        self.runtime.output.clone()
    }

    /// The module that runs.
    pub(crate) fn module(&self) -> &LoadedModule {
        &self.runtime.module
    }

    /// Shows that the subscription, which has ended, stands still for its read model to be replaced.
    pub(crate) fn show_switching(&self) {
        let position = self.status().position;
        self.runtime.status.enter(Phase::Switching, position);
    }

    /// Asks the thread to end after the event that it handles.
    pub(crate) fn ask_to_stop(&self) {
        self.runtime.stop.set();
        self.runtime.services.log.wake();
    }

    /// What tells, without the subscription at hand, that its thread has ended.
    pub(crate) fn end(&self) -> End {
        End(Arc::clone(&self.runtime.stop))
    }

    /// Waits until the thread has ended, for `patience` at most; whether it did.
    ///
    /// A thread that is left behind holds its event until the process ends; the event is
    /// delivered again after the next start.
    pub(crate) fn wait_stopped(&mut self, patience: Duration) -> bool {
        if !self.runtime.stop.wait_ended(patience) {
            return false;
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        true
    }
}

impl Runtime {
    /// Waits while the module is paused; whether it may run then.
    fn may_run(&self) -> bool {
        self.stop.may_run(|| self.status.paused())
    }
}

/// The end of a subscription's thread.
pub(crate) struct End(Arc<Stop>);

impl End {
    /// Waits for it, for `patience` at most; whether it came.
    pub(crate) fn wait(&self, patience: Duration) -> bool {
        self.0.wait_ended(patience)
    }
}

/// Says that a thread has ended, however it ended.
struct Ended(Arc<Stop>, Arc<StatusBoard>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.1.stopped();
        self.0.ended();
    }
}
