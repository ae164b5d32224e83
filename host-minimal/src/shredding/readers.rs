//! Who has handled events of a scope.
//!
//! What projectors and effects made of a scope's events stays where they put it, so a shredding
//! says who they are. One that runs is asked what it reads and how far it has come. One that does
//! not run has a file that says how far it came and nothing about what it reads, so it is named
//! wherever it came that far.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use crate::keys::Reader;
use crate::modules::{ModuleKind, ModuleName};
use crate::store::{EventLog, Query, ReadError};
use crate::subscriptions::progress::{self, Reached};

/// Something that follows the log.
pub(crate) trait Following: std::fmt::Debug + Send + Sync {
    /// The highest position of an event that it has handled or is handling.
    fn handled(&self) -> u64;
    /// What it reads; `None` before it has said so.
    fn query(&self) -> Option<Arc<Query>>;
}

type Followers = HashMap<(ModuleKind, ModuleName), Weak<dyn Following>>;

/// The projectors and effects of a host, and where their databases lie.
#[derive(Debug, Clone)]
pub(crate) struct Readers {
    log: EventLog,
    databases: [(ModuleKind, PathBuf); 2],
    running: Arc<Mutex<Followers>>,
}

/// A module that may have handled events of the scope.
struct Candidate {
    reader: Reader,
    handled: u64,
    query: Option<Arc<Query>>,
    found: bool,
}

impl Readers {
    /// The modules whose databases lie in these directories: projectors' and effects'.
    pub(crate) fn new(log: EventLog, [projectors, effects]: [PathBuf; 2]) -> Self {
        Self {
            log,
            databases: [
                (ModuleKind::Projector, projectors),
                (ModuleKind::Effect, effects),
            ],
            running: Arc::default(),
        }
    }

    /// A module runs from now on, in place of any other of its name.
    pub(crate) fn runs(&self, kind: ModuleKind, name: ModuleName, follower: Weak<dyn Following>) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert((kind, name), follower);
    }

    /// Every module that has handled an event of the scope, or may have, by kind and name.
    ///
    /// # Errors
    ///
    /// The log or a directory cannot be read.
    pub(crate) fn of(&self, scope: &str) -> Result<Vec<Reader>, ReadersError> {
        let mut candidates = Vec::new();
        for (kind, directory) in &self.databases {
            for entry in std::fs::read_dir(directory)? {
                candidates.extend(self.candidate(*kind, &entry?.path()));
            }
        }
        self.log.encrypted_under(scope, &mut |event| {
            for candidate in &mut candidates {
                let reads = |query: &Arc<Query>| query.matches(&event.event_type, &event.tags);
                candidate.found |= event.position <= candidate.handled
                    && candidate.query.as_ref().is_none_or(reads);
            }
            candidates.iter().any(|candidate| !candidate.found)
        })?;
        candidates.retain(|candidate| candidate.found);
        candidates.sort_by(|one, other| {
            let key = |it: &Candidate| (it.reader.kind == "effect", it.reader.name.clone());
            key(one).cmp(&key(other))
        });
        Ok(candidates.into_iter().map(|it| it.reader).collect())
    }

    fn candidate(&self, kind: ModuleKind, database: &Path) -> Option<Candidate> {
        if database.extension()? != "sqlite" {
            return None;
        }
        let name: ModuleName = database.file_stem()?.to_str()?.parse().ok()?;
        // A database that cannot be read may hold anything.
        let Reached {
            position,
            own_tables,
        } = progress::reached(database).unwrap_or(Reached {
            position: u64::MAX,
            own_tables: true,
        });
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let follower = running.get(&(kind, name.clone())).and_then(Weak::upgrade);
        drop(running);
        let handled = follower.as_ref().map_or(0, |it| it.handled());
        let handled = handled.max(position);
        let query = follower.and_then(|it| it.query());
        Some(Candidate {
            reader: Reader {
                kind: kind.as_str().to_owned(),
                name: name.to_string(),
                position: (position < u64::MAX).then_some(handled),
                certain: query.is_some() && position < u64::MAX,
                keeps_data: own_tables,
                replay: None,
            },
            handled,
            query,
            found: false,
        })
    }
}

/// Why it is not known who has read a scope.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadersError {
    #[error("the log cannot be read")]
    Log(#[from] ReadError),
    #[error("the modules' directories cannot be read")]
    Directory(#[from] std::io::Error),
}
