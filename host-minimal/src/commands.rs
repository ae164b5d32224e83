//! Running commands: a fresh instance for each attempt, and another attempt after a conflict.

mod slots;

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rand::Rng;
use semver::Version;
use tracing::Span;
use uuid::Uuid;
use wasmtime::Store;
use wasmtime::component::{ComponentExportIndex, Instance};

pub use self::slots::CommandLoad;
use self::slots::{NoSlot, Slots};
use crate::bindings::command_wit as wit;
use crate::capabilities::output::Output;
use crate::capabilities::transaction::TransactionContext;
use crate::engine::guest::{Guest, GuestState, start_call};
use crate::engine::trap::Crash;
use crate::limits;
use crate::modules::ModuleName;
use crate::modules::component::{Exports, LoadedModule, Services};
use crate::report::{clip, clip_message};
use crate::trace;

/// Who calls a command, and on whose behalf.
#[derive(Debug, Clone, Default)]
pub struct Call {
    /// The user action at the start of the chain; fresh where it is absent.
    pub correlation_id: Option<Uuid>,
    /// This execution; fresh for each attempt where it is absent.
    pub causation_id: Option<Uuid>,
    /// The event that led to this call.
    pub triggering_event_id: Option<Uuid>,
    /// Calls with one key are executed once.
    pub idempotency_key: Option<Uuid>,
}

/// What a successful call did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Position of the last event written; of the event that carries the idempotency key, where
    /// the key had been used; `None` where nothing was written.
    pub position: Option<u64>,
    /// The events that were written.
    pub events: Vec<Emitted>,
    /// Attempts that were made; more than one after conflicts.
    pub attempts: u32,
}

/// An event that a call wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emitted {
    /// The event's id.
    pub id: Uuid,
    /// The event type's name.
    pub event_type: String,
    /// Name and value of each domain id; a name with several values is repeated.
    pub domain_ids: Vec<(String, String)>,
}

/// A command that can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveCommand {
    /// Its name.
    pub name: ModuleName,
    /// The version that runs.
    pub version: Version,
    /// The JSON Schema of its input, where it tells one.
    pub schema: Option<Arc<str>>,
}

/// Why a call wrote nothing, or cannot say.
///
/// What each class means at the HTTP API, whether the same call may be sent again, and whether
/// anything was written:
///
/// | class | status | `code` | again? | written? |
/// |---|---|---|---|---|
/// | [`NotFound`](Self::NotFound) | 404 | `unknown-command` | no: deploy it first | no |
/// | [`Invalid`](Self::Invalid) | 400 | `invalid-input` | no: change the input | no |
/// | [`Rejected`](Self::Rejected) | 422 | `rejected`, or the command's own | no: the rules say no to this state of the log | no |
/// | [`Conflict`](Self::Conflict) | 409 | `conflict` | yes: it lost against other writers, after the attempts that the answer reports | no |
/// | [`Overloaded`](Self::Overloaded) | 503 | `overloaded` | yes, after `Retry-After` | no |
/// | [`Crashed`](Self::Crashed) by a panic | 500 | `module-panicked` | no: a bug | see below |
/// | [`Crashed`](Self::Crashed) at its deadline | 504 | `deadline-exceeded` | perhaps | see below |
/// | [`Crashed`](Self::Crashed) for want of memory | 500 | `out-of-memory` | no | see below |
/// | [`Crashed`](Self::Crashed) in another way | 500 | `module-trapped` | no: a bug | see below |
/// | [`Unavailable`](Self::Unavailable) | 503 | `store-unavailable` | yes, when the host is healthy again | no |
/// | [`OutcomeUnknown`](Self::OutcomeUnknown) | 503 | `outcome-unknown` | only under its idempotency key | perhaps |
///
/// A module that crashes after it committed has written: `committed` says up to where, and the
/// problem document has it as `committed_position`. Without it nothing was written.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// No such command is active.
    #[error("there is no active command {0:?}")]
    NotFound(String),
    /// The input is not what the command takes.
    #[error("{message}")]
    Invalid {
        /// What is wrong, for people.
        message: String,
        /// What is wrong with which field.
        violations: Vec<Violation>,
    },
    /// The command's rules say no.
    #[error("{message}")]
    Rejected {
        /// The command's own word for the rule; `rejected` where it gave none.
        code: String,
        /// What the rule says, for people.
        message: String,
        /// What a program needs to know besides: JSON text.
        details: Option<String>,
    },
    /// Other writers kept changing the boundary.
    #[error("other writers changed what the command had read, {attempts} times in a row: {reason}")]
    Conflict {
        /// Attempts that were made.
        attempts: u32,
        /// What the last conflict was.
        reason: String,
    },
    /// The module crashed: a bug in it.
    #[error("the command {command:?} {crash}{}", after_commit(.committed.as_ref()))]
    Crashed {
        /// The command.
        command: String,
        /// How it ended.
        crash: Crash,
        /// Position of the last event that it had written before; `None` where it had written
        /// nothing.
        committed: Option<u64>,
    },
    /// More calls came than the host has room for. Nothing was written, and the command was not
    /// even begun.
    #[error(
        "{running} commands run and {waiting} wait, {}: try again in a moment",
        if *.queue_full { "which is the most that may" } else { "and none ended in time" }
    )]
    Overloaded {
        /// Calls that run.
        running: usize,
        /// Calls that wait for these.
        waiting: usize,
        /// Whether as many wait as may; else the call itself has waited until its deadline.
        queue_full: bool,
    },
    /// The event store cannot be used. Nothing was written.
    #[error("the event store is not available: {0}")]
    Unavailable(String),
    /// The event store failed during the append. The events may or may not have been written.
    #[error("{0}")]
    OutcomeUnknown(String),
}

