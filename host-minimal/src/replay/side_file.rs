//! The file in which a read model is built anew, and what is known from it after a restart.
//!
//! Its name holds the projector's, and its content the version that writes it. So a file that a
//! host finds when it starts is a replay that was interrupted: there is no other record of it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use semver::Version;
use uuid::Uuid;

use crate::data_dir::{self, sync_directory_of};
use crate::modules::ModuleName;
use crate::subscriptions::progress;

/// A side file that an earlier host left.
#[derive(Debug)]
pub(crate) struct Left {
    pub(crate) projector: ModuleName,
    pub(crate) version: Version,
    pub(crate) path: PathBuf,
}

/// Why a file could not be made or changed.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub enum FileError {
    /// SQLite's reason.
    Sqlite(#[from] rusqlite::Error),
    /// The operating system's reason.
    Io(#[from] io::Error),
}

/// A new name for a side file.
pub(crate) fn path(directory: &Path, projector: &ModuleName) -> PathBuf {
    directory.join(format!("{projector}.{}.sqlite", Uuid::now_v7()))
}

/// Makes a side file. Once this returns, the replay survives the end of the host.
pub(crate) fn create(path: &Path, version: &Version) -> Result<(), FileError> {
    let create = || {
        let connection = Connection::open(path)?;
        progress::prepare(&connection, 0)?;
        progress::save_writer(&connection, version)?;
        Ok(sync_directory_of(path)?)
    };
    let created = create();
    if created.is_err() {
        remove(path);
    }
    created
}

/// Removes a database with everything that SQLite puts beside it, as far as it can be.
pub(crate) fn remove(path: &Path) {
    if let Err(error) = data_dir::remove_database(path) {
        tracing::warn!("cannot remove {}: {error}", path.display());
    }
}

/// Removes every file in `directory`.
pub(crate) fn remove_all(directory: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        std::fs::remove_file(entry?.path())?;
    }
    Ok(())
}

/// The side files in `directory`, one for each projector at the most. Everything else in there is
/// removed.
pub(crate) fn left_in(directory: &Path) -> io::Result<Vec<Left>> {
    let mut left: Vec<Left> = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        // SQLite's own files beside it go with the database.
        if path.extension().is_none_or(|it| it != "sqlite") {
            continue;
        }
        match recognise(&path) {
            Some(found) if left.iter().all(|it| it.projector != found.projector) => {
                left.push(found);
            }
            _ => remove(&path),
        }
    }
    Ok(left)
}

fn recognise(path: &Path) -> Option<Left> {
    let (projector, _) = path.file_stem()?.to_str()?.split_once('.')?;
    Some(Left {
        projector: projector.parse().ok()?,
        version: writer(path).ok().flatten()?,
        path: path.to_owned(),
    })
}

/// The version whose read model lies at `path`; `None` where there is none, or none that says so.
pub(crate) fn writer(path: &Path) -> rusqlite::Result<Option<Version>> {
    if !path.exists() {
        return Ok(None);
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let known: bool = connection.query_row(
        "SELECT count(*) FROM sqlite_schema WHERE name = 'umari_writer'",
        (),
        |row| row.get(0),
    )?;
    if !known {
        return Ok(None);
    }
    let version = progress::writer(&connection)?;
    Ok(version.and_then(|version| version.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ModuleName {
        text.parse().expect("a name")
    }

    #[test]
    fn what_an_earlier_host_left_is_recognised_and_the_rest_removed() {
        let directory = tempfile::tempdir().expect("a directory");
        let version: Version = "2.0.0".parse().expect("a version");
        let path = path(directory.path(), &name("plans"));
        create(&path, &version).expect("a side file");
        let put = |name: &str| std::fs::write(directory.path().join(name), "torn").expect("a file");
        put("plans.0.sqlite");
        put("other.1.sqlite");
        put("other.1.sqlite-wal");
        put("UPPER.1.sqlite");
        let left = left_in(directory.path()).expect("a directory");
        let [left] = left.as_slice() else {
            panic!("{left:?}");
        };
        assert_eq!(
            (left.projector.as_str(), &left.version),
            ("plans", &version)
        );
        assert_eq!(left.path, path);
        assert_eq!(std::fs::read_dir(directory.path()).expect("it").count(), 1);
        remove(&path);
        remove(&path);
        assert_eq!(std::fs::read_dir(directory.path()).expect("it").count(), 0);
    }

    #[test]
    fn a_file_that_cannot_be_made_leaves_nothing() {
        let directory = tempfile::tempdir().expect("a directory");
        let missing = directory.path().join("missing");
        let version: Version = "1.0.0".parse().expect("a version");
        create(&path(&missing, &name("plans")), &version).expect_err("no directory");
        assert_eq!(std::fs::read_dir(directory.path()).expect("it").count(), 0);
    }

    #[test]
    fn a_database_without_a_writer_has_none() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("old.sqlite");
        assert_eq!(writer(&path).expect("readable"), None);
        let connection = Connection::open(&path).expect("a database");
        connection
            .execute_batch("CREATE TABLE a (b)")
            .expect("a table");
        assert_eq!(writer(&path).expect("readable"), None);
        progress::prepare(&connection, 0).expect("the host's tables");
        assert_eq!(writer(&path).expect("readable"), None);
    }
}
