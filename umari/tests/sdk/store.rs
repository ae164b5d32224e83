//! A host in memory: a log with conditional appends, and recorded calls.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use umari::crypto::{ShredError, Shredded};
use umari::event::encode;
use umari::host::{
    AsOf, Database, Host, HttpFailure, HttpRequest, HttpResponse, Installed, NewEvent, QueryItem,
    RawEvent, Receipt, Transaction, TransactionError, Upcasting, install,
};
use umari::prelude::*;

/// Who reads, from which version, and what it makes of it.
type Tried = (&'static str, u32, Option<Vec<serde_json::Value>>);

#[derive(Default)]
pub(crate) struct Store {
    pub(crate) log: Rc<RefCell<Vec<RawEvent>>>,
    /// Every boundary that was opened: its query, its context and the command's name.
    pub(crate) opened: RefCell<Vec<(Vec<QueryItem>, CommandContext, String)>>,
    /// What the next commits fail with.
    pub(crate) failures: Rc<RefCell<Vec<TransactionError>>>,
    pub(crate) requests: RefCell<Vec<HttpRequest>>,
    /// What was shredded: each scope, and why.
    pub(crate) shredded: RefCell<Vec<(String, String)>>,
    /// What its upcasts make of `{"plan_id":1,"price":2}`, by the type that reads.
    pub(crate) tried: RefCell<Vec<Tried>>,
    ids: Cell<u128>,
}

impl Store {
    /// Installs an empty store.
    pub(crate) fn install() -> (Rc<Self>, Installed) {
        let store = Rc::new(Self::default());
        let installed = install(Rc::clone(&store) as Rc<dyn Host>);
        (store, installed)
    }

    pub(crate) fn given<E: Event>(&self, event: &E) -> RawEvent {
        self.append(vec![encode(event).unwrap()], None, Uuid::from_u128(0xc0));
        self.log.borrow().last().unwrap().clone()
    }

    fn append(&self, events: Vec<NewEvent>, key: Option<Uuid>, correlation_id: Uuid) {
        append(&self.log, events, key, correlation_id);
    }

    pub(crate) fn types(&self) -> Vec<String> {
        self.log
            .borrow()
            .iter()
            .map(|event| event.event_type.clone())
            .collect()
    }

    pub(crate) fn query(&self) -> Vec<QueryItem> {
        self.opened.borrow().last().unwrap().0.clone()
    }
}

fn append(
    log: &RefCell<Vec<RawEvent>>,
    events: Vec<NewEvent>,
    key: Option<Uuid>,
    correlation_id: Uuid,
) {
    let mut log = log.borrow_mut();
    for event in events {
        let position = log.len() as u64 + 1;
        log.push(RawEvent {
            id: Uuid::from_u128(0xe000 + u128::from(position)),
            position,
            event_type: event.event_type,
            tags: event.tags,
            timestamp: DateTime::from_timestamp(1_700_000_000 + position as i64, 0).unwrap(),
            correlation_id,
            causation_id: Uuid::nil(),
            triggering_event_id: None,
            idempotency_key: key,
            encryption_scope: event.encryption_scope,
            encryption_key_id: None,
            schema_version: event.schema_version,
            payload: Some(event.payload),
        });
    }
}

pub(crate) fn item(types: &[&str], tags: &[&str]) -> QueryItem {
    let own = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    QueryItem {
        types: own(types),
        tags: own(tags),
    }
}

fn matches(query: &[QueryItem], event: &RawEvent) -> bool {
    query.iter().any(|item| {
        (item.types.is_empty() || item.types.contains(&event.event_type))
            && item.tags.iter().all(|tag| event.tags.contains(tag))
    })
}

struct Open {
    log: Rc<RefCell<Vec<RawEvent>>>,
    failures: Rc<RefCell<Vec<TransactionError>>>,
    head: u64,
    duplicate: Option<u64>,
    pending: Vec<RawEvent>,
    key: Option<Uuid>,
    correlation_id: Uuid,
}

impl Transaction for Open {
    fn duplicate(&self) -> Option<u64> {
        self.duplicate
    }

    /// One event at a time, so that batches are crossed.
    fn next_batch(&mut self) -> Result<Vec<RawEvent>, TransactionError> {
        let rest = self.pending.split_off(1.min(self.pending.len()));
        Ok(std::mem::replace(&mut self.pending, rest))
    }

    fn head(&self) -> u64 {
        self.head
    }

    fn commit(&mut self, events: Vec<NewEvent>) -> Result<Receipt, TransactionError> {
        if let Some(failure) = self.failures.borrow_mut().pop() {
            return Err(failure);
        }
        append(&self.log, events, self.key, self.correlation_id);
        let log = self.log.borrow();
        let last = log.last().unwrap();
        let ids = log[self.head as usize..]
            .iter()
            .map(|event| event.id)
            .collect();
        Ok(Receipt {
            position: last.position,
            ids,
            timestamp: last.timestamp,
        })
    }
}

impl Store {
    fn read(&self, query: &[QueryItem], keep: impl Fn(&RawEvent) -> bool) -> Open {
        let log = self.log.borrow();
        Open {
            log: Rc::clone(&self.log),
            failures: Rc::clone(&self.failures),
            head: log.len() as u64,
            duplicate: None,
            pending: log
                .iter()
                .filter(|e| matches(query, e) && keep(e))
                .cloned()
                .collect(),
            key: None,
            correlation_id: Uuid::nil(),
        }
    }
}

impl Host for Store {
    fn upcasting(&self, upcasting: &Upcasting<'_>) {
        let tried = (upcasting.upcast)(r#"{"plan_id":1,"price":2}"#);
        let tried = (upcasting.reader, upcasting.version, tried);
        self.tried.borrow_mut().push(tried);
    }

    fn open(
        &self,
        query: &[QueryItem],
        context: &CommandContext,
        command: &str,
    ) -> Result<Box<dyn Transaction>, TransactionError> {
        self.opened
            .borrow_mut()
            .push((query.to_vec(), context.clone(), command.to_owned()));
        let key = context.idempotency_key;
        let mut open = self.read(query, |_| true);
        open.duplicate = self
            .log
            .borrow()
            .iter()
            .find(|event| key.is_some() && event.idempotency_key == key)
            .map(|event| event.position);
        open.key = key;
        open.correlation_id = context.correlation_id;
        Ok(Box::new(open))
    }

    fn open_as_of(
        &self,
        query: &[QueryItem],
        bound: AsOf,
    ) -> Result<Box<dyn Transaction>, TransactionError> {
        Ok(Box::new(self.read(query, |event| match bound {
            AsOf::Position(position) => event.position <= position,
            AsOf::Time(time) => event.timestamp <= time,
        })))
    }

    fn database(&self) -> &dyn Database {
        panic!("these tests have no database")
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        self.requests.borrow_mut().push(request);
        let headers = vec![("Content-Type".to_owned(), "application/json".to_owned())];
        Ok(HttpResponse {
            status: 201,
            headers,
            body: br#"{"id":7}"#.to_vec(),
        })
    }

    fn shred(&self, scope: &str, reason: &str) -> Result<Shredded, ShredError> {
        self.shredded
            .borrow_mut()
            .push((scope.to_owned(), reason.to_owned()));
        Ok(Shredded::new(1, DateTime::UNIX_EPOCH))
    }

    fn env(&self, name: &str) -> Option<String> {
        (name == "ADDRESS").then(|| "https://example.com/hooks".to_owned())
    }

    fn new_id(&self) -> Uuid {
        self.ids.set(self.ids.get() + 1);
        Uuid::from_u128(self.ids.get())
    }
}
