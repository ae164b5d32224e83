//! Figures about a host, in the format that Prometheus reads
//! (<https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md>).
//!
//! What happens is counted when it happens; how things stand is looked at when somebody asks. Labels
//! are the names of modules, the routes of the API and words of ours, so there are only so many
//! time series, whatever clients send.

#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::commands::CommandLoad;
use crate::host::ModuleStatus;
use crate::modules::ModuleStoreError;
use crate::snapshots::Figures;
use crate::store::{Appended, ReadError};

/// What every name begins with.
const PREFIX: &str = "umari";
/// Upper bounds of the histograms, in seconds: a command takes some 60 µs beside its fsync.
const DURATION_BUCKETS: [f64; 14] = [
    0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// The label of what clients make up.
const UNKNOWN: &str = "unknown";

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// What is counted as it happens.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    command_calls: Family<CallLabels, Counter>,
    command_attempts: Family<CommandLabels, Counter>,
    command_conflicts: Family<CommandLabels, Counter>,
    command_durations: Histograms<CommandLabels>,
    boundary_events: Counter,
    requests: Family<RequestLabels, Counter>,
    request_durations: Histograms<RouteLabels>,
}

/// How a host stands at one moment.
#[derive(Debug)]
pub(crate) struct Moment {
    pub(crate) head: u64,
    pub(crate) appended: Appended,
    pub(crate) snapshots: Figures,
    pub(crate) load: CommandLoad,
    pub(crate) modules: Vec<ModuleStatus>,
}

