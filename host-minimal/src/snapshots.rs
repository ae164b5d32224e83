//! Snapshots of folds: states that stand for the events which led to them.
//!
//! They lie in one file, `snapshots.sqlite`, and are a cache: a state that is missing, damaged or
//! of another log is read anew from the log, and deleting the file changes nothing but time. A state
//! is found by the component that made it with its variables, by what its reader depends on, and by
//! the events that it reads; it stands for every event up to the head of the read that led to it.
//!
//! Calls look states up; one thread writes, from a short queue. What finds no room there is not
//! kept.
//!
//! States hold what encrypted events said. So they are sealed, under a key that lies in the file
//! itself, wrapped by the master key; and each knows the scopes of the events behind it. A shredding
//! deletes those of its scope and rewrites the file. A state that was read before a shredding is
//! not kept after it, and one that grew from a deleted one neither: [`Offer`] says what to compare.

mod counts;
mod file;
mod key;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

pub(crate) use counts::{Counts, Figures};
use file::{Fault, Reading, Sizes, Writing};
pub(crate) use key::{ScopeHash, SnapshotKey, component};

use crate::data_dir;
use crate::keys::KeyRing;
use crate::limits;
use crate::report::chain;
use crate::store::EventLog;

/// A state that was kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    /// The position up to which it stands for its events.
    pub(crate) position: u64,
    /// When the latest event behind it was written, or a later moment; microseconds since 1970.
    pub(crate) latest_micros: i64,
    pub(crate) state: String,
}

/// A state that may be kept.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) key: SnapshotKey,
    /// Whether it grew from one that was kept: only while that is there are its scopes known.
    pub(crate) grown: bool,
    /// The head of the read that led to it.
    pub(crate) position: u64,
    pub(crate) latest_micros: i64,
    /// The scopes of the encrypted events that were read for it, since the one that it grew from.
    pub(crate) scopes: BTreeSet<ScopeHash>,
    /// [`Snapshots::shreddings`] before the first of them was read.
    pub(crate) shreddings: u64,
    pub(crate) state: String,
}

/// The snapshots of one host. Clones are handles to the same.
#[derive(Clone, Default)]
pub(crate) struct Snapshots {
    inner: Option<Arc<Inner>>,
}

struct Inner {
    cache: Arc<Cache>,
    queue: Mutex<Option<SyncSender<Task>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

/// What the writer and the callers share.
struct Cache {
    path: PathBuf,
    keys: Arc<KeyRing>,
    log: EventLog,
    /// `None` where the file cannot be used. Taken before `reading` where both are needed.
    writing: Mutex<Option<Writing>>,
    reading: Mutex<Option<Reading>>,
    counts: Counts,
    sizes: Sizes,
}

enum Task {
    Keep(Box<Offer>),
    /// It was of use, so others leave before it.
    Used(SnapshotKey),
    #[cfg(test)]
    Done(SyncSender<()>),
}

impl std::fmt::Debug for Snapshots {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = self.inner.as_ref().map(|inner| &inner.cache.path);
        f.debug_struct("Snapshots").field("path", &path).finish()
    }
}

impl Snapshots {
    /// Keeps nothing, and finds nothing.
    pub(crate) fn none() -> Self {
        Self::default()
    }

    /// Opens the file at `path`. One that is missing, damaged, sealed under another master key or
    /// of another log than `log` becomes an empty one.
    pub(crate) fn open(path: &Path, keys: Arc<KeyRing>, log: EventLog) -> Self {
        Self::with_sizes(path, keys, log, Sizes::REAL)
    }

    fn with_sizes(path: &Path, keys: Arc<KeyRing>, log: EventLog, sizes: Sizes) -> Self {
        let cache = Arc::new(Cache {
            path: path.to_owned(),
            keys,
            log,
            writing: Mutex::default(),
            reading: Mutex::default(),
            counts: Counts::default(),
            sizes,
        });
        cache.open();
        let (queue, tasks) = sync_channel(limits::SNAPSHOT_QUEUE_STATES);
        let writer = {
            let cache = Arc::clone(&cache);
            let name = "snapshots".to_owned();
            thread::Builder::new()
                .name(name)
                .spawn(move || cache.write(&tasks))
        };
        if let Err(error) = &writer {
            tracing::warn!("no snapshots are kept: no thread could be started: {error}");
        }
        Self {
            inner: Some(Arc::new(Inner {
                cache,
                queue: Mutex::new(Some(queue)),
                writer: Mutex::new(writer.ok()),
            })),
        }
    }