fn after_commit(committed: Option<&u64>) -> String {
    committed.map_or_else(String::new, |position| {
        format!(", after it had written events up to position {position}")
    })
}

impl ExecuteError {
    /// The class as one word, for figures.
    fn word(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "unknown-command",
            Self::Invalid { .. } => "invalid",
            Self::Rejected { .. } => "rejected",
            Self::Conflict { .. } => "conflict",
            Self::Overloaded { .. } => "overloaded",
            Self::Crashed { .. } => "crashed",
            Self::Unavailable(_) => "unavailable",
            Self::OutcomeUnknown(_) => "outcome-unknown",
        }
    }

    /// Whether the deadline passed before anything was written.
    fn is_clean_deadline(&self) -> bool {
        matches!(
            self,
            Self::Crashed {
                crash: Crash::Deadline,
                committed: None,
                ..
            }
        )
    }
}

/// One thing that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Path from the input's root; empty for the input as a whole.
    pub field: String,
    /// A stable word for the broken rule.
    pub code: String,
    /// What is wrong, for people.
    pub message: String,
}

/// The active commands, and how many run at once.
pub(crate) struct Commands {
    services: Services,
    active: RwLock<HashMap<String, LoadedModule>>,
    slots: Slots,
}

impl Commands {
    pub(crate) fn new(services: Services) -> Self {
        let settings = &services.settings;
        let slots = Slots::new(settings.concurrent_commands, settings.queued_commands);
        Self {
            services,
            active: RwLock::default(),
            slots,
        }
    }

    /// Makes `module` the one that calls of its name run from now on. Calls that run already
    /// end on the module that they began with.
    pub(crate) fn activate(&self, module: LoadedModule) {
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        active.insert(module.name().to_string(), module);
    }

    pub(crate) fn deactivate(&self, name: &ModuleName) {
        let mut active = self.active.write().unwrap_or_else(PoisonError::into_inner);
        active.remove(name.as_str());
    }

    pub(crate) fn load(&self) -> CommandLoad {
        self.slots.load()
    }

    fn find(&self, name: &str) -> Result<LoadedModule, ExecuteError> {
        let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
        active
            .get(name)
            .cloned()
            .ok_or_else(|| ExecuteError::NotFound(name.to_owned()))
    }

    /// The commands that are active, by name.
    pub(crate) fn active(&self) -> Vec<ActiveCommand> {
        let active = self.active.read().unwrap_or_else(PoisonError::into_inner);
        let mut commands: Vec<_> = active
            .values()
            .map(|module| ActiveCommand {
                name: module.name().clone(),
                version: module.version().clone(),
                schema: module.schema(),
            })
            .collect();
        commands.sort_by(|a, b| a.name.cmp(&b.name));
        commands
    }