/// Why it cannot be said how a host stands.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MomentError {
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] ReadError),
    /// The module store cannot be read.
    #[error(transparent)]
    Modules(#[from] ModuleStoreError),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    command: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CommandLabels {
    command: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModuleLabels {
    kind: &'static str,
    module: String,
}

impl Default for Metrics {
    fn default() -> Self {
        let durations: fn() -> Histogram = || Histogram::new(DURATION_BUCKETS);
        let mut metrics = Self {
            registry: Registry::with_prefix(PREFIX),
            command_calls: Family::default(),
            command_attempts: Family::default(),
            command_conflicts: Family::default(),
            command_durations: Family::new_with_constructor(durations),
            boundary_events: Counter::default(),
            requests: Family::default(),
            request_durations: Family::new_with_constructor(durations),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "build",
            "The host's version",
            Info::new([("version", env!("CARGO_PKG_VERSION"))]),
        );
        registry.register(
            "command_calls",
            "Calls of commands, by how they ended",
            self.command_calls.clone(),
        );
        registry.register(
            "command_attempts",
            "Attempts that these calls made",
            self.command_attempts.clone(),
        );
        registry.register(
            "command_conflicts",
            "Attempts that other writers made vain",
            self.command_conflicts.clone(),
        );
        registry.register_with_unit(
            "command_duration",
            "How long calls of commands took, waiting for a place and all attempts included",
            Unit::Seconds,
            self.command_durations.clone(),
        );
        registry.register(
            "boundary_events",
            "Events that commands and effects read to decide",
            self.boundary_events.clone(),
        );
        registry.register(
            "http_requests",
            "Requests to the API, by how they were answered",
            self.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "How long requests took until their answers began",
            Unit::Seconds,
            self.request_durations.clone(),
        );
    }

    /// A call of the active command `name`, or of none, has ended.
    pub(crate) fn called(&self, name: Option<&str>, outcome: &'static str, took: Duration) {
        let command = name.unwrap_or(UNKNOWN).to_owned();
        self.command_durations
            .get_or_create(&CommandLabels {
                command: command.clone(),
            })
            .observe(took.as_secs_f64());
        self.command_calls
            .get_or_create(&CallLabels { command, outcome })
            .inc();
    }

    /// One attempt of a call has ended, perhaps with a conflict.
    pub(crate) fn attempted(&self, name: &str, conflict: bool) {
        let labels = CommandLabels {
            command: name.to_owned(),
        };
        self.command_attempts.get_or_create(&labels).inc();
        if conflict {
            self.command_conflicts.get_or_create(&labels).inc();
        }
    }

    /// A module was given events of its boundary.
    pub(crate) fn read(&self, events: usize) {
        self.boundary_events.inc_by(events as u64);
    }

    /// A request has been answered. `route` is the route's pattern, not what the client asked for.
    pub(crate) fn answered(
        &self,
        method: &Method,
        route: Option<&str>,
        status: StatusCode,
        took: Duration,
    ) {
        let route = route.unwrap_or(UNKNOWN).to_owned();
        self.request_durations
            .get_or_create(&RouteLabels {
                route: route.clone(),
            })
            .observe(took.as_secs_f64());
        let labels = RequestLabels {
            method: method_label(method),
            route,
            status: status.as_u16(),
        };
        self.requests.get_or_create(&labels).inc();
    }

    /// Everything as text.
    pub(crate) fn encode(&self, moment: &Moment) -> Result<String, fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.registry)?;
        encode_registry(&mut text, &moment.registry())?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

impl Moment {
    fn registry(&self) -> Registry {
        let mut registry = Registry::with_prefix(PREFIX);
        let Appended { appends, events } = self.appended;
        let gauges = [
            ("log_head", "Position of the last event", self.head),
            (
                "commands_running",
                "Calls of commands that run",
                self.load.running as u64,
            ),
            (
                "commands_waiting",
                "Calls of commands that wait for a place",
                self.load.waiting as u64,
            ),
            (
                "snapshots",
                "States of folds that are kept",
                self.snapshots.entries,
            ),
            ("snapshots_bytes", "What they take", self.snapshots.bytes),
        ];
        for (name, help, value) in gauges {
            registry.register(name, help, gauge(value));
        }
        let counters = [
            ("log_appends", "Appends since the host started", appends),
            ("log_events", "Events of these appends", events),
            (
                "snapshot_hits",
                "Folds that went on from a state that was kept",
                self.snapshots.hits,
            ),
            (
                "snapshot_misses",
                "Folds for which none was kept",
                self.snapshots.misses,
            ),
            (
                "snapshots_ignored",
                "States that were there and of no use",
                self.snapshots.ignored,
            ),
            (
                "snapshots_kept",
                "States that were kept",
                self.snapshots.kept,
            ),
            (
                "snapshots_refused",
                "States that were offered and not kept",
                self.snapshots.refused,
            ),
        ];
        for (name, help, value) in counters {
            registry.register(name, help, counter(value));
        }
        self.register_modules(&mut registry);
        registry
    }

    fn register_modules(&self, registry: &mut Registry) {
        let healthy = Family::<ModuleLabels, Gauge>::default();
        let position = Family::<ModuleLabels, Gauge>::default();
        let lag = Family::<ModuleLabels, Gauge>::default();
        let failures = Family::<ModuleLabels, Counter>::default();
        for module in &self.modules {
            let labels = ModuleLabels {
                kind: module.kind.as_str(),
                module: module.name.to_string(),
            };
            healthy
                .get_or_create(&labels)
                .set(module.is_healthy().into());
            if let Some(subscription) = &module.subscription {
                let behind = self.head.saturating_sub(subscription.position);
                position
                    .get_or_create(&labels)
                    .set(to_gauge(subscription.position));
                lag.get_or_create(&labels).set(to_gauge(behind));
                failures
                    .get_or_create(&labels)
                    .inc_by(subscription.failures);
            }
        }
        registry.register(
            "module_healthy",
            "Whether an active module does what it is there for",
            healthy,
        );
        registry.register(
            "module_position",
            "What a projector or effect has handled everything up to",
            position,
        );
        registry.register(
            "module_lag_events",
            "Positions between that and the end of the log",
            lag,
        );
        registry.register(
            "module_failures",
            "Failures of a projector or effect since it was started",
            failures,
        );
    }
}

fn gauge(value: u64) -> Gauge {
    let gauge = Gauge::default();
    gauge.set(to_gauge(value));
    gauge
}

fn to_gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn counter(value: u64) -> Counter {
    let counter = Counter::default();
    counter.inc_by(value);
    counter
}

/// Clients make up methods, too.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        _ => UNKNOWN,
    }
}