    /// The state that was kept under `key` last.
    pub(crate) fn find(&self, key: &SnapshotKey) -> Option<Found> {
        let inner = self.inner.as_ref()?;
        let found = inner.cache.find(key)?;
        inner.send(Task::Used(*key));
        Some(found)
    }

    /// Keeps a state, soon; or not, where too many wait or it is too large.
    pub(crate) fn offer(&self, offer: Offer) {
        let Some(inner) = &self.inner else { return };
        let fits = offer.state.len() <= limits::SNAPSHOT_STATE_BYTES;
        if !fits || !inner.send(Task::Keep(Box::new(offer))) {
            inner.cache.counts.refused();
        }
    }

    /// How often scopes were shredded: who offers a state says what it was before the first event
    /// behind it was read.
    pub(crate) fn shreddings(&self) -> u64 {
        let inner = self.inner.as_ref();
        inner.map_or(0, |inner| inner.cache.keys.shreddings())
    }

    /// Deletes the states that events of these scopes led to: nobody finds them any more. Their data
    /// keys have been deleted already. The bytes may remain in files until [`forget`](Self::forget)
    /// returns.
    ///
    /// # Errors
    ///
    /// The file can be neither written nor removed.
    pub(crate) fn delete(&self, scopes: &[String]) -> Result<(), String> {
        match &self.inner {
            Some(inner) => inner.cache.forget(|file| file.delete(scopes)),
            None => Ok(()),
        }
    }

    /// Deletes the same, and rewrites the file. When this returns, nothing of the states is in any.
    ///
    /// # Errors
    ///
    /// The file can be neither rewritten nor removed.
    pub(crate) fn forget(&self, scopes: &[String]) -> Result<(), String> {
        match &self.inner {
            Some(inner) => inner.cache.forget(|file| {
                file.delete(scopes)?;
                file.rewrite()
            }),
            None => Ok(()),
        }
    }

    /// Deletes everything, with the key that sealed it.
    ///
    /// # Errors
    ///
    /// The file cannot be removed.
    pub(crate) fn forget_all(&self) -> Result<(), String> {
        let Some(inner) = &self.inner else {
            return Ok(());
        };
        inner.cache.replace()
    }

    /// What was counted, and how much is kept.
    pub(crate) fn figures(&self) -> Figures {
        let inner = self.inner.as_ref();
        inner.map_or_else(Figures::default, |inner| inner.cache.counts.figures())
    }

    /// Counts what became of a lookup.
    pub(crate) fn counts(&self, count: impl FnOnce(&Counts)) {
        if let Some(inner) = &self.inner {
            count(&inner.cache.counts);
        }
    }

    /// Writes what is queued and closes the file.
    pub(crate) fn close(&self) {
        if let Some(inner) = &self.inner {
            inner.close();
        }
    }

    /// Waits until everything that was offered before has been kept or not.
    #[cfg(test)]
    pub(crate) fn settle(&self) {
        let (done, settled) = sync_channel(0);
        let inner = self.inner.as_ref().expect("a file");
        let queue = lock(&inner.queue).clone().expect("it is open");
        queue.send(Task::Done(done)).expect("a writer");
        settled.recv().expect("a writer");
    }
}

impl Inner {
    /// Whether there was room.
    fn send(&self, task: Task) -> bool {
        match lock(&self.queue).as_ref().map(|queue| queue.try_send(task)) {
            Some(Ok(())) => true,
            Some(Err(TrySendError::Full(_) | TrySendError::Disconnected(_))) | None => false,
        }
    }

    fn close(&self) {
        drop(lock(&self.queue).take());
        if let Some(writer) = lock(&self.writer).take()
            && writer.join().is_err()
        {
            tracing::error!("the thread that keeps snapshots has panicked");
        }
        *lock(&self.cache.writing) = None;
        *lock(&self.cache.reading) = None;
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
    }
}

impl Cache {
    fn open(&self) {
        let opened = file::open(&self.path, &self.keys, self.sizes);
        let opened = opened.and_then(|(mut writing, reading)| {
            self.check_log(&mut writing)?;
            Ok((writing, reading))
        });
        match opened {
            Ok((writing, reading)) => self.put(writing, reading),
            Err(fault) => {
                let (path, fault) = (self.path.display(), chain(&fault));
                tracing::warn!("the snapshots in {path} are of no use and begin anew: {fault}");
                if let Err(reason) = self.replace() {
                    tracing::error!("no snapshots are kept: {reason}");
                }
            }
        }
    }

