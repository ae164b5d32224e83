//! A module that is ready to run: compiled, linked, and known to export what it must.

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use semver::Version;
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre};

use super::settings::Allowance;
use super::{ModuleKind, ModuleName, ModuleSettings};
use crate::bindings::{effect_exports, projector_exports};
use crate::capabilities::clock::Present;
use crate::capabilities::http::HttpContext;
use crate::capabilities::output::{Output, Outputs, PrintedLine, Tap};
use crate::engine::Engine;
use crate::engine::cache::CompileCache;
use crate::engine::guest::{Guest, GuestState, start_call};
use crate::engine::inspect::{InspectError, ModuleExport, inspect};
use crate::engine::trap::Crash;
use crate::host::Settings;
use crate::limits;
use crate::metrics::Metrics;
use crate::report::clip_message;
use crate::shredding::Shredder;
use crate::snapshots::{self, Snapshots};
use crate::store::{EventLog, Query};

/// A compiled and linked module of one version.
#[derive(Clone)]
pub(crate) struct LoadedModule {
    inner: Arc<Inner>,
}

struct Inner {
    kind: ModuleKind,
    name: ModuleName,
    version: Version,
    /// Which component this is, with its variables: what it kept before is its own.
    digest: [u8; 32],
    env: BTreeMap<String, String>,
    settings: ModuleSettings,
    record: ModuleExport,
    pre: InstancePre<GuestState>,
    exports: Exports,
    /// What a command says of its input; asked once, as a component always says the same.
    schema: OnceLock<Option<Arc<str>>>,
}

/// Where a component's exports are, found once.
#[derive(Clone)]
pub(crate) enum Exports {
    Command {
        execute: ComponentExportIndex,
        schema: ComponentExportIndex,
    },
    Projector(projector_exports::GuestIndices),
    Effect(effect_exports::GuestIndices),
}

/// Why a component cannot be run as the module that it was uploaded as.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// Refused before it was compiled.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// Does not compile.
    #[error("the component does not compile: {0}")]
    Compile(String),
    /// Wants something of the host that modules of its kind do not get.
    #[error("the component asks for what a {kind} does not get: {reason}{}", hint(.reason))]
    Link {
        /// Its kind.
        kind: ModuleKind,
        /// What Wasmtime said.
        reason: String,
    },
    /// Lacks an export that its record promises.
    #[error("the component does not export what a {kind} must: {reason}")]
    Export {
        /// Its kind.
        kind: ModuleKind,
        /// What is missing.
        reason: String,
    },
    /// Stops when it is started.
    #[error("the component could not be started: it {0}")]
    Start(Crash),
}

/// What to do without, by what is asked for.
fn hint(reason: &str) -> &'static str {
    const HINTS: &[(&str, &str)] = &[
        (
            "`wasi:filesystem/",
            "; modules have no files: projectors and effects have a database",
        ),
        (
            "`wasi:sockets/",
            "; modules have no sockets: effects send HTTP requests",
        ),
        ("`wasi:http/", "; only effects send HTTP requests"),
        (
            "`umari:sqlite/",
            "; only projectors and effects have a database",
        ),
        (
            "`umari:command/",
            "; only commands and effects write events",
        ),
    ];
    let found = HINTS.iter().find(|(name, _)| reason.contains(name));
    found.map_or("", |(_, hint)| *hint)
}

/// What a module is loaded as.
pub(crate) struct Identity {
    pub(crate) kind: ModuleKind,
    pub(crate) name: ModuleName,
    pub(crate) version: Version,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) settings: ModuleSettings,
}

