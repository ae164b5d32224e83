//! What a module prints: kept in a bounded ring, and appended to its log file.

mod purge;
mod tap;

use std::collections::VecDeque;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(crate) use purge::{Outputs, Quoting};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

pub use tap::PrintedLine;
pub(crate) use tap::Tap;

use crate::limits;
use crate::modules::settings::OutputAllowance;

/// The standard output and error of a module, both together in the order of writing.
///
/// Writing never blocks and never fails: the ring forgets its oldest bytes, and a log file that
/// cannot be written is given up with one warning.
#[derive(Debug, Clone)]
pub(crate) struct Output {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug)]
struct Shared {
    ring: VecDeque<u8>,
    ring_bytes: usize,
    log: Option<LogFile>,
    tap: Option<Tap>,
}

impl Output {
    /// Output that is kept in memory only.
    pub(crate) fn memory(allowance: OutputAllowance) -> Self {
        Self::new(allowance, None)
    }

    /// Output that is also appended to the file at `path`. Whoever may have to purge it opens it
    /// through [`Outputs`].
    fn logged(path: &Path, allowance: OutputAllowance) -> Self {
        match LogFile::open(path, allowance.log_bytes) {
            Ok(log) => Self::new(allowance, Some(log)),
            Err(error) => {
                tracing::warn!(
                    "output is not logged: cannot open {}: {error}",
                    path.display()
                );
                Self::new(allowance, None)
            }
        }
    }

    fn new(allowance: OutputAllowance, log: Option<LogFile>) -> Self {
        Self {
            shared: Arc::new(Mutex::new(Shared {
                ring: VecDeque::new(),
                ring_bytes: allowance.kept_bytes,
                log,
                tap: None,
            })),
        }
    }

    /// The same output, whose lines are also handed on.
    pub(crate) fn tapped(self, tap: Option<Tap>) -> Self {
        self.lock().tap = tap;
        self
    }

    /// Reads what was printed last with `read`.
    pub(crate) fn tail<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        let mut shared = self.lock();
        read(&String::from_utf8_lossy(shared.ring.make_contiguous()))
    }

    pub(crate) fn write(&self, bytes: &[u8]) {
        let mut shared = self.lock();
        shared.ring.extend(bytes);
        let excess = shared.ring.len().saturating_sub(shared.ring_bytes);
        shared.ring.drain(..excess);
        if let Some(tap) = &mut shared.tap {
            tap.write(bytes);
        }
        if let Some(log) = &mut shared.log
            && let Err(error) = log.append(bytes)
        {
            tracing::warn!(
                "output is no longer logged to {}: {error}",
                log.path.display()
            );
            shared.log = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A log file that is renamed to `NAME.log.1` when it is full.
#[derive(Debug)]
struct LogFile {
    path: PathBuf,
    file: File,
    written_bytes: u64,
    most_bytes: u64,
}

impl LogFile {
    fn open(path: &Path, most_bytes: u64) -> std::io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let written_bytes = file.metadata()?.len();
        Ok(Self {
            path: path.to_owned(),
            file,
            written_bytes,
            most_bytes,
        })
    }

    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        if self.written_bytes >= self.most_bytes {
            std::fs::rename(&self.path, rotated(&self.path))?;
            *self = Self::open(&self.path, self.most_bytes)?;
        }
        self.file.write_all(bytes)?;
        self.written_bytes += bytes.len() as u64;
        Ok(())
    }
}

/// Where a full log file goes.
fn rotated(path: &Path) -> PathBuf {
    let mut full = path.to_owned().into_os_string();
    full.push(".1");
    full.into()
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        Self::write(self, &bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(limits::OUTPUT_BYTES)
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl AsyncWrite for Output {
    fn poll_write(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
        bytes: &[u8],
    ) -> std::task::Poll<std::io::Result<usize>> {
        Self::write(&self, bytes);
        std::task::Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn poll_shutdown(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<std::io::Result<()>> {
        std::task::Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ring_keeps_the_last_bytes() {
        let output = Output::memory(OutputAllowance::default());
        output.write(&vec![b'a'; limits::OUTPUT_BYTES]);
        output.write(b"z");
        output.tail(|text| {
            assert_eq!(text.len(), limits::OUTPUT_BYTES);
            assert!(text.ends_with("az"));
        });
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_log_without_room_is_given_up_and_the_module_is_not() {
        let output = Output::logged(Path::new("/dev/full"), OutputAllowance::default());
        assert!(output.lock().log.is_some());
        output.write(b"said to nobody");
        assert!(output.lock().log.is_none());
        output.write(b" and yet kept");
        output.tail(|text| assert_eq!(text, "said to nobody and yet kept"));
    }

    #[test]
    fn a_full_log_is_rotated_and_one_old_file_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let (path, old) = (dir.path().join("m.log"), dir.path().join("m.log.1"));
        let full = usize::try_from(limits::LOG_FILE_BYTES).unwrap();
        for round in [b'a', b'b'] {
            let output = Output::logged(&path, OutputAllowance::default());
            let written = std::fs::metadata(&path).unwrap().len();
            output.write(&vec![round; full - 1 - usize::try_from(written).unwrap()]);
            // What an earlier host wrote counts, too.
            let output = Output::logged(&path, OutputAllowance::default());
            output.write(b"+");
            assert_eq!(
                std::fs::metadata(&path).unwrap().len(),
                limits::LOG_FILE_BYTES
            );
            output.write(b"new");
            assert_eq!(std::fs::read(&path).unwrap(), b"new");
            let old = std::fs::read(&old).unwrap();
            assert_eq!(old.len(), full);
            assert_eq!(old[full - 2..], [round, b'+'], "the file before this one");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
