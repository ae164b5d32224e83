//! Folds with snapshots on a host that keeps states: what they see is what they see without.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use proptest::prelude::*;
use umari::crypto::{ShredError, Shredded};
use umari::host::{
    AsOf, Database, Host, HttpFailure, HttpRequest, HttpResponse, KeptState, NewEvent, QueryItem,
    RawEvent, ReaderQuery, Receipt, Transaction, TransactionError, install,
};
use umari::limits::{SNAPSHOT_FIELDS_BYTES_MAX, SNAPSHOT_STATE_BYTES_MAX};
use umari::prelude::*;

use crate::store::Store;

#[derive(Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("seat.sold")]
struct SeatSold {
    #[domain_id]
    show_id: u64,
    #[domain_id]
    customer_id: u64,
    seats: u32,
}

/// Sales of a show in their order. What a seat costs is no domain id.
#[derive(DomainIds, Serialize)]
struct Sales {
    #[domain_id]
    show_id: u64,
    price: u32,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Sold {
    sales: Vec<u32>,
    income: u32,
}

impl Fold for Sales {
    type Events = SingleEvent<SeatSold>;
    type State = Sold;

    const SNAPSHOT: Snapshot<Self> = Snapshot::after(2);

    fn apply(&self, sold: &mut Sold, event: StoredEvent<SeatSold>) {
        sold.sales.push(event.data.seats);
        sold.income += event.data.seats * self.price;
    }
}

/// The seats of a customer, from a beginning that is not the default.
#[derive(DomainIds, Serialize)]
struct Seats {
    #[domain_id]
    customer_id: u64,
}

impl Decider for Seats {
    type Events = SingleEvent<SeatSold>;
    type State = u32;
    type Input = ();

    const SNAPSHOT: Snapshot<Self> = Snapshot::after(3);

    fn initial(&self) -> u32 {
        1_000
    }

    fn evolve(&self, seats: u32, event: StoredEvent<SeatSold>) -> u32 {
        seats.wrapping_mul(31) + event.data.seats
    }

    fn decide(&self, (): (), _: u32) -> anyhow::Result<Emit> {
        Ok(emit![])
    }
}

/// States by what their readers say they depend on.
type States = HashMap<(String, Vec<QueryItem>), KeptState>;

/// A host in memory that keeps states, and counts what it hands out.
#[derive(Default)]
struct Keeping {
    store: Rc<Store>,
    states: Rc<RefCell<States>>,
    calls: Rc<RefCell<Calls>>,
}

#[derive(Debug, Default, Clone, PartialEq)]
struct Calls {
    resumed: usize,
    discarded: usize,
    kept: usize,
    events: usize,
}

struct Open {
    inner: Box<dyn Transaction>,
    past: bool,
    readers: Vec<ReaderQuery>,
    afters: Vec<u64>,
    states: Rc<RefCell<States>>,
    calls: Rc<RefCell<Calls>>,
}

impl Transaction for Open {
    fn duplicate(&self) -> Option<u64> {
        self.inner.duplicate()
    }

    fn resume(
        &mut self,
        readers: &[ReaderQuery],
    ) -> Result<Vec<Option<KeptState>>, TransactionError> {
        self.readers = readers.to_vec();
        let head = self.inner.head();
        let states = self.states.borrow();
        let find = |reader: &ReaderQuery| {
            let kept = states.get(&(reader.key.clone()?, reader.query.clone()))?;
            (kept.position <= head).then(|| kept.clone())
        };
        let found: Vec<_> = readers.iter().map(find).collect();
        let after = |kept: &Option<KeptState>| kept.as_ref().map_or(0, |kept| kept.position);
        self.afters = found.iter().map(after).collect();
        self.calls.borrow_mut().resumed += found.iter().flatten().count();
        Ok(found)
    }

    fn discard(&mut self, reader: usize) {
        self.afters[reader] = 0;
        self.calls.borrow_mut().discarded += 1;
    }

