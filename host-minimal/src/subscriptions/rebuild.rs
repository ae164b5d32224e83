//! A read model that is built beside the one that is read, from the first event on.
//!
//! It is the module's own code that runs, in the way in which it follows the log, into a file that
//! nobody reads. Nothing is retried: whoever asked for the file is told why there is none.

use std::path::PathBuf;
use std::sync::Arc;

use super::instance::Instance;
use super::projector::{self, Failed};
use super::status::StatusBoard;
use super::stop::Stop;
use super::{ModuleFiles, Runtime, progress};
use crate::capabilities::output::Output;
use crate::modules::component::{LoadedModule, Services};
use crate::replay::ReplayFailure;
use crate::report::chain;
use crate::store::Query;

/// A projector and the file that it is to fill. Clones are handles to the same one.
#[derive(Clone)]
pub(crate) struct Rebuild {
    runtime: Runtime,
}

impl Rebuild {
    /// Nothing happens before [`start`](Self::start). What the module prints goes to `output`.
    pub(crate) fn new(
        module: LoadedModule,
        services: Services,
        database: PathBuf,
        output: Output,
    ) -> Self {
        let files = ModuleFiles {
            database,
            log: PathBuf::new(),
        };
        Self {
            runtime: Runtime {
                module,
                services,
                files,
                output,
                status: Arc::<StatusBoard>::default(),
                stop: Arc::<Stop>::default(),
                parking: Arc::default(),
                first_position: 0,
                one_by_one: Arc::default(),
            },
        }
    }

    /// Opens the file, which may have been begun before, and starts the module on it.
    pub(crate) fn start(&self) -> Result<Rebuilding<'_>, ReplayFailure> {
        Ok(self.open()?)
    }

    fn open(&self) -> Result<Rebuilding<'_>, Failed> {
        let mut instance = Instance::start(&self.runtime)?;
        let query = instance.query()?;
        progress::save_writer(instance.connection(), self.module().version())?;
        let position = progress::last_position(instance.connection())?;
        self.runtime.status.advanced(position);
        Ok(Rebuilding {
            runtime: &self.runtime,
            instance,
            query,
            position,
            saved: position,
        })
    }

    pub(crate) fn module(&self) -> &LoadedModule {
        &self.runtime.module
    }

    pub(crate) fn database(&self) -> &PathBuf {
        &self.runtime.files.database
    }

    /// Everything up to here is handled.
    pub(crate) fn position(&self) -> u64 {
        self.runtime.status.snapshot().position
    }

    /// Ends it after the event that it handles.
    pub(crate) fn ask_to_stop(&self) {
        self.runtime.stop.set();
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.runtime.stop.is_set()
    }
}

/// A projector at work on its file.
pub(crate) struct Rebuilding<'a> {
    runtime: &'a Runtime,
    instance: Instance,
    query: Query,
    position: u64,
    saved: u64,
}

impl Rebuilding<'_> {
    /// Handles everything up to `until`, or less when it is asked to stop.
    pub(crate) fn catch_up(&mut self, until: u64) -> Result<(), ReplayFailure> {
        if self.position < until {
            self.position = projector::catch_up(
                self.runtime,
                &mut self.instance,
                &self.query,
                self.position,
                until,
                &mut self.saved,
            )?;
        }
        Ok(())
    }

    /// Everything up to here is handled.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Closes the file. It says how far it has come, matching events or not.
    pub(crate) fn finish(self) -> Result<(), ReplayFailure> {
        if self.saved < self.position {
            progress::save_position(self.instance.connection(), self.position)
                .map_err(Failed::from)?;
        }
        Ok(())
    }
}

impl From<Failed> for ReplayFailure {
    fn from(failed: Failed) -> Self {
        let event = failed.event.as_deref();
        Self {
            message: chain(&failed.error),
            position: event.map(|event| event.position),
            event_id: event.map(|event| event.id),
            event_type: event.map(|event| event.event_type.clone()),
        }
    }
}