impl LoadedModule {
    /// Compiles and links `wasm` and starts it once, so that a module that loads also runs.
    pub(crate) fn load(
        engine: &Engine,
        cache: &CompileCache,
        identity: Identity,
        wasm: &[u8],
    ) -> Result<Self, LoadError> {
        let record = inspect(wasm, identity.kind, &identity.name)?;
        let component = cache
            .component(engine, wasm)
            .map_err(|error| LoadError::Compile(one_line(&error)))?;
        let module = Self::link(engine, identity, record, &component, wasm)?;
        let schema = module.start_once(engine)?;
        module.inner.schema.get_or_init(|| schema.map(Into::into));
        Ok(module)
    }

    fn link(
        engine: &Engine,
        identity: Identity,
        record: ModuleExport,
        component: &Component,
        wasm: &[u8],
    ) -> Result<Self, LoadError> {
        let Identity {
            kind,
            name,
            version,
            env,
            settings,
        } = identity;
        let pre = engine
            .linker(kind)
            .instantiate_pre(component)
            .map_err(|error| LoadError::Link {
                kind,
                reason: one_line(&error),
            })?;
        let exports = Exports::find(&pre, kind, &name)?;
        Ok(Self {
            inner: Arc::new(Inner {
                kind,
                name,
                version,
                digest: snapshots::component(wasm, &env),
                env,
                settings,
                record,
                pre,
                exports,
                schema: OnceLock::new(),
            }),
        })
    }

    /// The same module with other variables.
    pub(crate) fn with_env(&self, env: BTreeMap<String, String>) -> Self {
        let inner = &self.inner;
        Self {
            inner: Arc::new(Inner {
                kind: inner.kind,
                name: inner.name.clone(),
                version: inner.version.clone(),
                // Only trials change variables, and they keep nothing.
                digest: inner.digest,
                env,
                settings: inner.settings.clone(),
                record: inner.record.clone(),
                pre: inner.pre.clone(),
                exports: inner.exports.clone(),
                schema: inner.schema.clone(),
            }),
        }
    }

    pub(crate) fn kind(&self) -> ModuleKind {
        self.inner.kind
    }

    pub(crate) fn name(&self) -> &ModuleName {
        &self.inner.name
    }

    pub(crate) fn version(&self) -> &Version {
        &self.inner.version
    }

    pub(crate) fn digest(&self) -> &[u8; 32] {
        &self.inner.digest
    }

    pub(crate) fn env(&self) -> &BTreeMap<String, String> {
        &self.inner.env
    }

    pub(crate) fn settings(&self) -> &ModuleSettings {
        &self.inner.settings
    }

    /// What the module may use on a host with these settings.
    pub(crate) fn allowance(&self, host: &Settings) -> Allowance {
        self.settings().allowance(self.kind(), host)
    }

    pub(crate) fn record(&self) -> &ModuleExport {
        &self.inner.record
    }

    pub(crate) fn exports(&self) -> &Exports {
        &self.inner.exports
    }

    /// The JSON Schema of a command's input, where it tells one.
    pub(crate) fn schema(&self) -> Option<Arc<str>> {
        self.inner.schema.get().cloned().flatten()
    }

    /// Starts an instance in `store`.
    pub(crate) fn instantiate(&self, store: &mut Store<GuestState>) -> wasmtime::Result<Instance> {
        self.inner.pre.instantiate(store)
    }

    /// Starts an instance without any capability and asks it something harmless: a command for its
    /// schema, which is returned, and others for their query.
    fn start_once(&self, engine: &Engine) -> Result<Option<String>, LoadError> {
        let allowance = self.allowance(&Settings::default());
        let mut store = Guest {
            env: self.env(),
            present: Present::default(),
            output: Output::memory(allowance.output),
            allowance,
            transaction: None,
            sqlite: None,
            crypto: None,
            http: Some(HttpContext::default()),
        }
        .into_store(engine);
        start_call(&mut store, Instant::now() + limits::INSPECTION_DEADLINE);
        let outcome = self
            .instantiate(&mut store)
            .and_then(|instance| match self.exports() {
                Exports::Command { schema, .. } => {
                    crate::commands::call_schema(&mut store, &instance, schema)
                }
                Exports::Projector(indices) => indices
                    .load(&mut store, &instance)?
                    .call_query(&mut store)
                    .map(|_| None),
                Exports::Effect(indices) => indices
                    .load(&mut store, &instance)?
                    .call_query(&mut store)
                    .map(|_| None),
            });
        outcome.map_err(|error| LoadError::Start(Crash::of(&error, &store)))
    }
}