    /// Runs the command `name`, and again after each conflict until the deadline.
    pub(crate) fn execute(
        &self,
        name: &str,
        input: &str,
        call: &Call,
    ) -> Result<Executed, ExecuteError> {
        let started = Instant::now();
        let ended = self.run(name, input, call);
        // Only names of modules become labels.
        let is_known = !matches!(ended, Err(ExecuteError::NotFound(_)));
        let outcome = ended.as_ref().map_or_else(ExecuteError::word, |_| "ok");
        self.services
            .metrics
            .called(is_known.then_some(name), outcome, started.elapsed());
        ended
    }

    fn run(&self, name: &str, input: &str, call: &Call) -> Result<Executed, ExecuteError> {
        let module = self.find(name)?;
        let deadline = Instant::now() + module.allowance(&self.services.settings).deadline;
        let _slot = self.slots.take(name, deadline)?;
        let correlation_id = call.correlation_id.unwrap_or_else(Uuid::new_v4);
        let mut attempts = 0;
        let mut last_conflict = None;
        loop {
            attempts += 1;
            let causation_id = call.causation_id.unwrap_or_else(Uuid::new_v4);
            let context = wit::Context {
                correlation_id: correlation_id.into(),
                causation_id: causation_id.into(),
                triggering_event_id: call.triggering_event_id.map(Into::into),
                idempotency_key: call.idempotency_key.map(Into::into),
            };
            let span = tracing::info_span!(
                "attempt", command = name, attempt = attempts, %correlation_id, %causation_id,
            );
            if Span::current().is_none() {
                trace::join(&span, correlation_id, None);
            }
            let ended = span.in_scope(|| self.attempt(&module, input, context, deadline));
            let is_conflict = matches!(ended, Ok(Err(_)));
            self.services.metrics.attempted(name, is_conflict);
            let reason = match (ended, last_conflict) {
                (Ok(Ok(output)), _) => return Ok(executed(output, attempts)),
                (Ok(Err(conflict)), _) => conflict,
                // Conflicts used up the time, not the command.
                (Err(error), Some(reason)) if error.is_clean_deadline() => {
                    return Err(ExecuteError::Conflict { attempts, reason });
                }
                (Err(error), _) => return Err(error),
            };
            let pause = conflict_pause(attempts);
            if attempts >= limits::COMMAND_ATTEMPTS || Instant::now() + pause >= deadline {
                return Err(ExecuteError::Conflict { attempts, reason });
            }
            last_conflict = Some(reason);
            std::thread::sleep(pause);
        }
    }

    /// Runs the command once. The inner error is a conflict.
    fn attempt(
        &self,
        module: &LoadedModule,
        input: &str,
        context: wit::Context,
        deadline: Instant,
    ) -> Result<Result<wit::ExecuteOutput, String>, ExecuteError> {
        let mut store = self.store(module);
        start_call(&mut store, deadline);
        let Exports::Command { execute, .. } = module.exports() else {
            return Err(ExecuteError::NotFound(module.name().to_string()));
        };
        let answer = module
            .instantiate(&mut store)
            .and_then(|instance| call_execute(&mut store, &instance, execute, input, context));
        let transaction = store.data().transaction.as_ref();
        if let Some(unknown) = transaction.and_then(TransactionContext::outcome_unknown) {
            return Err(ExecuteError::OutcomeUnknown(unknown.to_owned()));
        }
        let committed = transaction.and_then(TransactionContext::committed);
        let known = transaction.and_then(TransactionContext::known);
        let answer = answer.map_err(|error| {
            let crash = Crash::of(&error, &store);
            tracing::error!(command = %module.name(), "the command {crash}");
            ExecuteError::Crashed {
                command: module.name().to_string(),
                crash,
                committed,
            }
        })?;
        match answer {
            Ok(output) => Ok(Ok(wit::ExecuteOutput {
                // No answer vouches for what the host did not see.
                position: output.position.filter(|_| known.is_some()).min(known),
                events: match committed {
                    Some(_) => output.events,
                    None => Vec::new(),
                },
            })),
            Err(wit::ExecuteError::Conflict(reason)) => Ok(Err(clip_message(reason))),
            Err(wit::ExecuteError::Invalid(invalid)) => Err(invalid.into()),
            Err(wit::ExecuteError::Rejected(rejection)) => Err(ExecuteError::Rejected {
                code: clip(rejection.code, limits::GUEST_CODE_BYTES),
                message: clip_message(rejection.message),
                details: rejection
                    .details
                    .filter(|details| details.len() <= limits::GUEST_DETAILS_BYTES),
            }),
            Err(wit::ExecuteError::Failed(reason)) => {
                Err(ExecuteError::Unavailable(clip_message(reason)))
            }
        }
    }

