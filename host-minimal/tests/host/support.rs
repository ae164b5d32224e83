//! A host to run the fixtures in.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use host_minimal::commands::{Call, ExecuteError, Executed};
use host_minimal::host::{ModuleStatus, Upload};
use host_minimal::limits::EVENTS_PAGE_EVENTS;
use host_minimal::modules::{ModuleKind, ModuleName, ModuleSettings};
use host_minimal::store::{EventFilter, RecordedEvent};
use host_minimal::subscriptions::Failure;
use host_minimal::{Host, HostConfig, HttpPolicy, WallClock};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

#[path = "fixtures.rs"]
pub(crate) mod fixtures;

pub(crate) use self::fixtures::fixtures;

/// A host on a data directory of its own.
pub(crate) struct TestHost {
    pub(crate) host: Host,
    config: HostConfig,
    directory: TempDir,
}

impl TestHost {
    /// A host whose commands have three seconds and whose modules try again at once.
    pub(crate) fn start() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self::on(config(directory.path()), directory)
    }

    fn on(config: HostConfig, directory: TempDir) -> Self {
        Self {
            host: Host::start(config.clone()).expect("the host starts"),
            config,
            directory,
        }
    }

    /// The same, with other settings.
    pub(crate) fn start_with(change: impl FnOnce(&mut HostConfig)) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let mut config = config(directory.path());
        change(&mut config);
        Self::on(config, directory)
    }

    /// A host with every command of the fixtures, whose time of day the test sets.
    pub(crate) fn with_clock(clock: &WallClock) -> Self {
        Self::start_with(|config| config.clock = clock.clone()).deploy_commands()
    }

    /// A host with every command of the fixtures active.
    pub(crate) fn with_commands() -> Self {
        Self::start().deploy_commands()
    }

    /// The same, with the deadlines that users get.
    pub(crate) fn patient() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let config = HostConfig::new(directory.path().join("data"));
        Self::on(config, directory).deploy_commands()
    }

    /// A host without modules whose master key is configured.
    pub(crate) fn with_master_key(digits: &str) -> Self {
        Self::start_with(|config| config.master_key = Some(digits.to_owned()))
    }

    /// The same as [`with_commands`](Self::with_commands), but what fails is never tried again by
    /// itself.
    pub(crate) fn without_retries() -> Self {
        Self::start_with(|config| {
            config.settings.retry_base = Duration::from_secs(24 * 60 * 60);
            config.settings.retry_cap = config.settings.retry_base;
        })
        .deploy_commands()
    }

    /// A host on what another, which goes on, has on disk now: what a host finds that starts
    /// after a kill.
    pub(crate) fn after_kill_of(other: &Self) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        copy(
            &other.directory().join("data"),
            &directory.path().join("data"),
        );
        let mut config = other.config.clone();
        config.data_dir = directory.path().join("data");
        Self::on(config, directory)
    }

    fn deploy_commands(self) -> Self {
        for name in [
            "chatter",
            "count-as-of",
            "count-kept",
            "count-one-way",
            "count-up",
            "doze",
            "hoard",
            "note",
            "note-in-all",
            "note-secret",
            "panic",
            "recurse",
            "request-erasure",
            "reject",
            "reject-in-words",
            "spin",
            "tally",
            "watch-clock",
        ] {
            self.deploy(ModuleKind::Command, name, &[]);
        }
        self
    }

    /// Stops the host and starts it again on the same data.
    pub(crate) fn restart(self) -> Self {
        self.restart_after(|_| ())
    }

    /// The same, and does something to the data directory meanwhile.
    pub(crate) fn restart_after(self, change: impl FnOnce(&Path)) -> Self {
        let Self {
            host,
            config,
            directory,
        } = self;
        assert!(host.shutdown(PATIENCE), "the host did not stop in time");
        drop(host);
        change(&config.data_dir);
        Self::on(config, directory)
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Uploads and activates a fixture.
    pub(crate) fn deploy(&self, kind: ModuleKind, name: &str, env: &[(&str, &str)]) {
        self.deploy_version(kind, name, "1.0.0", env);
    }

    pub(crate) fn deploy_version(
        &self,
        kind: ModuleKind,
        name: &str,
        version: &str,
        env: &[(&str, &str)],
    ) {
        self.deploy_upload(upload(kind, name, version, env));
    }

    /// Uploads and activates a fixture with the settings in a JSON document.
    pub(crate) fn deploy_with(
        &self,
        kind: ModuleKind,
        name: &str,
        version: &str,
        env: &[(&str, &str)],
        settings: &Value,
    ) {
        let mut upload = upload(kind, name, version, env);
        upload.settings = ModuleSettings::from_json(&settings.to_string()).expect("settings");
        self.deploy_upload(upload);
    }

    fn deploy_upload(&self, upload: Upload) {
        let kind = upload.kind;
        self.host
            .upload(upload.clone())
            .expect("the module is stored");
        self.host
            .activate(kind, &upload.name, &upload.version)
            .expect("the module is activated");
    }

    pub(crate) fn execute(&self, name: &str, input: Value) -> Result<Executed, ExecuteError> {
        self.host
            .execute(name, &input.to_string(), &Call::default())
    }

    /// Notes `text` under `counter`.
    pub(crate) fn note(&self, counter: &str, note_id: u64, text: &str) -> u64 {
        let input = json!({ "counter": counter, "note_id": note_id, "text": text });
        self.execute("note", input)
            .expect("a note")
            .position
            .expect("a position")
    }

    pub(crate) fn events(&self, event_type: &str) -> Vec<RecordedEvent> {
        let filter = EventFilter {
            types: vec![event_type.into()],
            ..EventFilter::default()
        };
        let mut events: Vec<RecordedEvent> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event.position);
            let page = self
                .host
                .events(&filter, after, EVENTS_PAGE_EVENTS)
                .expect("events");
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
    }

    pub(crate) fn module(&self, name: &str) -> ModuleStatus {
        let modules = self.host.modules().expect("modules");
        modules
            .into_iter()
            .find(|module| module.name.as_str() == name)
            .expect("an active module")
    }

    /// Waits until `reached` says so of the module's status.
    pub(crate) fn wait_for(
        &self,
        name: &str,
        reached: impl Fn(&ModuleStatus) -> bool,
    ) -> ModuleStatus {
        wait_until(|| Some(self.module(name)).filter(&reached))
    }

    /// Waits until the module has failed so many times at one place.
    pub(crate) fn wait_for_failure(&self, name: &str, attempts: u32) -> (ModuleStatus, Failure) {
        wait_until(|| {
            let module = self.module(name);
            let failure = module.subscription.as_ref()?.failure.clone()?;
            (failure.attempts >= attempts).then_some((module, failure))
        })
    }

    /// Waits until the module has handled everything.
    pub(crate) fn wait_caught_up(&self, name: &str) {
        self.wait_for(name, |module| {
            let head = self.host.head().expect("a head");
            module.is_healthy()
                && module
                    .subscription
                    .as_ref()
                    .is_some_and(|status| status.position >= head)
        });
    }

    /// A read-only connection to a projector's read model.
    pub(crate) fn read_model(&self, name: &str) -> Connection {
        let path = self
            .directory()
            .join("data/projector")
            .join(format!("{name}.sqlite"));
        Connection::open(path).expect("a read model")
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a directory");
    for entry in std::fs::read_dir(from).expect("a directory") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("a copy");
        }
    }
}