    /// Whether the log still has the last event that the file knows of. Positions and ids are given
    /// once, so one that has it also has everything before it.
    fn check_log(&self, writing: &mut Writing) -> Result<(), Fault> {
        let Some((position, id)) = writing.newest_event()? else {
            return Ok(());
        };
        match self.log.id_at(position) {
            Ok(Some(found)) if found == id => Ok(()),
            _ => Err(Fault::OtherLog { position }),
        }
    }

    fn put(&self, mut writing: Writing, reading: Reading) {
        self.count_kept(&mut writing);
        *lock(&self.writing) = Some(writing);
        *lock(&self.reading) = Some(reading);
    }

    fn count_kept(&self, writing: &mut Writing) {
        if let Ok((entries, bytes)) = writing.size() {
            self.counts.holds(entries, bytes);
        }
    }

    /// Begins an empty file in place of the old one.
    fn replace(&self) -> Result<(), String> {
        let mut writing = lock(&self.writing);
        self.replace_locked(&mut writing)
    }

    fn replace_locked(&self, writing: &mut Option<Writing>) -> Result<(), String> {
        let mut reading = lock(&self.reading);
        (*writing, *reading) = (None, None);
        let cannot = |reason: String| format!("{}: {reason}", self.path.display());
        data_dir::remove_database(&self.path).map_err(|error| cannot(error.to_string()))?;
        let (opened, found) = file::open(&self.path, &self.keys, self.sizes)
            .map_err(|fault| cannot(chain(&fault)))?;
        (*writing, *reading) = (Some(opened), Some(found));
        self.counts.holds(0, 0);
        Ok(())
    }

    fn find(&self, key: &SnapshotKey) -> Option<Found> {
        let found = match &mut *lock(&self.reading) {
            Some(reading) => reading.find(key),
            None => return None,
        };
        match found {
            Ok(found) => found,
            Err(fault) => {
                self.counts.ignored();
                self.trouble("a snapshot cannot be read", &fault);
                None
            }
        }
    }

    /// A damaged file is of no use to anybody; what else is wrong may pass.
    fn trouble(&self, what: &str, fault: &Fault) {
        let path = self.path.display();
        tracing::warn!("{what} in {path}: {}", chain(fault));
        if fault.is_damage()
            && let Err(reason) = self.replace()
        {
            tracing::error!("no snapshots are kept any more: {reason}");
        }
    }

    fn forget(&self, forget: impl FnOnce(&mut Writing) -> Result<(), Fault>) -> Result<(), String> {
        let mut writing = lock(&self.writing);
        let forgotten = match &mut *writing {
            Some(writing) => forget(writing),
            // A file that cannot be used may hold them all the same.
            None => return self.replace_locked(&mut writing),
        };
        match forgotten {
            Ok(()) => {
                if let Some(writing) = &mut *writing {
                    self.count_kept(writing);
                }
                Ok(())
            }
            Err(fault) => {
                let (path, fault) = (self.path.display(), chain(&fault));
                tracing::warn!("{path} cannot be rewritten and begins anew: {fault}");
                self.replace_locked(&mut writing)
            }
        }
    }

    fn write(&self, tasks: &Receiver<Task>) {
        for task in tasks {
            match task {
                Task::Keep(offer) => self.keep(&offer),
                Task::Used(key) => {
                    let used = lock(&self.writing).as_mut().map(|file| file.used(&key));
                    if let Some(Err(fault)) = used {
                        self.trouble("the use of a snapshot cannot be noted", &fault);
                    }
                }
                #[cfg(test)]
                Task::Done(done) => done.send(()).expect("somebody waits"),
            }
        }
    }

    fn keep(&self, offer: &Offer) {
        // Without the event there is no telling later which log this state is of.
        let Ok(Some(event_id)) = self.log.id_at(offer.position) else {
            return self.counts.refused();
        };
        let mut writing = lock(&self.writing);
        let Some(file) = &mut *writing else {
            return self.counts.refused();
        };
        // Under the lock that a shredding takes after it has deleted the keys: either this sees
        // that they are gone, or the shredding sees the state.
        if self.keys.shreddings() != offer.shreddings {
            return self.counts.refused();
        }
        match file.keep(offer, event_id) {
            Ok(true) => {
                self.counts.kept();
                self.count_kept(file);
            }
            Ok(false) => self.counts.refused(),
            Err(fault) => {
                self.counts.refused();
                drop(writing);
                self.trouble("a snapshot cannot be kept", &fault);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
