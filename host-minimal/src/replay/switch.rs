//! Putting one database's content into the place of another's, for all who have it open.
//!
//! SQLite's backup copies page by page inside one transaction of the target, which is in WAL mode:
//! a reader sees the whole old content or the whole new one, and a process that is killed in
//! between leaves the old one.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};

use super::side_file::{self, FileError};
use crate::data_dir::sync_directory_of;
use crate::limits;

/// Pages that are copied before it is asked again whether to go on.
const STEP_PAGES: i32 = 1_024;
/// How long one attempt waits for another's write. The rest of [`limits::SQLITE_BUSY`] is spent
/// in further attempts, between which it is asked whether to go on.
const BUSY_ATTEMPT: Duration = Duration::from_millis(50);

/// Replaces what is at `target` by what is at `source`, which nobody writes. `false` when `go_on`
/// said so: then the target is as it was.
///
/// # Errors
///
/// The target is locked for too long, say, or the disk is full. The target is as it was.
pub(crate) fn replace(
    source: &Path,
    target: &Path,
    go_on: &dyn Fn() -> bool,
) -> Result<bool, FileError> {
    let from = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    match copy(&from, target, go_on) {
        Err(error) if is_damaged(&error) => {
            drop(from);
            put(source, target)?;
            Ok(true)
        }
        copied => Ok(copied?),
    }
}

/// Makes the database at `path` an empty one.
///
/// # Errors
///
/// SQLite's, as [`replace`].
pub(crate) fn clear(path: &Path) -> rusqlite::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    match copy(&Connection::open_in_memory()?, path, &|| true) {
        Err(error) if is_damaged(&error) => {
            side_file::remove(path);
            Ok(())
        }
        copied => copied.map(drop),
    }
}

fn copy(from: &Connection, target: &Path, go_on: &dyn Fn() -> bool) -> rusqlite::Result<bool> {
    let mut to = Connection::open(target)?;
    to.busy_timeout(BUSY_ATTEMPT)?;
    to.pragma_update(None, "journal_mode", "WAL")?;
    // What is built on the new content, such as a note of its version, must not outlive it.
    to.pragma_update(None, "synchronous", "FULL")?;
    let patience = Instant::now() + limits::SQLITE_BUSY;
    let backup = Backup::new(from, &mut to)?;
    loop {
        if !go_on() {
            return Ok(false);
        }
        match backup.step(STEP_PAGES)? {
            StepResult::Done => break,
            StepResult::More => {}
            _ if Instant::now() < patience => {}
            _ => return Err(locked()),
        }
    }
    drop(backup);
    // The log is as long as the database now. Readers of the old content may keep it for a while;
    // then it is shortened by whoever comes later.
    let _ = to.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()));
    Ok(true)
}

/// Nobody can have read what is no database, so there is no reader to whom its file matters.
fn put(source: &Path, target: &Path) -> std::io::Result<()> {
    side_file::remove(target);
    std::fs::rename(source, target)?;
    sync_directory_of(target)
}

fn is_damaged(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
    )
}

fn locked() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        ffi::Error::new(ffi::SQLITE_BUSY),
        Some(format!(
            "another process has held a lock on the read model for {} s",
            limits::SQLITE_BUSY.as_secs()
        )),
    )
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn database(path: &Path, rows: i64) -> Connection {
        let connection = Connection::open(path).expect("a database");
        connection
            .execute_batch("PRAGMA journal_mode = WAL; BEGIN; CREATE TABLE t (a INTEGER, b TEXT)")
            .expect("a table");
        for row in 0..rows {
            let text = "x".repeat(1_000);
            let insert = "INSERT INTO t VALUES (?1, ?2)";
            connection.execute(insert, (row, text)).expect("a row");
        }
        connection.execute_batch("COMMIT").expect("a commit");
        connection
    }

    fn rows(connection: &Connection) -> i64 {
        connection
            .query_row("SELECT count(*) FROM t", (), |row| row.get(0))
            .expect("a count")
    }

    fn paths(directory: &Path) -> (PathBuf, PathBuf) {
        (
            directory.join("source.sqlite"),
            directory.join("target.sqlite"),
        )
    }

    #[test]
    fn readers_see_the_old_content_or_the_new() {
        let directory = tempfile::tempdir().expect("a directory");
        let (source, target) = paths(directory.path());
        drop(database(&source, 3_000));
        let reader = database(&target, 2);
        reader.execute_batch("BEGIN").expect("a transaction");
        assert_eq!(rows(&reader), 2);
        assert!(replace(&source, &target, &|| true).expect("a copy"));
        assert_eq!(rows(&reader), 2, "in the transaction that began before");
        reader.execute_batch("COMMIT").expect("an end");
        assert_eq!(rows(&reader), 3_000);
        let check: String = reader
            .query_row("PRAGMA integrity_check", (), |row| row.get(0))
            .expect("a check");
        assert_eq!(check, "ok");
    }

    #[test]
    fn what_is_given_up_in_between_changes_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let (source, target) = paths(directory.path());
        // More pages than one step copies.
        drop(database(&source, i64::from(STEP_PAGES) * 8));
        let reader = database(&target, 2);
        let asked = std::cell::Cell::new(0);
        let once = || asked.replace(asked.get() + 1) == 0;
        assert!(!replace(&source, &target, &once).expect("a copy"));
        assert_eq!((rows(&reader), asked.get()), (2, 2));
    }

    #[test]
    fn a_target_that_another_writes_is_waited_for() {
        let directory = tempfile::tempdir().expect("a directory");
        let (source, target) = paths(directory.path());
        drop(database(&source, 3));
        let other = database(&target, 2);
        other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
        let asked = std::cell::Cell::new(0);
        let released = || {
            if asked.replace(asked.get() + 1) == 1 {
                other.execute_batch("COMMIT").expect("a release");
            }
            true
        };
        assert!(replace(&source, &target, &released).expect("a copy"));
        assert_eq!(rows(&other), 3);
    }

    #[test]
    fn what_is_no_database_is_replaced_as_a_file() {
        let directory = tempfile::tempdir().expect("a directory");
        let (source, target) = paths(directory.path());
        drop(database(&source, 3));
        std::fs::write(&target, "torn ".repeat(1_000)).expect("a file");
        assert!(replace(&source, &target, &|| true).expect("a copy"));
        let connection = Connection::open(&target).expect("a database");
        assert_eq!(rows(&connection), 3);
        assert!(!source.exists());
    }

    #[test]
    fn a_cleared_database_is_empty_for_those_who_have_it_open() {
        let directory = tempfile::tempdir().expect("a directory");
        let (missing, target) = paths(directory.path());
        clear(&missing).expect("nothing to do");
        assert!(!missing.exists());
        let reader = database(&target, 2);
        clear(&target).expect("an empty database");
        let tables: i64 = reader
            .query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0))
            .expect("a count");
        assert_eq!(tables, 0);
        drop(reader);
        std::fs::write(&target, "torn ".repeat(1_000)).expect("a file");
        clear(&target).expect("no database is an empty one");
        assert!(!target.exists());
    }
}
