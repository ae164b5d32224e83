//! From lines to a data directory.
//!
//! Every file is read twice: once to prove it whole, before anything is made, and once to restore
//! it. While events are written a note lies in the directory, so that no host starts on half a log
//! and a second call goes on where the first one ended.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{TransactionBehavior, params};
use umadb_dcb::{DcbError, DcbEvent, DcbEventStoreSync};

use super::format::{EventLine, KeyLine, ShreddedLine};
use super::read::{BackupReader, Damage, Item, Outline, outline};
use super::write::{head, id_at};
use crate::data_dir::{self, DataDir, DataDirError, DatabaseError};
use crate::limits;
use crate::store::{EmbeddedStore, OpenError, Pages, ReadError};

/// What a restore did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Restored {
    /// Position of the log's last event now.
    pub head: u64,
    /// Events that were written.
    pub events: u64,
    /// Events that an unfinished restore had written before.
    pub events_before: u64,
    /// Data keys that the directory has now; `None` where the backups had none and nothing was
    /// changed.
    pub keys: Option<u64>,
}

/// Why a restore was refused, or broke off.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// There is nothing to restore.
    #[error("there is no backup to restore")]
    NoFile,
    /// A file cannot be opened.
    #[error("{} cannot be opened", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: std::io::Error,
    },
    /// A file is not a whole backup. Nothing was written.
    #[error("{} is damaged, so nothing of it was restored", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where, and how.
        #[source]
        source: Damage,
    },
    /// Two files do not belong together. Nothing was written.
    #[error(
        "{} does not go on where {} ends (position {end}): it begins behind position {after}{}",
        next.display(), before.display(),
        if after == end { ", of another log or of one that went another way" } else { "" }
    )]
    NotConsecutive {
        /// The first file.
        before: PathBuf,
        /// Where it ends.
        end: u64,
        /// The second file.
        next: PathBuf,
        /// Where that begins.
        after: u64,
    },
    /// The directory has something of its own. Nothing was written.
    #[error("{} is not empty: restore into a directory that is", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// The directory's log does not end where the first file begins. Nothing was written.
    #[error(
        "the log in {} ends at position {head} and {} goes on behind position {after}{}",
        path.display(), file.display(),
        if after == head { ", of another log or of one that went another way" } else { "" }
    )]
    OtherLog {
        /// The directory.
        path: PathBuf,
        /// Where its log ends.
        head: u64,
        /// The first file.
        file: PathBuf,
        /// Where that begins.
        after: u64,
    },
    /// The directory has events that the files do not have. Nothing was written.
    #[error(
        "an unfinished restore lies in {}, of other files: its event at position {position} is not \
         theirs; restore the same files again, or begin with an empty directory", path.display()
    )]
    OtherRestore {
        /// The directory.
        path: PathBuf,
        /// The first position at which they differ.
        position: u64,
    },
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// The event store cannot be opened.
    #[error(transparent)]
    EventStore(#[from] OpenError),
    /// The event store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The event store takes no events.
    #[error("the events could not be written; restore the same files again to go on")]
    Append(#[source] DcbError),
    /// `umari.sqlite` could not be opened.
    #[error(transparent)]
    Keys(#[from] DatabaseError),
    /// `umari.sqlite` could not be read or written.
    #[error("the data keys could not be written; restore the same files again to go on")]
    Database(#[from] rusqlite::Error),
}

/// Restores consecutive backups into the directory at `root`, which is made where it is missing. It
/// must be empty, or hold a log that ends where the first file begins. `seen` is called for each
/// event with its position and that of the last one of its file.
///
/// # Errors
///
/// See [`RestoreError`]. After one that came while events were written, no host starts on the
/// directory before the same files were restored again.
pub fn restore(
    root: &Path,
    files: &[PathBuf],
    seen: &mut dyn FnMut(u64, u64),
) -> Result<Restored, RestoreError> {
    let outlines = files
        .iter()
        .map(|path| prove(path))
        .collect::<Result<Vec<_>, _>>()?;
    require_consecutive(files, &outlines)?;
    let (Some(first), Some(file)) = (outlines.first(), files.first()) else {
        return Err(RestoreError::NoFile);
    };
    let other_log = |head| RestoreError::OtherLog {
        path: root.to_owned(),
        head,
        file: file.clone(),
        after: first.after,
    };
    let before = Before::look(root)?;
    match before {
        Before::Nothing if first.after > 0 => return Err(other_log(0)),
        Before::Foreign => return Err(not_empty(root)),
        Before::Nothing | Before::Host => {}
    }
    let data_dir = DataDir::open_to_restore(root)?;
    let mut target = Target::open(&data_dir)?;
    let head = head(&target.store)?;
    if data_dir.is_unfinished() {
        if head < first.after {
            return Err(other_log(head));
        }
    } else {
        // A host's own log that is empty may still have keys and modules.
        if before == Before::Host && first.after == 0 {
            return Err(not_empty(root));
        }
        if head != first.after || id_at(&target.store, head)? != first.after_id {
            return Err(other_log(head));
        }
        data_dir.begin_restore()?;
    }
    target.there = head;
    for path in files {
        target.take(path, seen)?;
    }
    target.restored.head = self::head(&target.store)?;
    data_dir.end_restore()?;
    Ok(target.restored)
}

fn open(path: &Path) -> Result<BufReader<File>, RestoreError> {
    let opened = File::open(path).map_err(|source| RestoreError::Open {
        path: path.to_owned(),
        source,
    })?;
    Ok(BufReader::new(opened))
}

fn prove(path: &Path) -> Result<Outline, RestoreError> {
    outline(&mut open(path)?, &mut |_, _| {}).map_err(|source| RestoreError::Damaged {
        path: path.to_owned(),
        source,
    })
}

fn require_consecutive(files: &[PathBuf], outlines: &[Outline]) -> Result<(), RestoreError> {
    for (paths, pair) in files.windows(2).zip(outlines.windows(2)) {
        let (before, next) = (&pair[0], &pair[1]);
        if !next.goes_on_from(before) {
            return Err(RestoreError::NotConsecutive {
                before: paths[0].clone(),
                end: before.head,
                next: paths[1].clone(),
                after: next.after,
            });
        }
    }
    Ok(())
}

fn not_empty(root: &Path) -> RestoreError {
    RestoreError::NotEmpty {
        path: root.to_owned(),
    }
}

/// What is at a path before it is a data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// What no host made.
    Foreign,
    /// A data directory, or the beginning of one.
    Host,
}

impl Before {
    fn look(root: &Path) -> Result<Self, RestoreError> {
        let io = |source| DataDirError::Io {
            path: root.to_owned(),
            source,
        };
        let mut entries = match root.read_dir() {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::Nothing),
            Err(error) => return Err(io(error).into()),
        };
        if entries.next().is_none() {
            return Ok(Self::Nothing);
        }
        let is_data_dir = DataDir::is_one(root).map_err(io)?;
        Ok(if is_data_dir {
            Self::Host
        } else {
            Self::Foreign
        })
    }
}

/// What is restored into.
struct Target {
    root: PathBuf,
    store: Arc<dyn DcbEventStoreSync + Send + Sync>,
    database: PathBuf,
    /// Where the log ended when the restore began.
    there: u64,
    restored: Restored,
}

impl Target {
    fn open(data_dir: &DataDir) -> Result<Self, RestoreError> {
        Ok(Self {
            root: data_dir.root().to_owned(),
            store: Arc::new(EmbeddedStore::open(&data_dir.events())?),
            database: data_dir.database(),
            there: 0,
            restored: Restored::default(),
        })
    }

    /// Writes one file, which has been proved, and is proved again as it is read.
    fn take(&mut self, path: &Path, seen: &mut dyn FnMut(u64, u64)) -> Result<(), RestoreError> {
        let damaged = |source| RestoreError::Damaged {
            path: path.to_owned(),
            source,
        };
        let mut input = open(path)?;
        let mut reader = BackupReader::open(&mut input).map_err(damaged)?;
        let head = reader.header.head;
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut keys: Option<(Vec<u8>, Vec<KeyLine>)> = None;
        let mut shredded = Vec::new();
        while let Some(item) = reader.next().map_err(damaged)? {
            match item {
                Item::Event(event) => {
                    seen(event.position, head);
                    bytes += size(&event);
                    batch.push(event);
                    if batch.len() >= limits::APPEND_EVENTS || bytes >= limits::APPEND_PAYLOAD_BYTES
                    {
                        self.write(std::mem::take(&mut batch))?;
                        bytes = 0;
                    }
                }
                Item::MasterKey(proof) => keys = Some((proof, Vec::new())),
                Item::Key(key) => {
                    if let Some((_, keys)) = &mut keys {
                        keys.push(key);
                    }
                }
                Item::Shredded(scope) => shredded.push(scope),
            }
        }
        self.write(batch)?;
        self.write_keys(keys.as_ref(), &shredded)
    }

    /// Appends what is not there, after a look at what is.
    fn write(&mut self, events: Vec<EventLine>) -> Result<(), RestoreError> {
        let (old, new): (Vec<_>, Vec<_>) = events
            .into_iter()
            .partition(|event| event.position <= self.there);
        self.restored.events_before += old.len() as u64;
        self.compare(old)?;
        let Some(last) = new.last().map(|event| event.position) else {
            return Ok(());
        };
        let count = new.len() as u64;
        let new: Vec<DcbEvent> = new
            .into_iter()
            .map(|event| event.into_stored().map(|stored| stored.event))
            .collect::<Result<_, _>>()
            .map_err(|why| RestoreError::Append(DcbError::InvalidArgument(why)))?;
        let appended = self.store.append(new, None, None);
        let position = appended.map_err(RestoreError::Append)?;
        if position != last {
            let why = format!("the store put the event at {last} to position {position}");
            return Err(RestoreError::Append(DcbError::InternalError(why)));
        }
        self.restored.events += count;
        Ok(())
    }

    fn compare(&self, events: Vec<EventLine>) -> Result<(), RestoreError> {
        let Some(first) = events.first() else {
            return Ok(());
        };
        let (after, up_to) = (first.position - 1, first.position - 1 + events.len() as u64);
        let mut pages = Pages::everything(Arc::clone(&self.store), after, up_to);
        let mut stored = Vec::new();
        loop {
            let page = pages.next(limits::STORE_READ_EVENTS)?;
            if page.is_empty() {
                break;
            }
            stored.extend(page.into_iter().map(EventLine::of));
        }
        for (index, event) in events.into_iter().enumerate() {
            let position = event.position;
            if stored.get(index) != Some(&Some(event)) {
                return Err(RestoreError::OtherRestore {
                    path: self.root.clone(),
                    position,
                });
            }
        }
        Ok(())
    }

    /// What the last backup knows of keys stands: those that it does not have were deleted before
    /// it, and one that was deleted while it was made is deleted here.
    fn write_keys(
        &mut self,
        keys: Option<&(Vec<u8>, Vec<KeyLine>)>,
        shredded: &[ShreddedLine],
    ) -> Result<(), RestoreError> {
        let mut connection = data_dir::open_database(&self.database)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some((proof, keys)) = keys {
            transaction.execute("DELETE FROM data_key", [])?;
            let replace = "INSERT OR REPLACE INTO master_key (id, proof) VALUES (1, ?1)";
            transaction.execute(replace, [proof])?;
            let mut insert = transaction.prepare(
                "INSERT INTO data_key (id, scope, wrapped, created_at, messages, retired)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            )?;
            for key in keys {
                insert.execute(params![
                    key.id.as_bytes(),
                    key.scope,
                    key.wrapped.0,
                    key.created_at,
                    key.messages,
                    key.retired,
                ])?;
            }
        }
        transaction.execute("DELETE FROM shredded_scope", [])?;
        for ShreddedLine { scope, until } in shredded {
            let insert = "INSERT INTO shredded_scope (scope, until) VALUES (?1, ?2)";
            transaction.execute(insert, params![scope, until.as_bytes()])?;
            let delete = "DELETE FROM data_key WHERE scope = ?1 AND id <= ?2";
            transaction.execute(delete, params![scope, until.as_bytes()])?;
        }
        let there = transaction.query_row("SELECT count(*) FROM data_key", [], |row| row.get(0))?;
        transaction.commit()?;
        if keys.is_some() {
            self.restored.keys = Some(there);
        }
        Ok(())
    }
}

/// About as many bytes as the event takes in the store.
fn size(event: &EventLine) -> usize {
    let data = event.payload.as_ref().or(event.base64.as_ref());
    data.map_or(0, String::len)
}
