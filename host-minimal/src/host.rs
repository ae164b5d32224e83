//! The host: a data directory, the modules that are active in it, and everything they need.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use semver::Version;
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

mod as_of;
mod keys;
mod lifecycle;
mod parking;
mod pausing;
mod reading;
mod replaying;
mod status;

pub use self::as_of::PastReadModel;
pub use self::keys::rotate_master_key;
pub use self::lifecycle::{Activated, ModuleError, Upload};
pub use self::pausing::PauseError;
pub use self::reading::Reached;
pub use self::status::{Health, ModuleStatus};

use crate::api_keys::{ApiKeyError, ApiKeys};
use crate::backup::{self, BackupError};
use crate::capabilities::clock::Present;
use crate::capabilities::http::{HttpClient, HttpPolicy};
use crate::capabilities::output::{Outputs, PrintedLine};
use crate::commands::{ActiveCommand, Call, CommandLoad, Commands, ExecuteError, Executed};
use crate::data_dir::{DataDir, DataDirError, DatabaseError};
use crate::engine::cache::{CacheError, CompileCache};
use crate::engine::{Compiling, Engine, EngineError};
use crate::keys::{KeyError, KeyRing, MasterKey};
use crate::limits;
use crate::metrics::{Metrics, Moment, MomentError};
use crate::modules::component::Services;
use crate::modules::store::Inserted;
use crate::modules::{ModuleKind, ModuleName, ModuleStore, ModuleStoreError, StoredModule};
use crate::replay::Replays;
use crate::shredding::{Readers, Shredder};
use crate::snapshots::Snapshots;
use crate::store::{EmbeddedStore, EventFilter, EventLog, OpenError, ReadError, RecordedEvent};
use crate::subscriptions::Subscription;
use crate::survey;
use crate::wall_clock::WallClock;

/// What a host is started with.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HostConfig {
    /// Where everything is kept; created where it is missing.
    pub data_dir: PathBuf,
    /// 64 hexadecimal digits that wrap all data keys. Without them a key file in the data
    /// directory is used, and generated where it is missing.
    pub master_key: Option<String>,
    /// Where effects may send requests.
    pub http: HttpPolicy,
    /// Deadlines, memory and pauses.
    pub settings: Settings,
    /// What dates events and tells guests the time.
    pub clock: WallClock,
    /// Takes each line that a module prints. Lines that it has no room for are lost.
    pub printed: Option<SyncSender<PrintedLine>>,
    /// Goes on with a log whose `umari.sqlite` is lost: without modules, API keys and the data keys
    /// of encrypted events. An error where there is one.
    pub new_metadata: bool,
}

impl HostConfig {
    /// The defaults, in `data_dir`.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            master_key: None,
            http: HttpPolicy::default(),
            settings: Settings::default(),
            clock: WallClock::default(),
            printed: None,
            new_metadata: false,
        }
    }
}

/// What may be set of the limits; the rest is in [`limits`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Settings {
    /// How long a command may take, all its attempts together.
    pub command_deadline: Duration,
    /// How long a projector may take to start or to handle one event.
    pub projector_deadline: Duration,
    /// How long an effect may take to start or to handle one event.
    pub effect_deadline: Duration,
    /// Linear memory that one instance may have, in bytes; at most
    /// [`limits::GUEST_MEMORY_BYTES`].
    pub memory_bytes: usize,
    /// Commands that run at once; at most [`limits::CONCURRENT_COMMANDS`].
    pub concurrent_commands: usize,
    /// Calls of commands that may wait for these.
    pub queued_commands: usize,
    /// The first pause after a projector or effect failed.
    pub retry_base: Duration,
    /// The longest pause after a projector or effect failed.
    pub retry_cap: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            command_deadline: limits::COMMAND_DEADLINE,
            projector_deadline: limits::PROJECTOR_DEADLINE,
            effect_deadline: limits::EFFECT_DEADLINE,
            memory_bytes: limits::GUEST_MEMORY_BYTES,
            concurrent_commands: limits::CONCURRENT_COMMANDS,
            queued_commands: limits::QUEUED_COMMANDS,
            retry_base: limits::RETRY_BACKOFF_BASE,
            retry_cap: limits::RETRY_BACKOFF_CAP,
        }
    }
}

