//! A kept instance of a projector or an effect, and one way to call it.

use std::io;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tracing::Span;
use wasmtime::Store;

use super::Runtime;
use crate::bindings::common_wit::{Failure, StoredEvent};
use crate::bindings::{effect_exports, projector_exports};
use crate::capabilities::crypto::CryptoContext;
use crate::capabilities::http::HttpContext;
use crate::capabilities::sqlite::Begin;
use crate::capabilities::transaction::TransactionContext;
use crate::engine::backtrace::backtrace;
use crate::engine::guest::{Guest, GuestState, start_call};
use crate::engine::trap::Crash;
use crate::limits;
use crate::modules::ModuleKind;
use crate::modules::component::{Exports, LoadedModule, to_query};
use crate::report::clip_message;
use crate::store::{EventLog, Query, ReadError, RecordedEvent};
use crate::trace;

use super::database::{self, UnusableDatabase};
use super::effect::failed;

/// A running instance. After a crash it must not be called again.
pub(super) struct Instance {
    store: Store<GuestState>,
    guest: GuestExports,
    deadline: Duration,
    log: EventLog,
    module: LoadedModule,
}

enum GuestExports {
    Projector(projector_exports::Guest),
    Effect(effect_exports::Guest),
}

/// Why a subscription cannot go on for now.
#[derive(Debug, thiserror::Error)]
pub(super) enum SubscriptionError {
    /// The module said so.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The module crashed.
    #[error("the module {crash}")]
    Crashed {
        /// Why it stopped.
        crash: Crash,
        /// The functions that it was in, the innermost first.
        backtrace: Vec<String>,
    },
    /// The module's database is of no use.
    #[error(transparent)]
    Unusable(#[from] Box<UnusableDatabase>),
    /// The module's database failed.
    #[error("the module's database failed")]
    Database(#[from] rusqlite::Error),
    /// The event store failed.
    #[error("the event store could not be read")]
    Read(#[source] Box<ReadError>),
    /// The file of what an effect's lanes have in hand failed.
    #[error("what the lanes have in hand cannot be noted")]
    InHand(#[from] io::Error),
    /// No thread could be started.
    #[error("cannot start a thread")]
    Thread(#[source] io::Error),
}

impl From<ReadError> for SubscriptionError {
    fn from(error: ReadError) -> Self {
        Self::Read(Box::new(error))
    }
}

/// What a module said, with its causes.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct Refusal {
    message: String,
    #[source]
    cause: Option<Box<Refusal>>,
}

impl SubscriptionError {
    fn crashed(error: &wasmtime::Error, store: &Store<GuestState>) -> Self {
        Self::Crashed {
            crash: Crash::of(error, store),
            backtrace: backtrace(error),
        }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        let mut causes = failure.causes;
        causes.truncate(limits::GUEST_LIST_ITEMS);
        let first = causes.into_iter().rev().fold(None, |cause, message| {
            let message = clip_message(message);
            Some(Box::new(Self { message, cause }))
        });
        Self {
            message: clip_message(failure.message),
            cause: first,
        }
    }
}

impl Instance {
    /// Starts an instance with its own connection and runs `init` in a transaction.
    pub(super) fn start(runtime: &Runtime) -> Result<Self, SubscriptionError> {
        let module = &runtime.module;
        let allowance = module.allowance(&runtime.services.settings);
        let deadline = allowance.deadline;
        let is_effect = module.kind() == ModuleKind::Effect;
        let begin = if is_effect {
            Begin::AtFirstWrite
        } else {
            Begin::BeforeCall
        };
        let sqlite = database::open(runtime, begin, allowance.sqlite)?;
        if is_effect {
            failed::prepare(sqlite.host())?;
        }
        let transaction = is_effect.then(|| TransactionContext::new(&runtime.services, module));
        let mut store = Guest {
            env: module.env(),
            present: runtime.services.present.clone(),
            output: runtime.output.clone(),
            allowance,
            transaction,
            sqlite: Some(sqlite),
            crypto: is_effect.then(|| CryptoContext::new(&runtime.services, module)),
            http: is_effect.then(|| {
                let client = runtime.services.http.clone();
                HttpContext::new(client, module.settings().http.as_deref())
            }),
        }
        .into_store(&runtime.services.engine);
        start_call(&mut store, Instant::now() + deadline);
        let guest = match GuestExports::load(runtime, &mut store) {
            Ok(guest) => guest,
            Err(error) => return Err(SubscriptionError::crashed(&error, &store)),
        };
        let mut instance = Self {
            store,
            guest,
            deadline,
            log: runtime.services.log.clone(),
            module: module.clone(),
        };
        instance.init()?;
        Ok(instance)
    }

    /// The connection, for the host's own statements.
    pub(super) fn connection(&self) -> &Connection {
        match &self.store.data().sqlite {
            Some(sqlite) => sqlite.host(),
            None => unreachable!("every instance is started with a database"),
        }
    }

    /// The events that the module wants.
    pub(super) fn query(&mut self) -> Result<Query, SubscriptionError> {
        self.begin_question();
        let query = match &self.guest {
            GuestExports::Projector(guest) => guest.call_query(&mut self.store),
            GuestExports::Effect(guest) => guest.call_query(&mut self.store),
        };
        query.map(to_query).map_err(|error| self.crashed(&error))
    }

    /// The lane of an event; projectors have one only. An event for which the module cannot say goes
    /// to the lane of those without a key, where `handle` says why.
    pub(super) fn partition_key(
        &mut self,
        event: &RecordedEvent,
    ) -> Result<Option<String>, SubscriptionError> {
        let event = self.as_it_is_now(event)?;
        self.begin_question();
        let key = match &self.guest {
            GuestExports::Projector(_) => Ok(Ok(None)),
            GuestExports::Effect(guest) => guest.call_partition_key(&mut self.store, &event),
        };
        let key = key.map_err(|error| self.crashed(&error))?;
        Ok(key.unwrap_or_default())
    }

    /// Hands one event to the module. Transactions are the caller's.
    pub(super) fn handle(&mut self, event: &RecordedEvent) -> Result<(), SubscriptionError> {
        let batch = Span::current();
        let span = tracing::info_span!(
            parent: None,
            "handle",
            kind = %self.module.kind(),
            module = %self.module.name(),
            position = event.position,
            event_id = %event.id,
            event_type = %event.event_type,
            correlation_id = %event.correlation_id,
            causation_id = %event.causation_id,
        );
        trace::join(&span, event.correlation_id, None);
        // A batch has events of many traces, so they are linked and not one below the other.
        span.follows_from(&batch);
        let _in_span = span.entered();
        let id = event.id;
        let event = self.as_it_is_now(event)?;
        self.begin_call();
        if let Some(crypto) = &mut self.store.data_mut().crypto {
            crypto.begin_event(id);
        }
        let handled = match &self.guest {
            GuestExports::Projector(guest) => guest.call_handle(&mut self.store, &event),
            GuestExports::Effect(guest) => guest.call_handle(&mut self.store, &event),
        };
        handled
            .map_err(|error| self.crashed(&error))?
            .map_err(|failure| Refusal::from(failure).into())
    }

    fn init(&mut self) -> Result<(), SubscriptionError> {
        self.connection().execute_batch("BEGIN IMMEDIATE")?;
        self.begin_call();
        let initialised = match &self.guest {
            GuestExports::Projector(guest) => guest.call_init(&mut self.store),
            GuestExports::Effect(guest) => guest.call_init(&mut self.store),
        };
        initialised
            .map_err(|error| self.crashed(&error))?
            .map_err(Refusal::from)?;
        self.connection().execute_batch("COMMIT")?;
        Ok(())
    }

    /// The event for the guest. It was read ahead, or waits for another attempt, and may have been
    /// shredded meanwhile.
    fn as_it_is_now(&self, event: &RecordedEvent) -> Result<StoredEvent, ReadError> {
        let mut event = event.clone();
        self.log.redact(&mut event)?;
        Ok(event.into())
    }

    fn begin_call(&mut self) {
        start_call(&mut self.store, Instant::now() + self.deadline);
    }

    /// Begins a call that has no transaction to write in.
    fn begin_question(&mut self) {
        self.begin_call();
        if let Some(sqlite) = &self.store.data().sqlite {
            sqlite.forbid_writes();
        }
    }

    fn crashed(&self, error: &wasmtime::Error) -> SubscriptionError {
        SubscriptionError::crashed(error, &self.store)
    }
}

impl GuestExports {
    fn load(runtime: &Runtime, store: &mut Store<GuestState>) -> wasmtime::Result<Self> {
        let instance = runtime.module.instantiate(store)?;
        match runtime.module.exports() {
            Exports::Projector(indices) => indices.load(store, &instance).map(Self::Projector),
            Exports::Effect(indices) => indices.load(store, &instance).map(Self::Effect),
            Exports::Command { .. } => Err(wasmtime::format_err!("a command follows no events")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chain;

    #[test]
    fn what_a_module_says_keeps_its_causes() {
        let failure = Failure {
            message: "no greeting".to_owned(),
            causes: vec![
                "the target answered 503".to_owned(),
                "it is tired".to_owned(),
            ],
        };
        let error = SubscriptionError::from(Refusal::from(failure));
        assert_eq!(
            chain(&error),
            "no greeting: the target answered 503: it is tired"
        );
    }
}