    /// The JSON Schema of a command's input, where the command can tell it.
    pub(crate) fn schema(&self, name: &str) -> Result<Option<String>, ExecuteError> {
        let schema = self.find(name)?.schema();
        Ok(schema.map(|schema| schema.to_string()))
    }

    fn store(&self, module: &LoadedModule) -> Store<GuestState> {
        let allowance = module.allowance(&self.services.settings);
        Guest {
            env: module.env(),
            present: self.services.present.clone(),
            output: Output::memory(allowance.output).tapped(self.services.tap(module)),
            allowance,
            transaction: Some(TransactionContext::new(&self.services, module)),
            sqlite: None,
            crypto: None,
            http: None,
        }
        .into_store(&self.services.engine)
    }
}

fn call_execute(
    store: &mut Store<GuestState>,
    instance: &Instance,
    execute: &ComponentExportIndex,
    input: &str,
    context: wit::Context,
) -> wasmtime::Result<Result<wit::ExecuteOutput, wit::ExecuteError>> {
    type Params<'a> = (&'a str, wit::Context);
    type Returned = (Result<wit::ExecuteOutput, wit::ExecuteError>,);
    let function = instance.get_typed_func::<Params<'_>, Returned>(&mut *store, execute)?;
    let (answer,) = function.call(store, (input, context))?;
    Ok(answer)
}

pub(crate) fn call_schema(
    store: &mut Store<GuestState>,
    instance: &Instance,
    schema: &ComponentExportIndex,
) -> wasmtime::Result<Option<String>> {
    let function = instance.get_typed_func::<(), (Option<String>,)>(&mut *store, schema)?;
    let (schema,) = function.call(store, ())?;
    Ok(schema)
}

fn executed(output: wit::ExecuteOutput, attempts: u32) -> Executed {
    let emitted = |event: wit::EmittedEvent| Emitted {
        id: event.id.into(),
        event_type: event.event_type,
        domain_ids: event.domain_ids,
    };
    Executed {
        position: output.position,
        events: output.events.into_iter().map(emitted).collect(),
        attempts,
    }
}

impl From<wit::InvalidInput> for ExecuteError {
    fn from(invalid: wit::InvalidInput) -> Self {
        let violation = |violation: wit::Violation| Violation {
            field: clip_message(violation.field),
            code: clip(violation.code, limits::GUEST_CODE_BYTES),
            message: clip_message(violation.message),
        };
        let violations = invalid.violations.into_iter();
        Self::Invalid {
            message: clip_message(invalid.message),
            violations: violations
                .take(limits::GUEST_LIST_ITEMS)
                .map(violation)
                .collect(),
        }
    }
}

impl From<NoSlot> for ExecuteError {
    fn from(none: NoSlot) -> Self {
        let (CommandLoad { running, waiting }, queue_full) = match none {
            NoSlot::QueueFull(load) => (load, true),
            NoSlot::Late(load) => (load, false),
        };
        Self::Overloaded {
            running,
            waiting,
            queue_full,
        }
    }
}

/// A random pause of up to twice as long after each attempt, so that callers that collided do
/// not collide again ("full jitter",
/// <https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
fn conflict_pause(attempts: u32) -> Duration {
    let doubled = limits::CONFLICT_BACKOFF_BASE.saturating_mul(1 << attempts.min(16));
    let longest = doubled.min(limits::CONFLICT_BACKOFF_CAP);
    rand::rng().random_range(Duration::ZERO..=longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_bounded() {
        for attempts in [1, 5, 31, u32::MAX] {
            assert!(conflict_pause(attempts) <= limits::CONFLICT_BACKOFF_CAP);
        }
    }
}
