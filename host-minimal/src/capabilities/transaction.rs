//! The consistency boundary: one read of the log, and the append that depends on it.

use std::time::Instant;

use chrono::{DateTime, Utc};
use uuid::Uuid;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use crate::bindings::{command_wit, common_wit, moment, transaction_wit as wit};
use crate::engine::guest::GuestState;
use crate::engine::trap::DeadlineExceeded;
use crate::limits;
use crate::modules::component::LoadedModule;
use crate::report::chain;
use crate::store::{
    AppendError, Author, Boundary, EventLog, NewEvent, Provenance, Query, ReadError, Reader,
};

/// What the host keeps for one instance that may read and append events.
#[derive(Debug)]
pub(crate) struct TransactionContext {
    log: EventLog,
    module: String,
    version: String,
    /// Set by an append whose outcome nobody knows: more than the guest is told.
    outcome_unknown: Option<String>,
    /// Position of the last event that the guest wrote.
    committed: Option<u64>,
    /// The last position that the guest wrote or was told to be its duplicate.
    known: Option<u64>,
    /// When the guest's call must end.
    deadline: Instant,
}

impl TransactionContext {
    /// A context whose events name `module` as their author.
    pub(crate) fn new(log: EventLog, module: &LoadedModule) -> Self {
        Self {
            log,
            module: module.name().to_string(),
            version: module.version().to_string(),
            outcome_unknown: None,
            committed: None,
            known: None,
            deadline: Instant::now(),
        }
    }

    pub(crate) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Position of the last event that the guest wrote, if it wrote any.
    pub(crate) fn committed(&self) -> Option<u64> {
        self.committed
    }

    /// The last position that the guest can know as its own: written by it, or by an earlier call
    /// with the same key.
    pub(crate) fn known(&self) -> Option<u64> {
        self.known
    }

    /// What the store said when an append neither succeeded nor failed for sure.
    pub(crate) fn outcome_unknown(&self) -> Option<&str> {
        self.outcome_unknown.as_deref()
    }
}

/// A transaction that a guest holds.
#[expect(
    unreachable_pub,
    reason = "`bindgen!` re-exports it from a public module of its own"
)]
#[derive(Debug)]
pub struct OpenTransaction {
    reader: Reader,
    head: u64,
    until: Option<DateTime<Utc>>,
    duplicate: Option<u64>,
    /// `None` for a read of the past and after a commit.
    append: Option<PendingAppend>,
}

#[derive(Debug)]
struct PendingAppend {
    query: Query,
    provenance: Provenance,
}

pub(crate) fn add_to_linker(linker: &mut Linker<GuestState>) -> wasmtime::Result<()> {
    common_wit::add_to_linker::<GuestState, Transactions>(linker, view)?;
    command_wit::add_to_linker::<GuestState, Transactions>(linker, view)?;
    wit::add_to_linker::<GuestState, Transactions>(linker, view)
}

fn view(state: &mut GuestState) -> TransactionView<'_> {
    TransactionView {
        table: &mut state.table,
        context: state.transaction.as_mut(),
    }
}

struct Transactions;

impl HasData for Transactions {
    type Data<'a> = TransactionView<'a>;
}

/// What a host function of this capability works on.
pub(crate) struct TransactionView<'a> {
    table: &'a mut ResourceTable,
    context: Option<&'a mut TransactionContext>,
}

impl TransactionView<'_> {
    /// The context, which every instance has whose linker has these functions.
    fn context(&mut self) -> wasmtime::Result<&mut TransactionContext> {
        self.context
            .as_deref_mut()
            .ok_or_else(|| wasmtime::format_err!("this instance may not use transactions"))
    }

    fn open_at_head(
        &mut self,
        query: Query,
        context: command_wit::Context,
        command: String,
    ) -> Result<OpenTransaction, wit::Error> {
        let this = self.context().map_err(unavailable)?;
        query
            .check()
            .map_err(|error| wit::Error::Invalid(chain(&error)))?;
        if command.len() > limits::COMMAND_NAME_BYTES {
            return Err(wit::Error::Invalid(format!(
                "the name of a command has {} bytes: at most {} are allowed",
                command.len(),
                limits::COMMAND_NAME_BYTES
            )));
        }
        let head = this.log.head().map_err(read_failed)?;
        let provenance = Provenance {
            correlation_id: context.correlation_id.into(),
            causation_id: context.causation_id.into(),
            triggering_event_id: context.triggering_event_id.map(Uuid::from),
            idempotency_key: context.idempotency_key.map(Uuid::from),
            author: Author {
                module: this.module.clone(),
                version: this.version.clone(),
                command,
            },
        };
        let duplicate = match provenance.idempotency_key {
            Some(key) => this
                .log
                .find_duplicate(key, &provenance.author.command, &query, head)
                .map_err(read_failed)?,
            None => None,
        };
        this.known = this.known.max(duplicate);
        Ok(OpenTransaction {
            reader: this.log.read(&query, 0, head),
            head,
            until: None,
            duplicate,
            append: Some(PendingAppend { query, provenance }),
        })
    }

    fn open_in_the_past(
        &mut self,
        query: &Query,
        bound: wit::AsOf,
    ) -> Result<OpenTransaction, wit::Error> {
        let this = self.context().map_err(unavailable)?;
        query
            .check()
            .map_err(|error| wit::Error::Invalid(chain(&error)))?;
        let head = this.log.head().map_err(read_failed)?;
        let (head, until) = match bound {
            wit::AsOf::Position(position) => (head.min(position), None),
            wit::AsOf::Time(time) => {
                let until = moment(time).ok_or_else(|| {
                    wit::Error::Invalid(format!("{time} µs since 1970 is no date"))
                })?;
                (head, Some(until))
            }
        };
        let reader = this.log.read(query, 0, head);
        Ok(OpenTransaction {
            reader,
            head,
            until,
            duplicate: None,
            append: None,
        })
    }
}