    fn keep(&mut self, reader: usize, state: String) {
        if self.past {
            return;
        }
        let position = self.inner.head();
        let ReaderQuery { key, query } = self.readers[reader].clone();
        let key = (key.expect("a reader with a key"), query);
        self.states
            .borrow_mut()
            .insert(key, KeptState { position, state });
        self.calls.borrow_mut().kept += 1;
    }

    /// Leaves out what every reader has a state for.
    fn next_batch(&mut self) -> Result<Vec<RawEvent>, TransactionError> {
        loop {
            let batch = self.inner.next_batch()?;
            if batch.is_empty() {
                return Ok(batch);
            }
            let first = self.afters.iter().min().copied().unwrap_or(0);
            let new: Vec<_> = batch.into_iter().filter(|it| it.position > first).collect();
            self.calls.borrow_mut().events += new.len();
            if !new.is_empty() {
                return Ok(new);
            }
        }
    }

    fn head(&self) -> u64 {
        self.inner.head()
    }

    fn commit(&mut self, events: Vec<NewEvent>) -> Result<Receipt, TransactionError> {
        self.inner.commit(events)
    }
}

impl Keeping {
    fn wrap(&self, inner: Box<dyn Transaction>, past: bool) -> Box<dyn Transaction> {
        Box::new(Open {
            inner,
            past,
            readers: Vec::new(),
            afters: Vec::new(),
            states: Rc::clone(&self.states),
            calls: Rc::clone(&self.calls),
        })
    }

    fn sell(&self, show_id: u64, customer_id: u64, seats: u32) {
        self.store.given(&SeatSold {
            show_id,
            customer_id,
            seats,
        });
    }

    /// What a query reads and counts here.
    fn counted<T>(self: &Rc<Self>, run: impl FnOnce() -> T) -> (T, Calls) {
        let _installed = install(Rc::clone(self) as Rc<dyn Host>);
        *self.calls.borrow_mut() = Calls::default();
        let answer = run();
        (answer, self.calls.borrow().clone())
    }
}

impl Host for Keeping {
    fn open(
        &self,
        query: &[QueryItem],
        context: &CommandContext,
        command: &str,
    ) -> Result<Box<dyn Transaction>, TransactionError> {
        Ok(self.wrap(self.store.open(query, context, command)?, false))
    }

    fn open_as_of(
        &self,
        query: &[QueryItem],
        bound: AsOf,
    ) -> Result<Box<dyn Transaction>, TransactionError> {
        let AsOf::Position(position) = bound else {
            panic!("these tests read by position")
        };
        struct Bounded(Box<dyn Transaction>, u64);
        impl Transaction for Bounded {
            fn duplicate(&self) -> Option<u64> {
                self.0.duplicate()
            }
            fn next_batch(&mut self) -> Result<Vec<RawEvent>, TransactionError> {
                self.0.next_batch()
            }
            fn head(&self) -> u64 {
                self.0.head().min(self.1)
            }
            fn commit(&mut self, events: Vec<NewEvent>) -> Result<Receipt, TransactionError> {
                self.0.commit(events)
            }
        }
        let inner = self.store.open_as_of(query, bound)?;
        Ok(self.wrap(Box::new(Bounded(inner, position)), true))
    }

    fn database(&self) -> &dyn Database {
        self.store.database()
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        self.store.send(request)
    }

    fn shred(&self, scope: &str, reason: &str) -> Result<Shredded, ShredError> {
        self.store.shred(scope, reason)
    }

    fn env(&self, name: &str) -> Option<String> {
        self.store.env(name)
    }

