//! The failure that came last to a module, in a file beside its database.
//!
//! Whoever asks what went wrong asks later: after a restart, or when another version runs. It is
//! not in the database, which a replay empties and whose write lock a handler may hold. It is a help
//! for people and not synced: after a power cut there may be an earlier one, or none.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use chrono::DateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::status::Failure;
use crate::limits;

const ENDING: &str = "failure";
/// Of a file that is being written.
const UNFINISHED_ENDING: &str = "failure-new";
/// More than the longest failure has as JSON, where a character takes up to six.
const FILE_BYTES: u64 = 6
    * (limits::FAILURE_BYTES + limits::BACKTRACE_FRAMES * limits::BACKTRACE_NAME_BYTES) as u64
    + 4_096;

/// The file of one module.
#[derive(Debug)]
pub(super) struct LastFailure {
    path: PathBuf,
}

/// A failure as it lies in the file. Times are in microseconds since 1970.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    message: String,
    position: Option<u64>,
    event_id: Option<Uuid>,
    event_type: Option<String>,
    attempts: u32,
    failed_at: i64,
    retry_at: i64,
    backtrace: Vec<String>,
}

impl LastFailure {
    /// The file beside a module's database.
    pub(super) fn beside(database: &Path) -> Self {
        Self {
            path: database.with_extension(ENDING),
        }
    }

    /// What was kept; `None` where nothing was, or nothing that can be read.
    pub(super) fn read(&self) -> Option<Failure> {
        match read(&self.path) {
            Ok(kept) => kept.map(Failure::from),
            Err(error) => {
                tracing::warn!("{} is of no use: {error}", self.path.display());
                None
            }
        }
    }

    /// Keeps a failure in place of the one before.
    pub(super) fn keep(&self, failure: &Failure) {
        if let Err(error) = write(&self.path, &Kept::from(failure)) {
            tracing::warn!(
                "a failure cannot be kept in {}: {error}",
                self.path.display()
            );
        }
    }
}

/// Overwrites what modules failed with in every file in `directory`: it may quote events.
pub(crate) fn purge(directory: &Path, note: &str) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let ends_with = |ending| path.extension().is_some_and(|it| it == ending);
        if ends_with(UNFINISHED_ENDING) {
            remove(&path)?;
        }
        if !ends_with(ENDING) {
            continue;
        }
        match read(&path) {
            Ok(Some(kept)) => {
                let message = note.to_owned();
                write(&path, &Kept { message, ..kept })?;
            }
            Ok(None) => {}
            // Whatever it is, it may quote events.
            Err(_) => remove(&path)?,
        }
    }
    File::open(directory)?.sync_all()
}

fn read(path: &Path) -> io::Result<Option<Kept>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(FILE_BYTES).read_to_end(&mut bytes)?;
    Ok(Some(serde_json::from_slice(&bytes)?))
}

/// The module may have written the file anew, or moved it into its place.
fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Whole or not at all.
fn write(path: &Path, kept: &Kept) -> io::Result<()> {
    // Always the same name, so that what a kill leaves of it is overwritten by the next failure.
    let unfinished = path.with_extension(UNFINISHED_ENDING);
    fs::write(&unfinished, serde_json::to_vec(kept)?)?;
    fs::rename(&unfinished, path)
}

impl From<&Failure> for Kept {
    fn from(failure: &Failure) -> Self {
        Self {
            message: failure.message.clone(),
            position: failure.position,
            event_id: failure.event_id,
            event_type: failure.event_type.clone(),
            attempts: failure.attempts,
            failed_at: failure.failed_at.timestamp_micros(),
            retry_at: failure.retry_at.timestamp_micros(),
            backtrace: failure.backtrace.clone(),
        }
    }
}

impl From<Kept> for Failure {
    fn from(kept: Kept) -> Self {
        let moment = |micros| DateTime::from_timestamp_micros(micros).unwrap_or_default();
        Self {
            message: kept.message,
            position: kept.position,
            event_id: kept.event_id,
            event_type: kept.event_type,
            attempts: kept.attempts,
            failed_at: moment(kept.failed_at),
            retry_at: moment(kept.retry_at),
            backtrace: kept.backtrace,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::trouble::Trouble;
    use super::*;

    fn failure(message: &str) -> Failure {
        let mut trouble = Trouble::new(message);
        let frame = "\u{1}".repeat(limits::BACKTRACE_NAME_BYTES);
        trouble.backtrace = vec![frame; limits::BACKTRACE_FRAMES];
        let mut failure = Failure::new(trouble, None, 3, Duration::from_secs(1));
        // A file has whole microseconds.
        failure.failed_at = moment(failure.failed_at);
        failure.retry_at = moment(failure.retry_at);
        failure
    }

    fn moment(at: DateTime<chrono::Utc>) -> DateTime<chrono::Utc> {
        DateTime::from_timestamp_micros(at.timestamp_micros()).expect("a moment")
    }

    #[test]
    fn the_longest_failure_is_kept_as_it_was() {
        let directory = tempfile::tempdir().expect("a directory");
        let kept = LastFailure::beside(&directory.path().join("plans.sqlite"));
        assert_eq!(kept.read(), None);
        for message in ["no", &"\u{1}".repeat(2 * limits::FAILURE_BYTES)] {
            let failure = failure(message);
            kept.keep(&failure);
            assert_eq!(kept.read(), Some(failure));
        }
        let files = fs::read_dir(directory.path()).expect("a directory");
        assert_eq!(files.count(), 1, "one file, however often it fails");
    }

    #[test]
    fn what_a_kill_left_of_one_is_purged() {
        let directory = tempfile::tempdir().expect("a directory");
        let unfinished = directory.path().join("plans.failure-new");
        fs::write(&unfinished, "{\"message\": \"a secret\"").expect("written");
        purge(directory.path(), "gone").expect("purged");
        assert!(!unfinished.exists());
    }

    #[test]
    fn a_damaged_file_is_nothing_and_is_purged_as_well() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("plans.failure");
        let kept = LastFailure::beside(&directory.path().join("plans.sqlite"));
        for damage in ["", "{\"message\": \"a secret\""] {
            fs::write(&path, damage).expect("written");
            assert_eq!(kept.read(), None);
        }
        purge(directory.path(), "gone").expect("purged");
        assert!(!path.exists());
        kept.keep(&failure("a secret"));
        purge(directory.path(), "gone").expect("purged");
        assert_eq!(kept.read().expect("a failure").message, "gone");
        let text = fs::read_to_string(&path).expect("a file");
        assert!(!text.contains("secret"), "{text}");
    }
}