impl wit::Host for TransactionView<'_> {}
impl command_wit::Host for TransactionView<'_> {}
impl common_wit::Host for TransactionView<'_> {}

impl wit::HostTransaction for TransactionView<'_> {
    fn open(
        &mut self,
        query: Vec<common_wit::QueryItem>,
        context: command_wit::Context,
        command: String,
    ) -> wasmtime::Result<Result<Resource<OpenTransaction>, wit::Error>> {
        match self.open_at_head(to_query(query), context, command) {
            Ok(transaction) => Ok(Ok(self.table.push(transaction)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn open_as_of(
        &mut self,
        query: Vec<common_wit::QueryItem>,
        bound: wit::AsOf,
    ) -> wasmtime::Result<Result<Resource<OpenTransaction>, wit::Error>> {
        match self.open_in_the_past(&to_query(query), bound) {
            Ok(transaction) => Ok(Ok(self.table.push(transaction)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn duplicate(&mut self, this: Resource<OpenTransaction>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&this)?.duplicate)
    }

    fn next_batch(
        &mut self,
        this: Resource<OpenTransaction>,
    ) -> wasmtime::Result<Result<Vec<common_wit::StoredEvent>, wit::Error>> {
        let deadline = self.context()?.deadline;
        let transaction = self.table.get_mut(&this)?;
        loop {
            // A read of the past may look at the whole log for one event.
            if Instant::now() >= deadline {
                return Err(DeadlineExceeded.into());
            }
            let batch = match transaction.reader.next_batch(limits::READ_BATCH_EVENTS) {
                Ok(batch) => batch,
                Err(error) => return Ok(Err(read_failed(error))),
            };
            let ended = batch.is_empty();
            let events: Vec<_> = batch
                .into_iter()
                .filter(|event| {
                    transaction
                        .until
                        .is_none_or(|until| event.timestamp <= until)
                })
                .map(Into::into)
                .collect();
            if ended || !events.is_empty() {
                return Ok(Ok(events));
            }
        }
    }

    fn head(&mut self, this: Resource<OpenTransaction>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&this)?.head)
    }

    fn commit(
        &mut self,
        this: Resource<OpenTransaction>,
        events: Vec<wit::NewEvent>,
    ) -> wasmtime::Result<Result<wit::Receipt, wit::Error>> {
        let transaction = self.table.get_mut(&this)?;
        let after = transaction.head;
        let Some(append) = transaction.append.take() else {
            return Ok(Err(wit::Error::Invalid(
                "this transaction cannot commit: it reads the past or has committed".into(),
            )));
        };
        let events: Vec<NewEvent> = events.into_iter().map(Into::into).collect();
        let boundary = Boundary {
            query: append.query,
            after,
        };
        let context = self.context()?;
        Ok(
            match context.log.append(events, &append.provenance, &boundary) {
                Ok(receipt) => {
                    context.committed = Some(receipt.position);
                    context.known = context.known.max(context.committed);
                    Ok(receipt.into())
                }
                Err(error) => Err(context.append_failed(error)),
            },
        )
    }

    fn drop(&mut self, this: Resource<OpenTransaction>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl TransactionContext {
    fn append_failed(&mut self, error: AppendError) -> wit::Error {
        let text = chain(&error);
        match error {
            AppendError::Conflict { .. } => wit::Error::Conflict(text),
            AppendError::Invalid { .. } => wit::Error::Invalid(text),
            AppendError::OutcomeUnknown { .. } => {
                self.outcome_unknown = Some(text.clone());
                wit::Error::Unavailable(text)
            }
            _ => wit::Error::Unavailable(text),
        }
    }
}

fn to_query(items: Vec<common_wit::QueryItem>) -> Query {
    Query {
        items: items.into_iter().map(Into::into).collect(),
    }
}

fn read_failed(error: ReadError) -> wit::Error {
    wit::Error::Unavailable(chain(&error))
}

fn unavailable(error: wasmtime::Error) -> wit::Error {
    wit::Error::Unavailable(error.to_string())
}
