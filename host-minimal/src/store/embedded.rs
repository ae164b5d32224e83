//! UmaDB inside the host: one file, one writer thread, group commit.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::JoinHandle;

use umadb_core::db::{
    UmaDb, clone_dcb_error, is_integrity_error, is_invalid_argument_error, process_append_request,
};
use umadb_core::mvcc::{Mvcc, StorageOptions, Writer};
use umadb_dcb::{
    DcbAppendCondition, DcbError, DcbEvent, DcbEventStoreSync, DcbQuery, DcbReadResponseSync,
    DcbResult, TrackingInfo,
};

use crate::{data_dir, limits};

/// An UmaDB database that this process alone has open.
///
/// Reads run on the caller's thread. Appends go to one writer thread that commits what has queued
/// up during the previous commit at once: two fsyncs for all of them.
///
/// The writer stops for good at the first failure that is not the request's own fault. After a
/// failed fsync nobody knows which pages the kernel still holds, so no later commit may claim to
/// be durable (the writer thread that comes with `umadb-core` carries on, which is why it is not
/// used here).
pub struct EmbeddedStore {
    database: UmaDb,
    /// Absent once the store is closed.
    writer: Mutex<Option<WriterHandle>>,
    failure: Arc<OnceLock<String>>,
}

struct WriterHandle {
    requests: SyncSender<Request>,
    thread: JoinHandle<()>,
}

struct Request {
    events: Vec<DcbEvent>,
    condition: Option<DcbAppendCondition>,
    tracking_info: Option<TrackingInfo>,
    answer: SyncSender<DcbResult<u64>>,
}

/// Why an embedded store did not open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has the file open.
    #[error(
        "another process has the event store {} open: stop it, or use another data directory",
        path.display()
    )]
    InUse {
        /// The store's file.
        path: PathBuf,
    },
    /// The file could not be created, locked or cleaned up.
    #[error("the event store {} could not be opened", path.display())]
    Io {
        /// The file concerned.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// The file is not an UmaDB database, or not a whole one.
    #[error("{} is not an event store that can be read: restore it from a backup", path.display())]
    Database {
        /// The store's file.
        path: PathBuf,
        /// UmaDB's reason.
        #[source]
        source: DcbError,
    },
}

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EmbeddedStore")
            .field("path", &self.database.mvcc.db_path)
            .field("failure", &self.failure.get())
            .finish_non_exhaustive()
    }
}

impl EmbeddedStore {
    /// Opens the database at `path`, and creates it where there is none. The directory must
    /// exist. UmaDB prints a few lines about the file to standard output.
    ///
    /// # Errors
    ///
    /// Another process has it open, it is damaged, or the operating system refuses.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        create(path)?;
        refuse_if_locked(path)?;
        let mvcc = Arc::new(mvcc(path)?);
        let database = |source| OpenError::Database {
            path: path.to_owned(),
            source,
        };
        let writer = mvcc.writer().map_err(database)?;
        let failure = Arc::new(OnceLock::new());
        let (requests, queue) = mpsc::sync_channel(limits::STORE_QUEUE_APPENDS);
        let writing = (Arc::clone(&mvcc), Arc::clone(&failure));
        let thread = std::thread::Builder::new()
            .name("umari-store".to_owned())
            .spawn(move || write(&writing.0, writer, &queue, &writing.1))
            .map_err(|source| OpenError::Io {
                path: path.to_owned(),
                source,
            })?;
        let writer = Mutex::new(Some(WriterHandle { requests, thread }));
        Ok(Self {
            database: UmaDb::from_arc(mvcc),
            writer,
            failure,
        })
    }

    /// Takes no more appends, and returns when those that it took are answered. Reads go on; the
    /// file stays locked until the store is dropped.
    pub fn close(&self) {
        let Some(WriterHandle { requests, thread }) = self.writer().take() else {
            return;
        };
        // The writer ends when the last sender is gone and the queue is empty.
        drop(requests);
        if thread.join().is_err() {
            tracing::error!("the event store's writer had panicked before it was closed");
        }
    }

    fn writer(&self) -> MutexGuard<'_, Option<WriterHandle>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer for a request that the writer certainly did not look at.
    fn not_accepted(&self) -> DcbError {
        match self.failure.get() {
            Some(reason) => refusal(reason),
            None => DcbError::InternalError("the store's writer has stopped".to_owned()),
        }
    }
}

impl Drop for EmbeddedStore {
    fn drop(&mut self) {
        self.close();
    }
}

