//! Where a host keeps everything, and the lock that keeps others out.

mod database;

#[cfg(test)]
mod tests;

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub use database::DatabaseError;
pub(crate) use database::{
    Durability, SCHEMA_VERSION, SHREDDING_SCHEMA_VERSION, connect_with, empty_write_ahead_log,
    open_database, read_database, remove_database,
};

use crate::modules::name::ModuleName;

/// The note that a restore leaves in the directory while it is not finished.
const RESTORING: &str = "restoring";

/// A data directory that this host alone uses until the value is dropped.
///
/// ```text
/// umari.sqlite            modules, their active versions, wrapped data keys, hashes of API keys
/// events.db               the embedded event store
/// snapshots.sqlite        states of folds, which may be deleted while no host runs
/// master.key              the master key, unless it comes from configuration
/// projector/NAME.sqlite   a projector's read model, and NAME.log what it printed
/// effect/NAME.sqlite      an effect's state, and NAME.log what it printed
/// */NAME.failure          what the module failed with last
/// effect/NAME.lanes       what its lanes have in hand
/// replay/NAME.ID.sqlite   a projector's read model while it is built anew
/// as-of/ID.sqlite         a read model of the past, until it is sent
/// cache/*.cwasm           compiled modules
/// lock                    held while a host runs
/// restoring               there while a backup is restored, and after that broke off
/// ```
///
/// All directories that are made here can be entered by their owner only.
#[derive(Debug)]
pub struct DataDir {
    root: PathBuf,
    /// Locked as long as it is open.
    _lock: File,
}

/// Why a data directory cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataDirError {
    /// Another host uses it.
    #[error(
        "the data directory {} is in use by another host{}: stop that host, or give this one \
         another directory",
        path.display(),
        process.map(|id| format!(" (process {id})")).unwrap_or_default()
    )]
    InUse {
        /// The directory.
        path: PathBuf,
        /// The other host's process, where it could be read.
        process: Option<u32>,
    },
    /// A restore into it has not been finished, so the log is not whole.
    #[error(
        "a restore into the data directory {} was begun and not finished: run `umari restore` with \
         the same files again, or begin with an empty directory", path.display()
    )]
    Unfinished {
        /// The directory.
        path: PathBuf,
    },
    /// The event store has gone, and files of modules that know it have not.
    #[error(
        "{} is missing, but {} knows its events: restore it from a backup, or delete the \
         directories projector and effect to begin with an empty log",
        path.display(), known_to.display()
    )]
    MissingEvents {
        /// Where the event store should be.
        path: PathBuf,
        /// A file that knows it.
        known_to: PathBuf,
    },
    /// `umari.sqlite` has gone, and the log that it belongs to has not.
    #[error(
        "{} is missing or has nothing in it, but the log beside it has {head} events: the modules, the \
         API keys and the data keys without which encrypted events cannot be read were in it",
        path.display()
    )]
    MissingMetadata {
        /// Where `umari.sqlite` should be.
        path: PathBuf,
        /// Position of the log's last event.
        head: u64,
    },
    /// A new `umari.sqlite` was asked for, and there is one.
    #[error("{} is there, so no new one is made", path.display())]
    MetadataThere {
        /// The file.
        path: PathBuf,
    },
    /// A file or directory in it could not be made or opened.
    #[error("{} could not be created or opened", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
}

