//! The consistency boundary: one read of the log, and the append that depends on it.

use std::sync::Arc;
use std::time::Instant;

use uuid::Uuid;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

mod resumed;

#[cfg(test)]
mod tests;

use resumed::{Bound, Resumed};

use crate::bindings::{command_wit, common_wit, moment, transaction_wit as wit};
use crate::engine::guest::GuestState;
use crate::engine::trap::DeadlineExceeded;
use crate::limits;
use crate::metrics::Metrics;
use crate::modules::component::{LoadedModule, Services};
use crate::report::chain;
use crate::snapshots::Snapshots;
use crate::store::{
    AppendError, Author, Boundary, EventLog, MergedReader, NewEvent, Provenance, Query, ReadError,
};

/// What the host keeps for one instance that may read and append events.
#[derive(Debug)]
pub(crate) struct TransactionContext {
    log: EventLog,
    snapshots: Snapshots,
    metrics: Arc<Metrics>,
    module: String,
    version: String,
    digest: [u8; 32],
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
    pub(crate) fn new(services: &Services, module: &LoadedModule) -> Self {
        Self {
            log: services.log.clone(),
            snapshots: services.snapshots.clone(),
            metrics: Arc::clone(&services.metrics),
            module: module.name().to_string(),
            version: module.version().to_string(),
            digest: *module.digest(),
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
    query: Query,
    reader: MergedReader,
    progress: Progress,
    /// Where the guest reads by readers.
    resumed: Option<Resumed>,
    /// How often scopes had been shredded before the first event was read.
    shreddings: u64,
    bound: Bound,
    duplicate: Option<u64>,
    /// Who appends; `None` for a read of the past and after a commit.
    append: Option<Provenance>,
}

/// How far a guest has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Opened,
    Reading,
    Ended,
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

    fn transaction(
        &mut self,
        this: &Resource<OpenTransaction>,
    ) -> wasmtime::Result<(&mut OpenTransaction, &TransactionContext)> {
        let context = self.context.as_deref();
        let context = context
            .ok_or_else(|| wasmtime::format_err!("this instance may not use transactions"))?;
        Ok((self.table.get_mut(this)?, context))
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
        let bound = Bound { head, until: None };
        let mut opened = this.opened(query, bound);
        opened.duplicate = duplicate;
        opened.append = Some(provenance);
        Ok(opened)
    }

    fn open_in_the_past(
        &mut self,
        query: Query,
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
        Ok(this.opened(query, Bound { head, until }))
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
        match self.open_in_the_past(to_query(query), bound) {
            Ok(transaction) => Ok(Ok(self.table.push(transaction)?)),
            Err(error) => Ok(Err(error)),
        }
    }

    fn duplicate(&mut self, this: Resource<OpenTransaction>) -> wasmtime::Result<Option<u64>> {
        Ok(self.table.get(&this)?.duplicate)
    }

    fn resume(
        &mut self,
        this: Resource<OpenTransaction>,
        readers: Vec<wit::Reader>,
    ) -> wasmtime::Result<Result<Vec<Option<wit::Snapshot>>, wit::Error>> {
        let (transaction, context) = self.transaction(&this)?;
        if transaction.progress != Progress::Opened || transaction.resumed.is_some() {
            return Ok(Err(wit::Error::Invalid(
                "a transaction is resumed once, before its first batch is read".into(),
            )));
        }
        let resumed = Resumed::look_up(
            &context.snapshots,
            &context.digest,
            &transaction.query,
            transaction.bound,
            readers,
        );
        Ok(resumed.map(|(resumed, states)| {
            transaction.resumed = Some(resumed);
            states
        }))
    }

    fn discard(&mut self, this: Resource<OpenTransaction>, reader: u32) -> wasmtime::Result<()> {
        let (transaction, context) = self.transaction(&this)?;
        match &mut transaction.resumed {
            Some(resumed) if transaction.progress == Progress::Opened => {
                resumed.discard(&context.snapshots, reader)
            }
            _ => Err(wasmtime::format_err!(
                "a state is discarded after it was given and before the first batch is read"
            )),
        }
    }

    fn keep(
        &mut self,
        this: Resource<OpenTransaction>,
        reader: u32,
        state: String,
    ) -> wasmtime::Result<()> {
        let (transaction, context) = self.transaction(&this)?;
        let (Some(resumed), Progress::Ended) = (&mut transaction.resumed, transaction.progress)
        else {
            return Err(wasmtime::format_err!(
                "a state is offered after the transaction was resumed and read to its end"
            ));
        };
        // A read of the past knows less than the newest state.
        if transaction.append.is_none() {
            return Ok(());
        }
        let (head, shreddings) = (transaction.bound.head, transaction.shreddings);
        resumed.offer(&context.snapshots, reader, state, head, shreddings)
    }

    fn next_batch(
        &mut self,
        this: Resource<OpenTransaction>,
    ) -> wasmtime::Result<Result<Vec<common_wit::StoredEvent>, wit::Error>> {
        let (transaction, context) = self.transaction(&this)?;
        let deadline = context.deadline;
        transaction.begin(context);
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
            let until = transaction.bound.until;
            let events: Vec<_> = batch
                .into_iter()
                .filter(|event| until.is_none_or(|until| event.timestamp <= until))
                .inspect(|event| {
                    if let Some(resumed) = &mut transaction.resumed {
                        resumed.saw(event);
                    }
                })
                .map(Into::into)
                .collect();
            if ended {
                transaction.progress = Progress::Ended;
            }
            if ended || !events.is_empty() {
                context.metrics.read(events.len());
                return Ok(Ok(events));
            }
        }
    }