    fn new_id(&self) -> Uuid {
        self.store.new_id()
    }
}

fn sales(show_id: u64) -> Sold {
    let fold = Sales { show_id, price: 10 };
    FoldQuery::new().fold(fold).run().unwrap()
}

#[test]
fn a_fold_goes_on_from_its_state_and_keeps_one_when_it_is_due() {
    let host = Rc::new(Keeping::default());
    let run = |expected: &[u32]| {
        let (sold, calls) = host.counted(|| sales(1));
        assert_eq!(sold.sales, expected);
        assert_eq!(sold.income, expected.iter().sum::<u32>() * 10);
        (calls.resumed, calls.events, calls.kept)
    };
    assert_eq!(run(&[]), (0, 0, 0));
    host.sell(1, 7, 1);
    assert_eq!(run(&[1]), (0, 1, 0), "one event is not two");
    host.sell(1, 7, 2);
    assert_eq!(run(&[1, 2]), (0, 2, 1));
    assert_eq!(run(&[1, 2]), (1, 0, 0), "nothing is new");
    host.sell(1, 7, 3);
    assert_eq!(run(&[1, 2, 3]), (1, 1, 0), "counted since the last one");
    host.sell(1, 7, 4);
    assert_eq!(run(&[1, 2, 3, 4]), (1, 2, 1));
    assert_eq!(run(&[1, 2, 3, 4]), (1, 0, 0));
}

#[test]
fn a_fold_with_another_field_has_another_state() {
    let host = Rc::new(Keeping::default());
    host.sell(1, 7, 1);
    host.sell(1, 7, 2);
    host.counted(|| sales(1));
    let dear = || {
        let fold = Sales {
            show_id: 1,
            price: 1_000,
        };
        FoldQuery::new().fold(fold).run().unwrap().income
    };
    assert_eq!(host.counted(dear).0, 3_000);
    assert_eq!(host.counted(dear).1.resumed, 1, "its own");
}

#[test]
fn a_state_that_does_not_decode_is_given_back() {
    let host = Rc::new(Keeping::default());
    host.sell(1, 7, 1);
    host.sell(1, 7, 2);
    host.counted(|| sales(1));
    for kept in host.states.borrow_mut().values_mut() {
        kept.state = r#"{"of_another_shape":1}"#.to_owned();
    }
    let (sold, calls) = host.counted(|| sales(1));
    assert_eq!(sold.sales, [1, 2]);
    assert_eq!((calls.discarded, calls.events, calls.kept), (1, 2, 1));
}

/// The limit is on what is read, which is what a snapshot is there for.
#[test]
fn a_limit_counts_what_comes_after_the_state() {
    #[derive(DomainIds, Serialize)]
    struct Bounded {
        #[domain_id]
        show_id: u64,
    }

    impl Fold for Bounded {
        type Events = SingleEvent<SeatSold>;
        type State = u32;

        const MAX_EVENTS: u64 = 3;
        const SNAPSHOT: Snapshot<Self> = Snapshot::after(0);

        fn apply(&self, sales: &mut u32, _event: StoredEvent<SeatSold>) {
            *sales += 1;
        }
    }

    let host = Rc::new(Keeping::default());
    let count = || FoldQuery::new().fold(Bounded { show_id: 1 }).run();
    let sell = |times: usize| (0..times).for_each(|_| host.sell(1, 7, 1));
    sell(3);
    assert_eq!(host.counted(count).0.unwrap(), 3);
    sell(3);
    assert_eq!(host.counted(count).0.unwrap(), 6);
    sell(4);
    let error = host.counted(count).0.unwrap_err();
    assert!(matches!(error, FoldError::TooManyEvents { limit: 3, .. }));
}

/// JSON has no maps whose keys are maps, which only the value tells.
#[test]
fn fields_or_a_state_that_are_no_json_are_read_anew() {
    #[derive(DomainIds, Serialize)]
    struct Odd {
        #[domain_id]
        show_id: u64,
        prices: HashMap<(u32, u32), u32>,
    }

    impl Fold for Odd {
        type Events = SingleEvent<SeatSold>;
        type State = BTreeMap<(u64, u64), u32>;

        const SNAPSHOT: Snapshot<Self> = Snapshot::after(1);

        fn apply(&self, sold: &mut Self::State, event: StoredEvent<SeatSold>) {
            sold.insert(
                (event.data.show_id, event.data.customer_id),
                self.prices.len() as u32,
            );
        }
    }

    let host = Rc::new(Keeping::default());
    host.sell(1, 7, 1);
    for prices in [HashMap::new(), HashMap::from([((1, 2), 3)])] {
        let fold = || Odd {
            show_id: 1,
            prices: prices.clone(),
        };
        let (state, calls) = host.counted(|| FoldQuery::new().fold(fold()).run().unwrap());
        assert_eq!(state.len(), 1);
        assert_eq!((calls.resumed, calls.kept), (0, 0));
    }
}

#[test]
fn a_state_and_the_fields_may_be_so_large_and_no_larger() {
    #[derive(DomainIds, Serialize)]
    struct Texts {
        #[domain_id]
        show_id: u64,
        text: String,
        state_bytes: usize,
    }

    impl Fold for Texts {
        type Events = SingleEvent<SeatSold>;
        type State = String;

        const SNAPSHOT: Snapshot<Self> = Snapshot::after(1);

        fn apply(&self, state: &mut String, _event: StoredEvent<SeatSold>) {
            *state = "x".repeat(self.state_bytes);
        }
    }

    let host = Rc::new(Keeping::default());
    host.sell(1, 7, 1);
    let kept = |text_bytes: usize, state_bytes: usize| {
        let fold = Texts {
            show_id: 1,
            text: "x".repeat(text_bytes),
            state_bytes,
        };
        let run = || FoldQuery::new().fold(fold).run().unwrap();
        host.counted(run).1.kept
    };
    // With its quotes.
    let state = SNAPSHOT_STATE_BYTES_MAX - 2;
    assert_eq!((kept(0, state), kept(0, state + 1)), (1, 0));
    let fields = json!({ "show_id": 1, "text": "", "state_bytes": 1 });
    let text = SNAPSHOT_FIELDS_BYTES_MAX - fields.to_string().len();
    assert_eq!((kept(text, 1), kept(text + 1, 1)), (1, 0));
}

#[test]
fn a_snapshot_shows_how_it_was_written() {
    assert_eq!(format!("{:?}", Sales::SNAPSHOT), "Snapshot::after(2)");
    assert_eq!(
        format!("{:?}", EventCounter::<SeatSold>::SNAPSHOT),
        "Snapshot::NEVER"
    );
}

/// One thing that happens.
#[derive(Debug, Clone)]
enum Step {
    Sell(u64, u64, u32),
    /// Runs three folds, and perhaps as of an earlier position.
    Ask(u64, u64, Option<prop::sample::Index>),
    /// The host has lost some states.
    Lose(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let id = 1..3_u64;
    prop_oneof![
        4 => (id.clone(), id.clone(), 1..9_u32).prop_map(|(a, b, c)| Step::Sell(a, b, c)),
        4 => (id.clone(), id, any::<Option<prop::sample::Index>>())
            .prop_map(|(a, b, c)| Step::Ask(a, b, c)),
        1 => any::<prop::sample::Index>().prop_map(Step::Lose),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Two folds with states of their own positions beside one without any.
    #[test]
    fn queries_answer_with_states_what_they_answer_without(steps in prop::collection::vec(step(), 1..60)) {
        let host = Rc::new(Keeping::default());
        for step in steps {
            match step {
                Step::Sell(show_id, customer_id, seats) => host.sell(show_id, customer_id, seats),
                Step::Lose(which) => {
                    let key = host.states.borrow().keys().min_by_key(|key| which.index(key.0.len())).cloned();
                    if let Some(key) = key {
                        host.states.borrow_mut().remove(&key);
                    }
                }
                Step::Ask(show_id, customer_id, bound) => {
                    let head = host.store.log.borrow().len();
                    let bound = bound.map(|bound| bound.index(head + 1) as u64);
                    let ask = || {
                        let query = FoldQuery::new()
                            .fold(Sales { show_id, price: 3 })
                            .decider(Seats { customer_id })
                            .fold(EventCounter::<SeatSold>::new().with("show_id", show_id));
                        match bound {
                            Some(bound) => query.as_of(bound).run().unwrap(),
                            None => query.run().unwrap(),
                        }
                    };
                    let with = host.counted(ask).0;
                    let _installed = install(Rc::clone(&host.store) as Rc<dyn Host>);
                    prop_assert_eq!(with, ask());
                }
            }
        }
    }
}
