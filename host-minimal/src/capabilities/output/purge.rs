//! Forgetting what modules printed: it may quote events that must not be readable any more.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use super::{LogFile, Output, Shared, rotated};
use crate::modules::settings::OutputAllowance;

/// Something else that keeps words of a module.
pub(crate) trait Quoting: std::fmt::Debug + Send + Sync {
    /// Forgets them; `note` stands in their place.
    fn forget(&self, note: &str);
}

/// The outputs of all modules of a host, and the directories where their log files lie.
#[derive(Debug, Clone, Default)]
pub(crate) struct Outputs {
    open: Arc<Mutex<Vec<Weak<Mutex<Shared>>>>>,
    quoting: Arc<Mutex<Vec<Weak<dyn Quoting>>>>,
    directories: Arc<[PathBuf]>,
}

impl Outputs {
    /// Outputs whose log files lie in `directories`, as do those of modules that do not run.
    pub(crate) fn within(directories: impl IntoIterator<Item = PathBuf>) -> Self {
        Self {
            open: Arc::default(),
            quoting: Arc::default(),
            directories: directories.into_iter().collect(),
        }
    }

    /// The output of a module whose log file is at `path`.
    pub(crate) fn logged(&self, path: &Path, allowance: OutputAllowance) -> Output {
        let output = Output::logged(path, allowance);
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|shared| shared.strong_count() > 0);
        open.push(Arc::downgrade(&output.shared));
        output
    }

    /// Where the log files lie, beside the modules' databases.
    pub(crate) fn directories(&self) -> &[PathBuf] {
        &self.directories
    }

    /// Purges `quoting` with the outputs, for as long as it lives.
    pub(crate) fn purge_too(&self, quoting: Weak<dyn Quoting>) {
        let mut all = self.quoting.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|quoting| quoting.strong_count() > 0);
        all.push(quoting);
    }

    /// Empties what is kept of all outputs, in memory and in files. `note` stands in their place.
    ///
    /// # Errors
    ///
    /// A file cannot be emptied or removed; what comes after it is not tried.
    pub(crate) fn purge(&self, note: &str) -> io::Result<()> {
        let quoting = self.quoting.lock().unwrap_or_else(PoisonError::into_inner);
        for quoting in quoting.iter().filter_map(Weak::upgrade) {
            quoting.forget(note.trim_end());
        }
        drop(quoting);
        // Held to the end, so that no module opens a file that is about to be removed.
        let open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = Vec::new();
        for shared in open.iter().filter_map(Weak::upgrade) {
            let output = Output { shared };
            kept.extend(output.empty()?);
            output.write(note.as_bytes());
        }
        for directory in self.directories.iter() {
            for entry in fs::read_dir(directory)? {
                let path = entry?.path();
                if is_log(&path) && !kept.contains(&path) {
                    fs::remove_file(path)?;
                }
            }
            fs::File::open(directory)?.sync_all()?;
        }
        Ok(())
    }
}

impl Output {
    /// Forgets what was printed; the file that stays, emptied, if there is one.
    fn empty(&self) -> io::Result<Option<PathBuf>> {
        let mut shared = self.lock();
        // A ring that grows anew leaves its bytes to the allocator; these are overwritten first.
        shared.ring.make_contiguous().fill(0);
        shared.ring.clear();
        let Some(log) = &mut shared.log else {
            return Ok(None);
        };
        log.empty()?;
        Ok(Some(log.path.clone()))
    }
}

impl LogFile {
    fn empty(&mut self) -> io::Result<()> {
        // By its path as well: another version of the module may have rotated it away.
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(&self.path)?
            .sync_all()?;
        self.file.set_len(0)?;
        self.written_bytes = 0;
        Ok(())
    }
}

/// Whether a file is a module's log, in use or full.
fn is_log(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    let log = rotated(Path::new(".log"));
    name.is_some_and(|name| {
        name.ends_with(".log") || name.ends_with(log.to_str().unwrap_or_default())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("a directory");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("an entry").file_name().into_string())
            .collect::<Result<_, _>>()
            .expect("texts");
        names.sort();
        names
    }

    #[test]
    fn nothing_is_left_of_what_was_printed() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        let outputs = Outputs::within([directory.path().to_owned()]);
        let output = outputs.logged(&path("runs.log"), OutputAllowance::default());
        output.write(&vec![
            b's';
            usize::try_from(limits::LOG_FILE_BYTES)
                .expect("a size")
        ]);
        output.write(b"secret");
        drop(outputs.logged(&path("ended.log"), OutputAllowance::default()));
        fs::write(path("stopped.log"), "secret").expect("a log");
        fs::write(path("stopped.log.1"), "secret").expect("a log");
        fs::write(path("stopped.sqlite"), "rows").expect("no log");

        outputs.purge("purged\n").expect("a purge");
        assert_eq!(names(directory.path()), ["runs.log", "stopped.sqlite"]);
        output.tail(|text| assert_eq!(text, "purged\n"));
        output.write(b"new\n");
        let log = fs::read_to_string(path("runs.log")).expect("a log");
        assert_eq!(log, "purged\nnew\n");
    }

    #[test]
    fn a_log_that_cannot_be_removed_is_an_error() {
        let directory = tempfile::tempdir().expect("a directory");
        let outputs = Outputs::within([directory.path().to_owned()]);
        fs::create_dir(directory.path().join("odd.log")).expect("a directory");
        outputs.purge("purged\n").expect_err("it is no file");
    }
}