fn config(directory: &Path) -> HostConfig {
    let mut config = HostConfig::new(directory.join("data"));
    config.http = HttpPolicy::default().allow_loopback();
    config.settings.command_deadline = Duration::from_secs(3);
    config.settings.projector_deadline = Duration::from_secs(10);
    config.settings.memory_bytes = 32 << 20;
    config.settings.retry_base = Duration::from_millis(5);
    config.settings.retry_cap = Duration::from_millis(20);
    config
}

/// How long a test waits for what must happen before it gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);

/// Asks until there is an answer, and leaves the cores to what it waits for meanwhile.
pub(crate) fn wait_until<T>(mut ask: impl FnMut() -> Option<T>) -> T {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            std::time::Instant::now() < end,
            "it did not happen within {PATIENCE:?}"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub(crate) fn upload(kind: ModuleKind, name: &str, version: &str, env: &[(&str, &str)]) -> Upload {
    let wasm = match kind {
        ModuleKind::Command => &fixtures().commands,
        ModuleKind::Projector if name.starts_with("vault") => &fixtures().vault,
        ModuleKind::Projector => &fixtures().projector,
        ModuleKind::Effect if name == "courier" => &fixtures().courier,
        ModuleKind::Effect if name.starts_with("eraser") => &fixtures().eraser,
        ModuleKind::Effect => &fixtures().effect,
    };
    let env: BTreeMap<String, String> = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Upload {
        kind,
        name: self::name(name),
        version: version.parse().expect("a version"),
        env,
        settings: ModuleSettings::default(),
        wasm: wasm.clone(),
    }
}

pub(crate) fn name(name: &str) -> ModuleName {
    name.parse().expect("a name")
}
