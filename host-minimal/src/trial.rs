//! One component on trial: run by itself, in a world that the caller makes up.
//!
//! Everything that a module can notice is the host's own: the engine with its limits, the linker,
//! the SQLite guards, the transactions with their conflicts, the envelope and the encryption. Only
//! what is outside of a host is given: the history, the log's clock and ids, the variables, and
//! the answers to HTTP requests. Nothing of it is kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use semver::Version;
use uuid::Uuid;

use crate::capabilities::clock::Present;
use crate::capabilities::http::{HttpClient, HttpPolicy};
pub use crate::capabilities::http::{Outgoing, OutgoingFailure, OutgoingRequest, OutgoingResponse};
use crate::capabilities::output::Outputs;
use crate::commands::{Call, Commands, ExecuteError, Executed};
use crate::engine::cache::{CacheError, CompileCache};
use crate::engine::{Engine, EngineError};
use crate::host::Settings;
use crate::keys::{KeyError, KeyRing, MasterKey};
use crate::limits;
use crate::modules::component::{Identity, LoadedModule, Services};
use crate::modules::{LoadError, ModuleKind, ModuleName, ModuleSettings};
use crate::shredding::Shredder;
use crate::snapshots::Snapshots;
use crate::store::{EventLog, Query, RecordedEvent, Rehearsal};
use crate::subscriptions::ModuleFiles;
use crate::subscriptions::trial::Rehearsed;

/// Wraps the data keys of trials, which nobody has to keep from anybody.
const MASTER_KEY: &str = "7472696174726961747269617472696174726961747269617472696174726961";

/// The place where components are tried.
#[derive(Debug)]
pub struct Trials {
    engine: Engine,
    cache: CompileCache,
    /// For those that send nothing.
    http: HttpClient,
}

/// Why no component can be tried here.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrialError {
    /// A directory cannot be made.
    #[error("cannot use the directory {}", .path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The machine cannot run WebAssembly.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The compile cache cannot be opened.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// Payloads cannot be encrypted.
    #[error(transparent)]
    Keys(#[from] KeyError),
}

/// What is the case when a component is tried.
#[derive(Debug, Clone)]
pub struct World {
    /// The log, in the order of positions. An event without a payload names its scope.
    pub history: Vec<RecordedEvent>,
    /// The time at which new events are written, and which the module takes for the present.
    pub now: DateTime<Utc>,
    /// The id of a new event at position n is this plus n.
    pub event_ids: Uuid,
    /// The module's variables.
    pub env: BTreeMap<String, String>,
}

/// A component that can be tried.
#[derive(Debug, Clone)]
pub struct Candidate {
    module: LoadedModule,
}

/// What a command did.
#[derive(Debug)]
pub struct CommandTrial {
    /// How it ended.
    pub outcome: Result<Executed, ExecuteError>,
    /// What it appended.
    pub emitted: Vec<RecordedEvent>,
    /// What it read, in order.
    pub queries: Vec<Query>,
}

/// What a projector did.
#[derive(Debug)]
pub struct ProjectorTrial {
    /// Where it stopped, if it did.
    pub failure: Option<TrialFailure>,
    /// Its tables, by name.
    pub tables: Vec<Table>,
}

impl ProjectorTrial {
    pub(crate) fn failed(failure: TrialFailure) -> Self {
        Self {
            failure: Some(failure),
            tables: Vec::new(),
        }
    }
}

/// A table, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its rows, in SQLite's order.
    pub rows: Vec<Vec<Cell>>,
}

/// A value in a table.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// `NULL`.
    Null,
    /// `INTEGER`.
    Integer(i64),
    /// `REAL`.
    Real(f64),
    /// `TEXT`.
    Text(String),
    /// `BLOB`.
    Blob(Vec<u8>),
}

/// What one delivery of events to an effect did.
#[derive(Debug, Default)]
pub struct Delivery {
    /// The positions that were handed over, with their partition keys.
    pub lanes: Vec<(u64, Option<String>)>,
    /// What its commands appended.
    pub emitted: Vec<RecordedEvent>,
    /// The scopes that it shredded.
    pub shredded: Vec<String>,
    /// Where it stopped, if it did.
    pub failure: Option<TrialFailure>,
}

/// Where a projector or an effect stopped, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialFailure {
    /// The event that it was at; `None` while it started.
    pub position: Option<u64>,
    /// What the host would say.
    pub message: String,
    /// What the module said when it panicked.
    pub panic: Option<String>,
}

impl Trials {
    /// Prepares for trials, and keeps compiled components in `cache`.
    ///
    /// # Errors
    ///
    /// See [`TrialError`].
    pub fn open(cache: &Path) -> Result<Self, TrialError> {
        make(cache)?;
        forget_old(cache);
        let engine = Engine::new()?;
        Ok(Self {
            cache: CompileCache::open(&engine, cache)?,
            engine,
            http: HttpClient::new(HttpPolicy::default()),
        })
    }

    /// Compiles, links and starts a component, which has what `settings` say: its limits, and where an
    /// effect may send requests. Whoever answers them is not asked about others.
    ///
    /// # Errors
    ///
    /// See [`LoadError`].
    pub fn load(
        &self,
        wasm: &[u8],
        kind: ModuleKind,
        name: &ModuleName,
        settings: ModuleSettings,
    ) -> Result<Candidate, LoadError> {
        let identity = Identity {
            kind,
            name: name.clone(),
            version: Version::new(0, 0, 0),
            env: BTreeMap::new(),
            settings,
        };
        let module = LoadedModule::load(&self.engine, &self.cache, identity, wasm)?;
        Ok(Candidate { module })
    }

