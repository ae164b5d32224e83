//! The events of a projector, read while it handles those before them.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use crate::limits;
use crate::store::{ReadError, Reader, RecordedEvent};

type Batch = Result<Vec<RecordedEvent>, ReadError>;

/// Batches of events in position order. An empty one is the end.
pub(super) enum Batches {
    /// Each is read when it is asked for.
    Asked(Reader),
    /// One is read while the one before it is handled.
    Ahead(ReadAhead),
}

impl Batches {
    pub(super) fn new(reader: Reader) -> Self {
        Self::Asked(reader)
    }

    /// The next events: `most` of them at the most, and where they are read ahead, as many as a
    /// batch holds. Not to be asked again after an error.
    pub(super) fn next(&mut self, most: usize) -> Batch {
        match self {
            Self::Asked(reader) => reader.next_batch(most),
            Self::Ahead(ahead) => ahead.next(),
        }
    }

    /// The same events, from now on read ahead on a thread. That thread costs more than it saves
    /// where little is left.
    pub(super) fn read_ahead(self) -> io::Result<Self> {
        match self {
            Self::Asked(reader) => ReadAhead::start(reader).map(Self::Ahead),
            ahead @ Self::Ahead(_) => Ok(ahead),
        }
    }
}

/// A thread that reads; it ends with what it reads, or when this is dropped.
pub(super) struct ReadAhead {
    /// Absent once it is dropped.
    batches: Option<Receiver<Batch>>,
    thread: Option<JoinHandle<()>>,
}

impl ReadAhead {
    fn start(reader: Reader) -> io::Result<Self> {
        // Nothing waits in between: one batch is being handled, and one is read.
        let (sender, batches) = sync_channel(0);
        let thread = thread::Builder::new()
            .name("umari-read-ahead".to_owned())
            .spawn(move || read(reader, &sender))?;
        Ok(Self {
            batches: Some(batches),
            thread: Some(thread),
        })
    }

    fn next(&mut self) -> Batch {
        let batch = self.batches.as_ref().and_then(|it| it.recv().ok());
        batch.unwrap_or_else(|| {
            // Only a panic ends it before it has said that this is the end. To take that for the
            // end would pass events by.
            if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
                resume_unwind(panic);
            }
            Ok(Vec::new())
        })
    }
}

fn read(mut reader: Reader, batches: &SyncSender<Batch>) {
    loop {
        let batch = reader.next_batch(limits::PROJECTOR_BATCH_EVENTS);
        let goes_on = batch.as_ref().is_ok_and(|events| !events.is_empty());
        if batches.send(batch).is_err() || !goes_on {
            return;
        }
    }
}

impl Drop for ReadAhead {
    /// Waits for the read that is under way: it holds the store, which may be about to be closed.
    fn drop(&mut self) {
        drop(self.batches.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
