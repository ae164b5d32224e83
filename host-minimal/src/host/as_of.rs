//! Read models of the past, as files.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tokio::sync::OwnedSemaphorePermit;
use uuid::Uuid;

use super::Host;
use crate::capabilities::output::Output;
use crate::modules::{ModuleKind, ModuleName};
use crate::replay::side_file::{self, FileError};
use crate::replay::{AsOfError, ReplayError, ReplayFailure, Until};
use crate::subscriptions::rebuild::Rebuild;

/// What a read model said at some time: a database in a file that has no name any more.
#[derive(Debug)]
pub struct PastReadModel {
    /// The database, to be read from its beginning.
    pub file: File,
    /// Its size.
    pub bytes: u64,
    /// It knows everything up to here, and nothing behind it.
    pub position: u64,
    /// Held as long as the file takes room on the disk.
    pub(crate) room: OwnedSemaphorePermit,
}

impl Host {
    /// Builds what the active version of a projector makes of the log up to and including `until`.
    /// Runs what blocks on Tokio's threads for that, so it needs a Tokio runtime. When the future
    /// is dropped, the work ends.
    ///
    /// # Errors
    ///
    /// See [`AsOfError`].
    pub async fn read_model_as_of(
        &self,
        projector: &ModuleName,
        until: Until,
    ) -> Result<PastReadModel, AsOfError> {
        let room = Arc::clone(&self.inner.pasts).try_acquire_owned();
        let room = room.map_err(|_| AsOfError::Busy)?;
        let (host, name) = (self.clone(), projector.clone());
        let begun = tokio::task::spawn_blocking(move || host.begin_as_of(&name, until));
        let (rebuild, position) = begun.await.unwrap_or_else(|error| Err(bug(&error)))?;
        let stop = StopWhenDropped(rebuild.clone());
        let built = tokio::task::spawn_blocking(move || build(&rebuild, position));
        let file = built.await.unwrap_or_else(|error| Err(bug(&error)));
        drop(stop);
        let (file, bytes) = file?;
        Ok(PastReadModel {
            file,
            bytes,
            position,
            room,
        })
    }

    fn begin_as_of(&self, name: &ModuleName, until: Until) -> Result<(Rebuild, u64), AsOfError> {
        let inner = &self.inner;
        let (module, _) = inner.running(ModuleKind::Projector, name)?;
        let log = &inner.services.log;
        let head = log.head().map_err(ReplayError::from)?;
        let position = until.position(log, head).map_err(ReplayError::from)?;
        let position = position.ok_or(AsOfError::BeyondHead { until, head })?;
        let path = inner.data_dir.as_of();
        let path = path.join(format!("{}.sqlite", Uuid::now_v7()));
        // What it prints is no news of the module that runs.
        let allowance = module.allowance(&inner.services.settings);
        let output = Output::memory(allowance.output);
        let rebuild = Rebuild::new(module, inner.services.clone(), path, output);
        Ok((rebuild, position))
    }
}

/// Ends the work when nobody waits for it any more.
struct StopWhenDropped(Rebuild);

impl Drop for StopWhenDropped {
    fn drop(&mut self) {
        self.0.ask_to_stop();
    }
}

fn bug(error: &tokio::task::JoinError) -> AsOfError {
    tracing::error!("a read model of the past ended in a bug of the host: {error}");
    AsOfError::Failed(ReplayFailure::new("the host has a bug; its log says more"))
}

/// Fills the file and opens it. Its name is gone when this returns, whatever happened.
fn build(rebuild: &Rebuild, position: u64) -> Result<(File, u64), AsOfError> {
    let path = rebuild.database();
    let built = fill(rebuild, position)
        .and_then(|()| open(path).map_err(|source| ReplayFailure::of(&source)));
    side_file::remove(path);
    built.map_err(AsOfError::Failed)
}

fn fill(rebuild: &Rebuild, position: u64) -> Result<(), ReplayFailure> {
    let mut rebuilding = rebuild.start()?;
    rebuilding.catch_up(position)?;
    if rebuilding.position() < position {
        // Nobody is there to hear it.
        return Err(ReplayFailure::new("it was given up"));
    }
    rebuilding.finish()
}

/// Makes one file of the database, without a log beside it, so that it can be taken anywhere.
fn open(path: &Path) -> Result<(File, u64), FileError> {
    let connection = Connection::open(path)?;
    connection.pragma_update(None, "journal_mode", "DELETE")?;
    connection.close().map_err(|(_, error)| error)?;
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    Ok((file, bytes))
}