    /// Calls a command.
    ///
    /// # Errors
    ///
    /// The history cannot be encrypted.
    pub fn execute(
        &self,
        candidate: &Candidate,
        world: World,
        input: &str,
        call: &Call,
    ) -> Result<CommandTrial, KeyError> {
        let head = world.history.last().map_or(0, |event| event.position);
        let module = candidate.module.with_env(world.env.clone());
        let services = self.services(world, self.http.clone())?;
        let log = services.log.clone();
        let commands = Commands::new(services);
        let name = module.name().clone();
        commands.activate(module);
        let outcome = commands.execute(name.as_str(), input, call);
        Ok(CommandTrial {
            outcome,
            queries: log.rehearsed_queries(),
            emitted: log.everything_after(head).unwrap_or_default(),
        })
    }

    /// Runs a projector through the history, on an empty database.
    ///
    /// # Errors
    ///
    /// The history cannot be encrypted, or no directory for the database can be made.
    pub fn project(
        &self,
        candidate: &Candidate,
        world: World,
    ) -> Result<ProjectorTrial, TrialError> {
        let trial = self.rehearse(candidate, world, self.http.clone())?;
        Ok(trial.rehearsed.project())
    }

    /// Makes an effect ready to be handed the history, with an empty database. `outgoing` answers
    /// what it sends.
    ///
    /// # Errors
    ///
    /// The history cannot be encrypted, or no directory for the database can be made.
    pub fn effect(
        &self,
        candidate: &Candidate,
        world: World,
        outgoing: Arc<dyn Outgoing>,
    ) -> Result<EffectTrial, TrialError> {
        self.rehearse(candidate, world, HttpClient::scripted(outgoing))
    }

    fn rehearse(
        &self,
        candidate: &Candidate,
        world: World,
        http: HttpClient,
    ) -> Result<EffectTrial, TrialError> {
        let module = candidate.module.with_env(world.env.clone());
        let services = self.services(world, http)?;
        let room = Room::make()?;
        let files = ModuleFiles {
            database: room.0.join("module.sqlite"),
            log: room.0.join("module.log"),
        };
        Ok(EffectTrial {
            rehearsed: Rehearsed::new(module, services, files),
            _room: room,
        })
    }

    fn services(&self, world: World, http: HttpClient) -> Result<Services, KeyError> {
        let present = Present::At(world.now);
        let rehearsal = Rehearsal::new(world.now, world.event_ids);
        // Of this world alone: what is shredded in one has its key in another.
        let keys = KeyRing::open(Path::new(":memory:"), &MasterKey::from_hex(MASTER_KEY)?)?;
        let keys = Arc::new(keys);
        let outputs = Outputs::default();
        Ok(Services {
            engine: self.engine.clone(),
            shredder: Shredder::new(Arc::clone(&keys), outputs.clone(), Snapshots::none()),
            snapshots: Snapshots::none(),
            outputs,
            log: EventLog::rehearsed(world.history, keys, rehearsal)?,
            http,
            settings: Settings::default(),
            metrics: Arc::default(),
            present,
            printed: None,
        })
    }
}

/// An effect with its database and what became of the log.
pub struct EffectTrial {
    rehearsed: Rehearsed,
    /// Dropped last: it removes the database.
    _room: Room,
}

impl std::fmt::Debug for EffectTrial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EffectTrial").finish_non_exhaustive()
    }
}

impl EffectTrial {
    /// Hands everything after position `after` to a new instance, one event after the other, and
    /// also what its commands add meanwhile, up to the first failure.
    pub fn deliver(&self, after: u64) -> Delivery {
        self.rehearsed.deliver(after)
    }
}

/// Removes what was compiled long ago. Whoever still wants it compiles it again.
fn forget_old(cache: &Path) {
    let entries = std::fs::read_dir(cache).into_iter().flatten().flatten();
    for entry in entries {
        let compiled = entry.path().extension().is_some_and(|it| it == "cwasm");
        let modified = entry.metadata().and_then(|metadata| metadata.modified());
        let age = modified.ok().and_then(|modified| modified.elapsed().ok());
        if compiled && age.is_some_and(|age| age > limits::TRIAL_CACHE_AGE) {
            // Another process may have been quicker.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// A directory that goes away with this.
#[derive(Debug)]
struct Room(PathBuf);

impl Room {
    fn make() -> Result<Self, TrialError> {
        let name = format!("umari-trial-{}", Uuid::new_v4().simple());
        let path = std::env::temp_dir().join(name);
        make(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // Nothing depends on its being gone.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Makes a directory that others cannot look into.
fn make(path: &Path) -> Result<(), TrialError> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|source| TrialError::Directory {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn what_was_compiled_long_ago_is_forgotten() {
        let cache = tempfile::tempdir().unwrap();
        let minute = Duration::from_secs(60);
        let ages = [
            ("new.cwasm", limits::TRIAL_CACHE_AGE - minute),
            ("old.cwasm", limits::TRIAL_CACHE_AGE + minute),
            ("key", limits::TRIAL_CACHE_AGE + minute),
        ];
        for (name, age) in ages {
            let file = std::fs::File::create(cache.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        }
        forget_old(cache.path());
        let left = |name: &str| cache.path().join(name).exists();
        assert!(left("new.cwasm") && !left("old.cwasm") && left("key"));
    }

    #[test]
    fn nothing_is_left_of_trials_but_what_they_compiled() {
        let room = Room::make().unwrap();
        let path = room.0.clone();
        std::fs::write(path.join("module.sqlite"), "rows").unwrap();
        drop(room);
        assert!(!path.exists());
    }
}