impl DataDir {
    /// Opens the directory at `root`, makes what is missing, and locks it.
    ///
    /// # Errors
    ///
    /// Another host has it locked, a restore into it is unfinished, or the operating system
    /// refuses.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, DataDirError> {
        Self::open_to_restore(root)?.require_finished()
    }

    /// The same, also where a restore has been begun and not finished.
    pub(crate) fn open_to_restore(root: impl Into<PathBuf>) -> Result<Self, DataDirError> {
        let root = root.into();
        make(&root)?;
        let lock = lock(&root)?;
        let directory = Self { root, _lock: lock };
        for path in directory.module_directories() {
            make(&path)?;
        }
        for path in [directory.replays(), directory.as_of(), directory.cache()] {
            make(&path)?;
        }
        sync_directory_of(&directory.root.join("lock"))
            .and_then(|()| sync_directory_of(&directory.root))
            .map_err(|source| DataDirError::Io {
                path: directory.root.clone(),
                source,
            })?;
        Ok(directory)
    }

    /// Opens the directory at `root` as it is, and locks it; `None` where no host has ever made
    /// anything there. Only the lock's file may be new.
    ///
    /// # Errors
    ///
    /// As with [`open`](Self::open).
    pub fn open_existing(root: impl Into<PathBuf>) -> Result<Option<Self>, DataDirError> {
        let root = root.into();
        let io = |source| DataDirError::Io {
            path: root.clone(),
            source,
        };
        if !Self::is_one(&root).map_err(io)? {
            return Ok(None);
        }
        let lock = lock(&root)?;
        let directory = Self { root, _lock: lock };
        directory.require_finished().map(Some)
    }

    /// Whether a host has made anything in the directory. A file in its place is an error, and not
    /// an absence.
    pub(crate) fn is_one(root: &Path) -> io::Result<bool> {
        for entry in ["lock", "umari.sqlite", "events.db", RESTORING] {
            if root.join(entry).try_exists()? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a restore has been begun and not finished.
    pub(crate) fn is_unfinished(&self) -> bool {
        // What cannot be looked at may be there.
        self.restoring().try_exists().unwrap_or(true)
    }

    /// Keeps hosts from starting here until [`end_restore`](Self::end_restore).
    pub(crate) fn begin_restore(&self) -> Result<(), DataDirError> {
        let path = self.restoring();
        let begun = File::create(&path).and_then(|note| {
            note.sync_all()?;
            sync_directory_of(&path)
        });
        begun.map_err(|source| DataDirError::Io { path, source })
    }

    /// The log is whole.
    pub(crate) fn end_restore(&self) -> Result<(), DataDirError> {
        let path = self.restoring();
        let ended = fs::remove_file(&path).and_then(|()| sync_directory_of(&path));
        ended.map_err(|source| DataDirError::Io { path, source })
    }

    fn restoring(&self) -> PathBuf {
        self.root.join(RESTORING)
    }

    fn require_finished(self) -> Result<Self, DataDirError> {
        if self.is_unfinished() {
            return Err(DataDirError::Unfinished { path: self.root });
        }
        Ok(self)
    }

    /// The directory itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Modules, their active versions, wrapped data keys, and hashes of API keys.
    pub fn database(&self) -> PathBuf {
        self.root.join("umari.sqlite")
    }

    /// The embedded event store.
    pub fn events(&self) -> PathBuf {
        self.root.join("events.db")
    }

    /// Whether `umari.sqlite` has something in it. A copy that was made without its write-ahead log
    /// may have nothing yet.
    pub(crate) fn has_metadata(&self) -> bool {
        match fs::metadata(self.database()) {
            Err(error) => error.kind() != io::ErrorKind::NotFound,
            Ok(file) if file.len() == 0 => false,
            // What cannot be read may have something, and says why when it is opened.
            Ok(_) => read_database(&self.database()).map_or(true, |(_, version)| version > 0),
        }
    }

    /// The fault of a directory whose log ends at `head`, where that has lost its `umari.sqlite`.
    pub(crate) fn missing_metadata(&self, head: u64) -> Option<DataDirError> {
        let path = self.database();
        (head > 0 && !self.has_metadata()).then_some(DataDirError::MissingMetadata { path, head })
    }

    /// Makes sure that no new event store is made beside files that know another. The positions
    /// in them would hide its events from their modules.
    ///
    /// # Errors
    ///
    /// The event store is missing and a module has a database.
    pub(crate) fn check_events(&self) -> Result<(), DataDirError> {
        let path = self.events();
        let failed = |path: &Path, source| DataDirError::Io {
            path: path.to_owned(),
            source,
        };
        if path.try_exists().map_err(|e| failed(&path, e))? {
            return Ok(());
        }
        for name in ["projector", "effect"] {
            let directory = self.root.join(name);
            let entries = fs::read_dir(&directory).map_err(|e| failed(&directory, e))?;
            for entry in entries {
                let known_to = entry.map_err(|e| failed(&directory, e))?.path();
                if known_to.extension().is_some_and(|it| it == "sqlite") {
                    return Err(DataDirError::MissingEvents { path, known_to });
                }
            }
        }
        Ok(())
    }

    /// The master key, unless it comes from configuration.
    pub fn master_key(&self) -> PathBuf {
        self.root.join("master.key")
    }

    /// Where the files of projectors and of effects lie.
    pub(crate) fn module_directories(&self) -> [PathBuf; 2] {
        ["projector", "effect"].map(|name| self.root.join(name))
    }

    /// A projector's read model.
    pub fn projector_database(&self, name: &ModuleName) -> PathBuf {
        self.root.join("projector").join(format!("{name}.sqlite"))
    }

    /// What a projector printed.
    pub fn projector_log(&self, name: &ModuleName) -> PathBuf {
        self.root.join("projector").join(format!("{name}.log"))
    }

    /// An effect's state.
    pub fn effect_database(&self, name: &ModuleName) -> PathBuf {
        self.root.join("effect").join(format!("{name}.sqlite"))
    }

    /// What an effect printed.
    pub fn effect_log(&self, name: &ModuleName) -> PathBuf {
        self.root.join("effect").join(format!("{name}.log"))
    }

    /// Where read models lie while they are built anew.
    pub fn replays(&self) -> PathBuf {
        self.root.join("replay")
    }

    /// Where read models of the past lie until they are sent.
    pub fn as_of(&self) -> PathBuf {
        self.root.join("as-of")
    }

    /// States of folds.
    pub(crate) fn snapshots(&self) -> PathBuf {
        self.root.join("snapshots.sqlite")
    }

    /// Where compiled modules lie.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }
}

/// Makes the name of a new file or directory durable: its own fsync does not.
pub(crate) fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)?.sync_all()
}

fn make(path: &Path) -> Result<(), DataDirError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| DataDirError::Io {
            path: path.to_owned(),
            source,
        })
}

fn lock(root: &Path) -> Result<File, DataDirError> {
    let path = root.join("lock");
    let io = |source| DataDirError::Io {
        path: path.clone(),
        source,
    };
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(io)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // The number only helps to find the other host; without it the error is as true.
            let _ = file.take(32).read_to_string(&mut process);
            let process = process.trim().parse().ok();
            return Err(DataDirError::InUse {
                path: root.to_owned(),
                process,
            });
        }
        Err(TryLockError::Error(source)) => return Err(io(source)),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(io)?;
    Ok(file)
}