    fn head(&mut self, this: Resource<OpenTransaction>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&this)?.bound.head)
    }

    fn commit(
        &mut self,
        this: Resource<OpenTransaction>,
        events: Vec<wit::NewEvent>,
    ) -> wasmtime::Result<Result<wit::Receipt, wit::Error>> {
        let transaction = self.table.get_mut(&this)?;
        let after = transaction.bound.head;
        let Some(provenance) = transaction.append.take() else {
            return Ok(Err(wit::Error::Invalid(
                "this transaction cannot commit: it reads the past or has committed".into(),
            )));
        };
        let events: Vec<NewEvent> = events.into_iter().map(Into::into).collect();
        let boundary = Boundary {
            query: std::mem::take(&mut transaction.query),
            after,
        };
        let context = self.context()?;
        Ok(match context.log.append(events, &provenance, &boundary) {
            Ok(receipt) => {
                context.committed = Some(receipt.position);
                context.known = context.known.max(context.committed);
                Ok(receipt.into())
            }
            Err(error) => Err(context.append_failed(error)),
        })
    }

    fn drop(&mut self, this: Resource<OpenTransaction>) -> wasmtime::Result<()> {
        self.table.delete(this)?;
        Ok(())
    }
}

impl OpenTransaction {
    /// Decides what is read, before the first batch.
    fn begin(&mut self, context: &TransactionContext) {
        if self.progress != Progress::Opened {
            return;
        }
        self.progress = Progress::Reading;
        let (snapshots, log) = (&context.snapshots, &context.log);
        let resumed = self.resumed.as_ref();
        let reader = resumed.and_then(|it| it.start(snapshots, log, self.bound.head));
        if let Some(reader) = reader {
            self.reader = reader;
        }
    }
}

impl TransactionContext {
    fn opened(&self, query: Query, bound: Bound) -> OpenTransaction {
        OpenTransaction {
            // Before anything is read.
            shreddings: self.snapshots.shreddings(),
            reader: MergedReader::new([self.log.read(&query, 0, bound.head)]),
            query,
            progress: Progress::Opened,
            resumed: None,
            bound,
            duplicate: None,
            append: None,
        }
    }

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