/// The JSON Schema of a command's input, as the component in `wasm` tells it; `None` where it tells
/// none. Nothing is stored.
///
/// # Errors
///
/// A [`LoadError`] when the component cannot be run as this command.
pub fn command_schema(
    engine: &Engine,
    wasm: &[u8],
    command: ModuleName,
) -> Result<Option<String>, LoadError> {
    let identity = Identity {
        kind: ModuleKind::Command,
        name: command,
        version: Version::new(0, 0, 0),
        env: BTreeMap::new(),
        settings: ModuleSettings::default(),
    };
    let record = inspect(wasm, identity.kind, &identity.name)?;
    let component = engine
        .compile(wasm)
        .map_err(|error| LoadError::Compile(one_line(&error)))?;
    LoadedModule::link(engine, identity, record, &component, wasm)?.start_once(engine)
}

impl Exports {
    fn find(
        pre: &InstancePre<GuestState>,
        kind: ModuleKind,
        name: &ModuleName,
    ) -> Result<Self, LoadError> {
        let missing = |reason: String| LoadError::Export { kind, reason };
        match kind {
            ModuleKind::Command => {
                let component = pre.component();
                let instance = component
                    .get_export_index(None, name.as_str())
                    .ok_or_else(|| missing(format!("no instance named \"{name}\"")))?;
                let function = |function: &str| {
                    component
                        .get_export_index(Some(&instance), function)
                        .ok_or_else(|| missing(format!("no function \"{function}\" in \"{name}\"")))
                };
                Ok(Self::Command {
                    execute: function("execute")?,
                    schema: function("schema")?,
                })
            }
            ModuleKind::Projector => projector_exports::GuestIndices::new(pre)
                .map(Self::Projector)
                .map_err(|error| missing(one_line(&error))),
            ModuleKind::Effect => effect_exports::GuestIndices::new(pre)
                .map(Self::Effect)
                .map_err(|error| missing(one_line(&error))),
        }
    }
}

/// A Wasmtime error and its causes on one line.
fn one_line(error: &wasmtime::Error) -> String {
    // It may quote names as long as a component likes.
    clip_message(format!("{error:#}").replace('\n', " "))
}

impl std::fmt::Debug for LoadedModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} {} {}",
            self.inner.kind, self.inner.name, self.inner.version
        )
    }
}

/// What a subscriber asked to be delivered, in the store's terms.
pub(crate) fn to_query(items: Vec<crate::bindings::common_wit::QueryItem>) -> Query {
    Query {
        items: items.into_iter().map(Into::into).collect(),
    }
}

/// What every running module works with.
#[derive(Clone)]
pub(crate) struct Services {
    pub(crate) engine: Engine,
    pub(crate) log: EventLog,
    pub(crate) shredder: Shredder,
    pub(crate) snapshots: Snapshots,
    pub(crate) outputs: Outputs,
    pub(crate) http: crate::capabilities::http::HttpClient,
    pub(crate) settings: Settings,
    pub(crate) metrics: Arc<Metrics>,
    /// What the modules take for the present.
    pub(crate) present: Present,
    /// Who sees what modules print, while they print it.
    pub(crate) printed: Option<SyncSender<PrintedLine>>,
}

impl Services {
    /// What hands on the lines of a module.
    pub(crate) fn tap(&self, module: &LoadedModule) -> Option<Tap> {
        let lines = self.printed.clone()?;
        Some(Tap::new(module.kind(), module.name().clone(), lines))
    }
}
