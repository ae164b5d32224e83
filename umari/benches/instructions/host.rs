//! A host that costs next to nothing: it gives out events that were made before, and takes what it
//! is given.

use std::cell::RefCell;
use std::rc::Rc;

use umari::crypto::{ShredError, Shredded};
use umari::event::encode;
use umari::host::{
    AsOf, Database, Host, HttpFailure, HttpRequest, HttpResponse, NewEvent, QueryItem, RawEvent,
    Receipt, Transaction, TransactionError, install,
};
use umari::prelude::*;

use crate::EVENTS;
use crate::domain::{created, sold};

/// The log, as it comes from the wire: plain code starts from here too.
pub(crate) fn events() -> Vec<RawEvent> {
    let first = encode(&created()).expect("an event");
    let others = (1..EVENTS as u128).map(|number| encode(&sold(number)).expect("an event"));
    std::iter::once(first)
        .chain(others)
        .zip(1..)
        .map(|(event, position)| stored(event, position))
        .collect()
}

fn stored(event: NewEvent, position: u64) -> RawEvent {
    RawEvent {
        id: Uuid::from_u128(u128::from(position)),
        position,
        event_type: event.event_type,
        tags: event.tags,
        timestamp: DateTime::UNIX_EPOCH,
        correlation_id: Uuid::nil(),
        causation_id: Uuid::nil(),
        triggering_event_id: None,
        idempotency_key: None,
        encryption_scope: None,
        encryption_key_id: None,
        schema_version: event.schema_version,
        payload: Some(event.payload),
    }
}

#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) events: RefCell<Vec<RawEvent>>,
    pub(crate) query: RefCell<Vec<QueryItem>>,
    pub(crate) committed: Rc<RefCell<Vec<NewEvent>>>,
}

struct Open {
    events: Vec<RawEvent>,
    committed: Rc<RefCell<Vec<NewEvent>>>,
}

impl Transaction for Open {
    fn duplicate(&self) -> Option<u64> {
        None
    }

    fn next_batch(&mut self) -> Result<Vec<RawEvent>, TransactionError> {
        Ok(std::mem::take(&mut self.events))
    }

    fn head(&self) -> u64 {
        0
    }

    fn commit(&mut self, events: Vec<NewEvent>) -> Result<Receipt, TransactionError> {
        let ids = (0..events.len() as u128).map(Uuid::from_u128).collect();
        *self.committed.borrow_mut() = events;
        Ok(Receipt {
            position: 1,
            ids,
            timestamp: DateTime::UNIX_EPOCH,
        })
    }
}

impl Host for Memory {
    fn open(
        &self,
        query: &[QueryItem],
        _: &CommandContext,
        _: &str,
    ) -> Result<Box<dyn Transaction>, TransactionError> {
        *self.query.borrow_mut() = query.to_vec();
        Ok(Box::new(Open {
            events: self.events.take(),
            committed: Rc::clone(&self.committed),
        }))
    }

    fn open_as_of(
        &self,
        query: &[QueryItem],
        _: AsOf,
    ) -> Result<Box<dyn Transaction>, TransactionError> {
        self.open(query, &CommandContext::new(), "")
    }

    fn database(&self) -> &dyn Database {
        unreachable!("nothing here has a database")
    }

    fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        unreachable!("nothing here sends")
    }

    fn shred(&self, _: &str, _: &str) -> Result<Shredded, ShredError> {
        unreachable!("nothing here shreds")
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }

    fn new_id(&self) -> Uuid {
        Uuid::nil()
    }
}

/// Works against a host with these events.
pub(crate) fn run<T>(events: Vec<RawEvent>, work: impl FnOnce(&Memory) -> T) -> T {
    let memory = Rc::new(Memory {
        events: RefCell::new(events),
        ..Memory::default()
    });
    let _installed = install(Rc::clone(&memory) as Rc<dyn Host>);
    work(&memory)
}