impl DcbEventStoreSync for EmbeddedStore {
    fn read(
        &self,
        query: Option<DcbQuery>,
        start: Option<u64>,
        backwards: bool,
        limit: Option<u32>,
    ) -> DcbResult<Box<dyn DcbReadResponseSync + Send + 'static>> {
        self.database.read(query, start, backwards, limit)
    }

    fn head(&self) -> DcbResult<Option<u64>> {
        self.database.head()
    }

    fn get_tracking_info(&self, source: &str) -> DcbResult<Option<u64>> {
        self.database.get_tracking_info(source)
    }

    /// Answers [`DcbError::InitializationError`] for what was not accepted and so not written.
    fn append(
        &self,
        events: Vec<DcbEvent>,
        condition: Option<DcbAppendCondition>,
        tracking_info: Option<TrackingInfo>,
    ) -> DcbResult<u64> {
        let requests = match &*self.writer() {
            Some(handle) => handle.requests.clone(),
            None => {
                return Err(DcbError::InitializationError(
                    "the store is closed".to_owned(),
                ));
            }
        };
        let (answer, answered) = mpsc::sync_channel(1);
        let sent = requests.send(Request {
            events,
            condition,
            tracking_info,
            answer,
        });
        drop(requests);
        if sent.is_err() {
            return Err(self.not_accepted());
        }
        // The writer answers everything that it looks at. Without an answer it has failed before
        // it came to this request, or it panicked over it.
        answered.recv().unwrap_or_else(|_| Err(self.not_accepted()))
    }
}

/// Makes sure that there is a whole database at `path`.
///
/// UmaDB writes a new file in several steps, and cannot open one that a crash left between them.
/// So it is made under another name, which is cleaned up here after a crash, and gets its own
/// when all of it is on disk. The caller holds the data directory's lock.
fn create(path: &Path) -> Result<(), OpenError> {
    let unfinished = unfinished(path);
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Io { path, source }
    };
    match fs::remove_file(&unfinished) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            return Err(OpenError::Io {
                path: unfinished,
                source,
            });
        }
        _ => {}
    }
    if path.try_exists().map_err(io(path))? {
        return Ok(());
    }
    // Nothing was there to be damaged: whatever fails now, the operating system refuses.
    let made = mvcc(&unfinished).map_err(|error| match error {
        OpenError::Database { path, source } => OpenError::Io {
            path,
            source: io::Error::other(source),
        },
        other => other,
    })?;
    drop(made);
    File::open(&unfinished)
        .and_then(|file| file.sync_all())
        .map_err(io(&unfinished))?;
    fs::rename(&unfinished, path).map_err(io(path))?;
    data_dir::sync_directory_of(path).map_err(io(path))
}

/// Where a database lies until it is whole.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// UmaDB takes the same lock, but its error looks like all its others.
fn refuse_if_locked(path: &Path) -> Result<(), OpenError> {
    let io = |source| OpenError::Io {
        path: path.to_owned(),
        source,
    };
    match File::open(path).map_err(io)?.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse {
            path: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(io(source)),
    }
}

fn mvcc(path: &Path) -> Result<Mvcc, OpenError> {
    let options = StorageOptions::default()
        .db_path(path)
        .page_cache_max_mb(limits::STORE_CACHE_MB)
        .pipelined_writer(false);
    Mvcc::new(false, options).map_err(|source| OpenError::Database {
        path: path.to_owned(),
        source,
    })
}

/// The writer thread.
fn write(mvcc: &Mvcc, mut writer: Writer, queue: &Receiver<Request>, failure: &OnceLock<String>) {
    while let Ok(first) = queue.recv() {
        let Err(error) = write_batch(mvcc, &mut writer, first, queue) else {
            continue;
        };
        let reason = error.to_string();
        tracing::error!(%reason, "the event store failed and takes no more events");
        // In this order: whoever finds the queue gone must find the reason.
        let reason = failure.get_or_init(|| reason);
        while let Ok(request) = queue.try_recv() {
            let _ = request.answer.send(Err(refusal(reason)));
        }
        return;
    }
}

/// Writes the first request and those that wait behind it in one commit, and answers them.
///
/// # Errors
///
/// What makes the store unfit for use. Every request of the batch has got that answer too.
fn write_batch(
    mvcc: &Mvcc,
    writer: &mut Writer,
    first: Request,
    queue: &Receiver<Request>,
) -> DcbResult<()> {
    let mut batch = Vec::new();
    let mut events = 0;
    let mut outcome = writer.reset(mvcc);
    let mut next = Some(first);
    while let Some(request) = next.take() {
        events += request.events.len();
        let result = match &outcome {
            Ok(()) => process_append_request(
                request.events,
                request.condition,
                request.tracking_info,
                mvcc,
                writer,
                None,
            ),
            Err(error) => Err(clone_dcb_error(error)),
        };
        if let Err(error) = &result
            && !is_integrity_error(error)
            && !is_invalid_argument_error(error)
        {
            outcome = Err(clone_dcb_error(error));
        }
        batch.push((request.answer, result));
        if outcome.is_ok() && events < limits::STORE_BATCH_EVENTS {
            next = queue.try_recv().ok();
        }
    }
    // A request that is refused has changed nothing, so a batch of them needs no fsync.
    if outcome.is_ok() && batch.iter().any(|(_, result)| result.is_ok()) {
        outcome = mvcc.commit(writer);
    }
    for (answer, result) in batch {
        // Nobody listens any more where the caller's thread is gone.
        let _ = answer.send(match &outcome {
            Ok(()) => result,
            Err(error) => Err(clone_dcb_error(error)),
        });
    }
    outcome
}

fn refusal(reason: &str) -> DcbError {
    DcbError::InitializationError(format!("it failed earlier ({reason}), nothing was written"))
}