/// Why a host did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The data directory cannot be used.
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    /// `umari.sqlite` cannot be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The event store cannot be opened.
    #[error(transparent)]
    EventStore(#[from] OpenError),
    /// The module store cannot be opened.
    #[error(transparent)]
    ModuleStore(#[from] ModuleStoreError),
    /// The master key is missing, wrong or unreadable.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The API keys cannot be read.
    #[error(transparent)]
    ApiKeys(#[from] ApiKeyError),
    /// The compile cache cannot be opened.
    #[error(transparent)]
    Cache(#[from] CacheError),
    /// The machine cannot run WebAssembly.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

/// A running host. Clones are handles to the same one.
#[derive(Clone)]
pub struct Host {
    inner: Arc<Inner>,
}

struct Inner {
    services: Services,
    commands: Commands,
    keys: Arc<KeyRing>,
    modules: ModuleStore,
    api_keys: ApiKeys,
    cache: CompileCache,
    /// By kind and name; a command has none.
    subscriptions: Mutex<BTreeMap<(ModuleKind, ModuleName), Subscription>>,
    /// Active modules that could not be loaded, and why.
    broken: Mutex<BTreeMap<(ModuleKind, ModuleName), (Version, String)>>,
    /// One change of what is active at a time.
    changing: Mutex<()>,
    /// Read models that are built anew.
    replays: Arc<Replays>,
    /// One permit for each read model of the past that is built or sent.
    pasts: Arc<Semaphore>,
    /// Tells those who wait for a projector that one has been started.
    started: watch::Sender<()>,
    /// One permit for each question to a read model that may be answered at once.
    queries: Arc<Semaphore>,
    failure: watch::Receiver<Option<String>>,
    store: Arc<EmbeddedStore>,
    /// Holds the lock on the directory; dropped last.
    data_dir: DataDir,
}

impl Host {
    /// Opens the data directory and starts every module that is active in it.
    ///
    /// A module that cannot be started does not keep the host from starting: it is shown as
    /// broken, and the host is not healthy.
    ///
    /// # Errors
    ///
    /// [`StartError`], whose message says what to do.
    pub fn start(config: HostConfig) -> Result<Self, StartError> {
        let data_dir = DataDir::open(config.data_dir)?;
        data_dir.check_events()?;
        check_metadata(&data_dir, config.new_metadata)?;
        let master = match &config.master_key {
            Some(digits) => MasterKey::from_hex(digits)?,
            None => MasterKey::in_file(data_dir.master_key()),
        };
        let keys = Arc::new(KeyRing::open(&data_dir.database(), &master)?);
        let file = data_dir.master_key();
        if config.master_key.is_some() && file.exists() {
            tracing::warn!(
                "{} is not in use, as the master key is configured: it may be an old key, which opens \
                 old backups, so keep it in a safe place or destroy it",
                file.display()
            );
        }
        let modules = ModuleStore::open(&data_dir.database())?;
        let api_keys = ApiKeys::open(&data_dir.database())?;
        let store = Arc::new(EmbeddedStore::open(&data_dir.events())?);
        let outputs = Outputs::within(data_dir.module_directories());
        let log = EventLog::with_clock(store.clone(), Arc::clone(&keys), config.clock.clone());
        let snapshots = Snapshots::open(&data_dir.snapshots(), Arc::clone(&keys), log.clone());
        let shredder = Shredder::new(Arc::clone(&keys), outputs.clone(), snapshots.clone());
        if let Err(reason) = shredder.remove_traces() {
            tracing::error!("copies of a shredded scope may be left: {reason}");
        }
        let readers = Readers::new(log.clone(), data_dir.module_directories());
        let shredder = shredder.with_readers(readers);
        let engine = Engine::compiling(Compiling::OnHalfTheCores)?;
        let cache = CompileCache::open(&engine, &data_dir.cache())?;
        cache.tidy();
        let (failed, failure) = watch::channel(None);
        log.on_failure(Box::new(move |reason| {
            failed.send_replace(Some(reason.to_owned()));
        }));
        let services = Services {
            engine,
            log,
            shredder,
            snapshots,
            outputs,
            http: HttpClient::new(config.http),
            settings: config.settings,
            metrics: Arc::default(),
            present: Present::Call(config.clock),
            printed: config.printed,
        };
        let host = Self {
            inner: Arc::new(Inner {
                commands: Commands::new(services.clone()),
                services,
                keys,
                modules,
                api_keys,
                cache,
                subscriptions: Mutex::default(),
                broken: Mutex::default(),
                changing: Mutex::default(),
                replays: Arc::default(),
                pasts: Arc::new(Semaphore::new(limits::CONCURRENT_AS_OF)),
                started: watch::Sender::new(()),
                queries: Arc::new(Semaphore::new(limits::CONCURRENT_QUERIES)),
                failure,
                store,
                data_dir,
            }),
        };
        host.start_active()?;
        Ok(host)
    }

    /// Runs the command `name` with `input` (JSON text). Blocks; not for async threads.
    ///
    /// # Errors
    ///
    /// See [`ExecuteError`].
    pub fn execute(&self, name: &str, input: &str, call: &Call) -> Result<Executed, ExecuteError> {
        self.inner.commands.execute(name, input, call)
    }

    /// How many calls of commands run and wait.
    pub fn command_load(&self) -> CommandLoad {
        self.inner.commands.load()
    }

    /// The commands that are active, by name.
    pub fn active_commands(&self) -> Vec<ActiveCommand> {
        self.inner.commands.active()
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.inner.services.metrics
    }

    /// How the host stands just now, for its figures.
    pub(crate) fn moment(&self) -> Result<Moment, MomentError> {
        Ok(Moment {
            head: self.head()?,
            appended: self.inner.services.log.appended(),
            snapshots: self.inner.services.snapshots.figures(),
            load: self.command_load(),
            modules: self.modules()?,
        })
    }

    /// The JSON Schema of a command's input, where the command can tell it.
    ///
    /// # Errors
    ///
    /// [`ExecuteError::NotFound`].
    pub fn schema(&self, name: &str) -> Result<Option<String>, ExecuteError> {
        self.inner.commands.schema(name)
    }

    /// Checks and stores one version of a module. It does not run before it is activated.
    ///
    /// # Errors
    ///
    /// See [`ModuleError`]; nothing is stored then.
    pub fn upload(&self, upload: Upload) -> Result<Inserted, ModuleError> {
        lifecycle::upload(&self.inner, upload)
    }

    /// Makes `version` the one that runs, in place of any other. Returns when it runs, or, where
    /// it is a new major version of a projector, when its replay has begun.
    ///
    /// # Errors
    ///
    /// See [`ModuleError`]; what ran before goes on then.
    pub fn activate(
        &self,
        kind: ModuleKind,
        name: &ModuleName,
        version: &Version,
    ) -> Result<Activated, ModuleError> {
        lifecycle::activate(&self.inner, kind, name, version)
    }

    /// Stops a module. Its database stays where it is; whether it was active.
    ///
    /// # Errors
    ///
    /// [`ModuleError::Store`] when the change cannot be saved.
    pub fn deactivate(&self, kind: ModuleKind, name: &ModuleName) -> Result<bool, ModuleError> {
        lifecycle::deactivate(&self.inner, kind, name)
    }

    /// Every stored version, of one kind or of all.
    ///
    /// # Errors
    ///
    /// [`ModuleStoreError`] when the module store cannot be read.
    pub fn stored(&self, kind: Option<ModuleKind>) -> Result<Vec<StoredModule>, ModuleStoreError> {
        self.inner.modules.list(kind)
    }

    /// Every stored version of one module.
    ///
    /// # Errors
    ///
    /// [`ModuleStoreError`] when the module store cannot be read.
    pub fn versions(
        &self,
        kind: ModuleKind,
        name: &ModuleName,
    ) -> Result<Vec<StoredModule>, ModuleStoreError> {
        self.inner.modules.versions(kind, name)
    }

    /// How every active module is doing.
    ///
    /// # Errors
    ///
    /// [`ModuleStoreError`] when the module store cannot be read.
    pub fn modules(&self) -> Result<Vec<ModuleStatus>, ModuleStoreError> {
        status::modules(&self.inner)
    }

    /// How one module is doing; `None` where none of its versions is active.
    ///
    /// # Errors
    ///
    /// [`ModuleStoreError`] when the module store cannot be read.
    pub fn module(
        &self,
        kind: ModuleKind,
        name: &ModuleName,
    ) -> Result<Option<ModuleStatus>, ModuleStoreError> {
        let mut modules = self.modules()?.into_iter();
        Ok(modules.find(|module| module.kind == kind && module.name == *name))
    }

    /// Whether every active module runs.
    ///
    /// # Errors
    ///
    /// [`ModuleStoreError`] when the module store cannot be read.
    pub fn health(&self) -> Result<Health, ModuleStoreError> {
        status::health(&self.inner)
    }

    /// The keys to the HTTP API that this host has given out.
    pub fn api_keys(&self) -> &ApiKeys {
        &self.inner.api_keys
    }

    /// What a projector or effect printed last; `None` where it does not run.
    pub fn output(&self, kind: ModuleKind, name: &ModuleName) -> Option<String> {
        let subscriptions = self.inner.subscriptions();
        subscriptions
            .get(&(kind, name.clone()))
            .map(Subscription::output)
    }

    /// Events that meet `filter`, after position `after`, at most `limit` of them.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn events(
        &self,
        filter: &EventFilter,
        after: u64,
        limit: usize,
    ) -> Result<Vec<RecordedEvent>, ReadError> {
        self.inner.services.log.search(filter, after, limit)
    }

    /// The event with this id.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn event(&self, id: Uuid) -> Result<Option<RecordedEvent>, ReadError> {
        self.inner.services.log.event(id)
    }

    /// The event at this position.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn event_at(&self, position: u64) -> Result<Option<RecordedEvent>, ReadError> {
        let Some(after) = position.checked_sub(1) else {
            return Ok(None);
        };
        let found = self.events(&EventFilter::default(), after, 1)?;
        Ok(found.into_iter().find(|event| event.position == position))
    }

    /// The log's head as it moves, for async code. Whoever subscribes first and reads then
    /// misses nothing.
    pub fn heads(&self) -> watch::Receiver<u64> {
        self.inner.services.log.heads()
    }

    /// Position of the last event; 0 for an empty log.
    ///
    /// # Errors
    ///
    /// See [`ReadError`].
    pub fn head(&self) -> Result<u64, ReadError> {
        self.inner.services.log.head()
    }

    /// Whether the log is the one that `request` wants to be backed up.
    ///
    /// # Errors
    ///
    /// See [`BackupError`].
    pub fn check_backup(&self, request: &backup::Request) -> Result<(), BackupError> {
        backup::check(&(self.inner.store.clone() as _), request)
    }

    /// Writes a backup of the log as it is now, while it grows, and of the data keys. Blocks until
    /// all is written; not for async threads.
    ///
    /// # Errors
    ///
    /// See [`BackupError`]. What was written until then ends with the reason, and is no backup.
    pub fn back_up(
        &self,
        request: &backup::Request,
        out: &mut dyn io::Write,
    ) -> Result<(), BackupError> {
        let database = self.inner.data_dir.database();
        backup::write(&(self.inner.store.clone() as _), &database, request, out)
    }

    /// The event log itself.
    #[cfg(test)]
    pub(crate) fn log(&self) -> &EventLog {
        &self.inner.services.log
    }

    /// Why the event store failed, if it did. The process should end then: what was acknowledged
    /// is durable, and nothing more can be.
    pub fn failure(&self) -> Option<String> {
        self.inner.failure.borrow().clone()
    }

    /// Waits until the event store fails; forever, where it does not.
    pub async fn wait_failure(&self) -> String {
        let mut failure = self.inner.failure.clone();
        let failed = failure.wait_for(Option::is_some).await.is_ok();
        // Bound first: what `wait_for` gives borrows the channel and may not cross an await.
        let reason = failure.borrow().clone();
        match reason {
            Some(reason) if failed => reason,
            _ => std::future::pending().await,
        }
    }

    /// Where the host keeps everything.
    pub fn data_dir(&self) -> &std::path::Path {
        self.inner.data_dir.root()
    }

    /// Stops every module after the event that it handles, for `patience` at most, and closes
    /// the event store. Whether everything had stopped in time: what had not is delivered again
    /// after the next start.
    pub fn shutdown(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        // Before anything else: a replay that switches holds what this waits for.
        let replays = self.inner.replays.stop_all();
        let changing = self.inner.changing();
        let mut subscriptions = std::mem::take(&mut *self.inner.subscriptions());
        for subscription in subscriptions.values() {
            subscription.ask_to_stop();
        }
        let mut all = true;
        for subscription in subscriptions.values_mut() {
            all &= subscription.wait_stopped(end.saturating_duration_since(Instant::now()));
        }
        drop(changing);
        for replay in replays {
            all &= replay.wait_ended(end.saturating_duration_since(Instant::now()));
        }
        self.inner.services.snapshots.close();
        self.inner.store.close();
        all
    }
}

/// Makes sure that no new `umari.sqlite` is made beside a log that has had one, unless that is
/// wanted.
fn check_metadata(data_dir: &DataDir, new: bool) -> Result<(), StartError> {
    if data_dir.has_metadata() {
        let path = data_dir.database();
        return match new {
            true => Err(DataDirError::MetadataThere { path }.into()),
            false => Ok(()),
        };
    }
    let head = survey::head(&data_dir.events())?.unwrap_or(0);
    match data_dir.missing_metadata(head) {
        Some(_) if new => {
            tracing::warn!(
                "{} is made anew beside a log of {head} events: deploy its modules and make its API \
                 keys again",
                data_dir.database().display()
            );
            Ok(())
        }
        missing => missing.map_or(Ok(()), |missing| Err(missing.into())),
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("data_dir", &self.data_dir())
            .finish_non_exhaustive()
    }
}

impl Drop for Inner {
    /// Nobody has a handle any more, so nothing runs on: threads end by themselves, and with the
    /// last one what they share, such as the memory that is reserved for instances.
    fn drop(&mut self) {
        self.replays.stop_all();
        for subscription in self.subscriptions().values() {
            subscription.ask_to_stop();
        }
    }
}

impl Inner {
    fn subscriptions(&self) -> MutexGuard<'_, BTreeMap<(ModuleKind, ModuleName), Subscription>> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self) -> MutexGuard<'_, BTreeMap<(ModuleKind, ModuleName), (Version, String)>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn changing(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
