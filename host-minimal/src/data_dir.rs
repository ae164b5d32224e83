//! Where a host keeps everything, and the lock that keeps others out.

mod database;

#[cfg(test)]
mod tests;

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

pub use database::DatabaseError;
pub(crate) use database::open_database;

use crate::modules::name::ModuleName;

/// A data directory that this host alone uses until the value is dropped.
///
/// ```text
/// umari.sqlite            modules, their active versions, wrapped data keys, hashes of API keys
/// events.db               the embedded event store
/// master.key              the master key, unless it comes from configuration
/// projector/NAME.sqlite   a projector's read model, and NAME.log what it printed
/// effect/NAME.sqlite      an effect's state, and NAME.log what it printed
/// cache/*.cwasm           compiled modules
/// lock                    held while a host runs
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
    /// Another host has it locked, or the operating system refuses.
    pub fn open(root: impl Into<PathBuf>) -> Result<Self, DataDirError> {
        let root = root.into();
        make(&root)?;
        let lock = lock(&root)?;
        let directory = Self { root, _lock: lock };
        for path in directory.module_directories() {
            make(&path)?;
        }
        make(&directory.cache())?;
        sync_directory_of(&directory.root.join("lock"))
            .and_then(|()| sync_directory_of(&directory.root))
            .map_err(|source| DataDirError::Io {
                path: directory.root.clone(),
                source,
            })?;
        Ok(directory)
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
