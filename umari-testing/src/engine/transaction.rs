//! One read of the log and the append that depends on it, recorded for the checks and reports.

use std::rc::Rc;

use umari::host::{
    AsOf, KeptState, NewEvent, QueryItem, RawEvent, ReaderQuery, Reading, Receipt, Transaction,
    TransactionError,
};

use super::Engine;
use super::log::{Condition, Origin};
use super::snapshots::{Kept, Snapshots};
use super::sweep::HostCall;

/// Events per batch: small, so that every scenario of a few events crosses a batch boundary.
const BATCH_EVENTS: usize = 2;

/// What one transaction asked, read and wrote.
#[derive(Debug, Clone)]
pub(crate) struct Trace {
    pub(crate) condition: Condition,
    /// What each fold reads; empty where the module asked by itself.
    pub(crate) readings: Rc<[Reading]>,
    /// The positions that were handed to the module.
    pub(crate) read: Vec<u64>,
    /// Whether it was read to its end.
    pub(crate) ended: bool,
    /// What each reader did about its snapshot; empty where none has any.
    pub(crate) kept: Vec<Kept>,
    /// What the module tried to append, whether or not it was let.
    pub(crate) attempted: Vec<NewEvent>,
    /// The position that already carried the key.
    pub(crate) duplicate: Option<u64>,
}

/// A transaction on the engine's log.
pub(crate) struct LogTransaction {
    engine: Rc<Engine>,
    /// Its place among the engine's traces.
    index: usize,
    /// What is still to be read.
    unread: std::vec::IntoIter<RawEvent>,
    condition: Condition,
    duplicate: Option<u64>,
    origin: Option<Origin>,
}

impl LogTransaction {
    /// Opens a boundary over `query`; without an origin it reads the past and cannot commit.
    pub(crate) fn open(
        engine: &Rc<Engine>,
        query: &[QueryItem],
        bound: Option<AsOf>,
        origin: Option<Origin>,
    ) -> Result<Self, TransactionError> {
        super::log::check_query(query)?;
        let log = engine.log.borrow();
        let head = log.head();
        let events = log.read(query, bound.unwrap_or(AsOf::Position(head)));
        let condition = Condition {
            query: query.into(),
            command: origin
                .as_ref()
                .map_or_else(|| "".into(), |origin| Rc::clone(&origin.command)),
            idempotency_key: origin.as_ref().and_then(|origin| origin.idempotency_key),
            after: match bound {
                None => head,
                Some(AsOf::Position(position)) => position.min(head),
                Some(AsOf::Time(time)) => log
                    .events()
                    .filter(|event| event.timestamp <= time)
                    .map(|event| event.position)
                    .max()
                    .unwrap_or(0),
            },
        };
        let duplicate = log.duplicate(&condition);
        let mut traces = engine.traces.borrow_mut();
        traces.push(Trace {
            condition: condition.clone(),
            readings: engine.readings.take(),
            read: Vec::new(),
            ended: false,
            kept: Vec::new(),
            attempted: Vec::new(),
            duplicate,
        });
        Ok(Self {
            engine: Rc::clone(engine),
            index: traces.len() - 1,
            unread: events.into_iter(),
            condition,
            duplicate,
            origin,
        })
    }

    fn trace(&self, record: impl FnOnce(&mut Trace)) {
        record(&mut self.engine.traces.borrow_mut()[self.index]);
    }
}

impl Transaction for LogTransaction {
    fn duplicate(&self) -> Option<u64> {
        self.duplicate
    }

    fn resume(
        &mut self,
        readers: &[ReaderQuery],
    ) -> Result<Vec<Option<KeptState>>, TransactionError> {
        let kept = |reader: &ReaderQuery| Kept {
            has_key: reader.key.is_some(),
            ..Kept::default()
        };
        self.trace(|trace| trace.kept = readers.iter().map(kept).collect());
        let snapshots = self.engine.snapshots.borrow().clone();
        match snapshots {
            Snapshots::Cut { transaction, at } if transaction == self.index => {
                let unread = std::mem::take(&mut self.unread);
                let unread: Vec<_> = unread.filter(|event| event.position <= at).collect();
                self.unread = unread.into_iter();
            }
            Snapshots::Resumed {
                transaction,
                at: position,
                states,
            } if transaction == self.index => {
                let kept = |state: Option<String>| state.map(|state| KeptState { position, state });
                return Ok(states.into_iter().map(kept).collect());
            }
            _ => {}
        }
        Ok(vec![None; readers.len()])
    }

    fn discard(&mut self, reader: usize) {
        self.trace(|trace| trace.kept[reader].discarded = true);
    }

    fn keep(&mut self, reader: usize, state: String) {
        self.trace(|trace| trace.kept[reader].state = Some(state));
    }

    fn wants_every_state(&self) -> bool {
        !matches!(*self.engine.snapshots.borrow(), Snapshots::None)
    }

    fn next_batch(&mut self) -> Result<Vec<RawEvent>, TransactionError> {
        let batch: Vec<_> = self.unread.by_ref().take(BATCH_EVENTS).collect();
        self.trace(|trace| {
            trace.read.extend(batch.iter().map(|event| event.position));
            trace.ended = batch.is_empty();
        });
        Ok(batch)
    }

    fn head(&self) -> u64 {
        self.condition.after
    }

    fn commit(&mut self, events: Vec<NewEvent>) -> Result<Receipt, TransactionError> {
        let Some(origin) = self.origin.take() else {
            return Err(TransactionError::Invalid(
                "this transaction reads the past, or has committed already".to_owned(),
            ));
        };
        self.trace(|trace| trace.attempted.clone_from(&events));
        self.engine.let_rival_commit();
        self.engine.reach(HostCall::Commit);
        let mut log = self.engine.log.borrow_mut();
        if let Some(rival) = log.conflict(&self.condition) {
            return Err(TransactionError::Conflict(format!(
                "`{}` was appended at position {} after this command had read up to {}",
                rival.event_type, rival.position, self.condition.after
            )));
        }
        let receipt = log.append(events, &origin)?;
        drop(log);
        self.engine.passed(HostCall::Commit);
        Ok(receipt)
    }
}
