//! Reading by readers against reading everything: what a guest makes of it is the same.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use tempfile::TempDir;
use wit::HostTransaction as _;

use super::*;
use crate::keys::{KeyRing, MasterKey, Shredding};
use crate::store::samples::{by, event, secret};
use crate::store::{QueryItem, Rehearsal};

/// A log and one component's view of it.
struct Fixture {
    log: EventLog,
    keys: Arc<KeyRing>,
    snapshots: Snapshots,
    directory: TempDir,
}

/// What an event is in these tests: a type and tags.
#[derive(Debug, Clone)]
struct Told {
    event_type: &'static str,
    tags: Vec<&'static str>,
    secret: bool,
}

/// A fold: what it reads, and the state that the test makes of it, which is what it saw.
#[derive(Debug, Clone)]
struct Fold {
    name: &'static str,
    kept: bool,
    items: Vec<QueryItem>,
}

/// How a call ended: the states of its folds, and whether it could append.
type Ended = (Vec<Vec<u64>>, Result<(), String>);

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let master = MasterKey::from_hex(&"ab".repeat(32)).expect("a key");
        let keys = KeyRing::open(Path::new(":memory:"), &master).expect("keys");
        let keys = Arc::new(keys);
        let rehearsal = Rehearsal::new(Utc::now(), Uuid::nil());
        let log = EventLog::rehearsed(Vec::new(), Arc::clone(&keys), rehearsal).expect("a log");
        let path = directory.path().join("snapshots.sqlite");
        let snapshots = Snapshots::open(&path, Arc::clone(&keys), log.clone());
        Self {
            log,
            keys,
            snapshots,
            directory,
        }
    }

    fn context(&self, snapshots: &Snapshots) -> TransactionContext {
        TransactionContext {
            log: self.log.clone(),
            snapshots: snapshots.clone(),
            metrics: Arc::default(),
            module: "test".to_owned(),
            version: "1.0.0".to_owned(),
            digest: [7; 32],
            outcome_unknown: None,
            committed: None,
            known: None,
            deadline: Instant::now() + Duration::from_secs(60),
        }
    }

    fn tell(&self, events: &[Told]) {
        let events = events.iter().map(|told| {
            let event = event(told.event_type, &told.tags);
            match told.secret {
                true => secret(event, told.tags[0]),
                false => event,
            }
        });
        self.log
            .append(events.collect(), &by("test"), &Boundary::default())
            .expect("an append");
    }

    /// One call, as the SDK makes it. `rivals` come between its read and its commit.
    fn call(
        &self,
        snapshots: &Snapshots,
        folds: &[Fold],
        bound: Option<wit::AsOf>,
        rivals: &[Told],
    ) -> Ended {
        let mut table = ResourceTable::new();
        let mut context = self.context(snapshots);
        let mut view = TransactionView {
            table: &mut table,
            context: Some(&mut context),
        };
        let whole: Vec<_> = folds.iter().flat_map(|fold| to_wit(&fold.items)).collect();
        let reads_the_past = bound.is_some();
        let opened = match bound {
            Some(bound) => view.open_as_of(whole, bound),
            None => view.open(whole, nobody(), "test".to_owned()),
        };
        let handle = opened.expect("no trap").expect("a transaction");
        let this = || Resource::new_borrow(handle.rep());
        let readers = folds.iter().map(|fold| wit::Reader {
            key: fold.kept.then(|| fold.name.to_owned()),
            query: to_wit(&fold.items),
        });
        let given = view.resume(this(), readers.collect());
        let given = given.expect("no trap").expect("states");
        let mut states: Vec<Vec<u64>> = Vec::new();
        let mut afters = Vec::new();
        for kept in given {
            afters.push(kept.as_ref().map_or(0, |kept| kept.position));
            states.push(kept.map_or_else(Vec::new, |kept| {
                serde_json::from_str(&kept.state).expect("a state")
            }));
        }
        loop {
            let batch = view.next_batch(this()).expect("no trap").expect("a batch");
            if batch.is_empty() {
                break;
            }
            for event in batch {
                for ((fold, state), after) in folds.iter().zip(&mut states).zip(&afters) {
                    let query = Query {
                        items: fold.items.clone(),
                    };
                    let matches = query.matches(&event.event_type, &event.tags);
                    if matches && event.position > *after && event.payload.is_some() {
                        state.push(event.position);
                    }
                }
            }
        }
        for ((fold, state), place) in folds.iter().zip(&states).zip(0..) {
            if fold.kept {
                let state = serde_json::to_string(state).expect("a state");
                view.keep(this(), place, state).expect("no trap");
            }
        }
        if !rivals.is_empty() {
            self.tell(rivals);
        }
        let event = wit::NewEvent {
            event_type: "decided".to_owned(),
            schema_version: 1,
            tags: Vec::new(),
            encryption_scope: None,
            payload: "{}".to_owned(),
        };
        let committed = match reads_the_past {
            true => Ok(()),
            false => view
                .commit(this(), vec![event])
                .expect("no trap")
                .map(|_| ())
                .map_err(|error| match error {
                    wit::Error::Conflict(text) => text,
                    other => panic!("{other:?}"),
                }),
        };
        (states, committed)
    }
}

fn nobody() -> command_wit::Context {
    command_wit::Context {
        correlation_id: Uuid::nil().into(),
        causation_id: Uuid::nil().into(),
        triggering_event_id: None,
        idempotency_key: None,
    }
}

fn to_wit(items: &[QueryItem]) -> Vec<common_wit::QueryItem> {
    let item = |item: &QueryItem| common_wit::QueryItem {
        types: item.types.clone(),
        tags: item.tags.clone(),
    };
    items.iter().map(item).collect()
}

const TYPES: [&str; 3] = ["opened", "moved", "closed"];
const TAGS: [&str; 4] = ["shop:1", "shop:2", "plan:1", "plan:2"];

fn told(random: &mut StdRng) -> Told {
    let mut tags: Vec<_> = TAGS
        .into_iter()
        .filter(|_| random.random_bool(0.4))
        .collect();
    if tags.is_empty() {
        tags.push("shop:1");
    }
    Told {
        event_type: TYPES.choose(random).expect("a type"),
        secret: random.random_bool(0.3),
        tags,
    }
}

fn items(random: &mut StdRng) -> Vec<QueryItem> {
    let item = |random: &mut StdRng| QueryItem {
        types: TYPES
            .iter()
            .filter(|_| random.random_bool(0.5))
            .map(ToString::to_string)
            .collect(),
        tags: TAGS
            .iter()
            .filter(|_| random.random_bool(0.25))
            .map(ToString::to_string)
            .collect(),
    };
    (0..random.random_range(1..=2))
        .map(|_| item(random))
        .collect()
}

/// Random logs that grow, and calls of random folds between: some with states of their own
/// positions, some without any. Beside each, the same call that reads everything.
#[test]
fn with_snapshots_and_without_calls_see_the_same_and_conflict_the_same() {
    let (mut hits, mut conflicts) = (0, 0);
    for seed in 0..60 {
        let random = &mut StdRng::seed_from_u64(seed);
        let this = Fixture::new();
        let none = Snapshots::none();
        let folds = ["a", "b", "c", "d", "e"].map(|name| Fold {
            name,
            kept: random.random_bool(0.8),
            items: items(random),
        });
        for step in 0..30 {
            let events: Vec<_> = (0..random.random_range(1..4))
                .map(|_| told(random))
                .collect();
            this.tell(&events);
            let count = random.random_range(1..=3);
            let some: Vec<_> = folds.choose_multiple(random, count).cloned().collect();
            let head = this.log.head().expect("a head");
            let bound = random
                .random_bool(0.2)
                .then(|| wit::AsOf::Position(random.random_range(1..=head)));
            let rivals: Vec<_> = (0..random.random_range(0..2))
                .map(|_| told(random))
                .collect();
            // The one that reads everything first, so that both have the same log before them.
            let rivals_of_one = |rivals: &[Told]| match bound {
                Some(_) => Vec::new(),
                None => rivals.to_vec(),
            };
            let rivals = rivals_of_one(&rivals);
            let whole = this.call(
                &none,
                &some,
                Some(bound.unwrap_or(wit::AsOf::Position(head))),
                &[],
            );
            let kept = this.call(&this.snapshots, &some, bound, &rivals);
            assert_eq!(whole.0, kept.0, "seed {seed}, step {step}: {some:#?}");
            let boundary = Query {
                items: some.iter().flat_map(|fold| fold.items.clone()).collect(),
            };
            let conflicts_with = |rival: &Told| {
                let tags: Vec<_> = rival.tags.iter().map(ToString::to_string).collect();
                boundary.matches(rival.event_type, &tags)
            };
            let expected = rivals.iter().any(conflicts_with);
            assert_eq!(kept.1.is_err(), expected, "seed {seed}, step {step}");
            conflicts += u64::from(expected);
            if random.random_bool(0.05) {
                let shredding = Shredding {
                    allow_unknown: true,
                    ..Shredding::of(*TAGS.choose(random).expect("a tag"))
                };
                this.keys.shred(&shredding).expect("shredded");
                this.snapshots
                    .forget(&[shredding.scope])
                    .expect("forgotten");
            }
            // As often as not the next call comes before this one's states are kept.
            if random.random_bool(0.5) {
                this.snapshots.settle();
            }
        }
        this.snapshots.settle();
        hits += this.snapshots.figures().hits;
        drop(this.directory);
    }
    assert!(hits > 500, "{hits} readers went on from a state");
    assert!(conflicts > 100, "{conflicts} calls conflicted");
    println!("{hits} readers went on from a state, {conflicts} calls conflicted");
}

fn fold(name: &'static str, tag: &str) -> Fold {
    Fold {
        name,
        kept: true,
        items: vec![QueryItem {
            types: Vec::new(),
            tags: vec![tag.to_owned()],
        }],
    }
}

fn opened(tag: &'static str) -> Told {
    Told {
        event_type: "opened",
        tags: vec![tag],
        secret: false,
    }
}

#[test]
fn a_read_of_the_past_takes_a_state_of_its_past_and_leaves_none() {
    let this = Fixture::new();
    let folds = [fold("a", "shop:1")];
    let past = |position| Some(wit::AsOf::Position(position));
    this.tell(&vec![opened("shop:1"); 4]);
    let _ = this.call(&this.snapshots, &folds, past(3), &[]);
    this.snapshots.settle();
    assert_eq!(this.snapshots.figures().kept, 0);
    let _ = this.call(&this.snapshots, &folds, None, &[]);
    this.snapshots.settle();
    assert_eq!(this.snapshots.figures().kept, 1);
    let (states, _) = this.call(&this.snapshots, &folds, past(3), &[]);
    assert_eq!(
        (states, this.snapshots.figures().hits),
        (vec![vec![1, 2, 3]], 0)
    );
    let (states, _) = this.call(&this.snapshots, &folds, past(4), &[]);
    assert_eq!(
        (states, this.snapshots.figures().hits),
        (vec![vec![1, 2, 3, 4]], 1)
    );
    // By time: a state that knows a later event is of no use.
    let micros = |time: DateTime<Utc>| Some(wit::AsOf::Time(time.timestamp_micros()));
    let event = this
        .log
        .event(Uuid::from_u128(1))
        .expect("a log")
        .expect("an event");
    let (states, _) = this.call(&this.snapshots, &folds, micros(event.timestamp), &[]);
    assert_eq!(
        (states, this.snapshots.figures().hits),
        (vec![vec![1, 2, 3, 4]], 2)
    );
    let before = event.timestamp - chrono::TimeDelta::microseconds(1);
    let (states, _) = this.call(&this.snapshots, &folds, micros(before), &[]);
    assert_eq!((states, this.snapshots.figures().hits), (vec![vec![]], 2));
}

#[test]
fn a_discarded_state_is_read_from_the_first_event_and_replaced() {
    let this = Fixture::new();
    this.tell(&vec![opened("shop:1"); 3]);
    let folds = [fold("a", "shop:1")];
    let _ = this.call(&this.snapshots, &folds, None, &[]);
    this.snapshots.settle();
    let mut table = ResourceTable::new();
    let mut context = this.context(&this.snapshots);
    let mut view = TransactionView {
        table: &mut table,
        context: Some(&mut context),
    };
    let query = to_wit(&folds[0].items);
    let opened = view.open(query.clone(), nobody(), "test".to_owned());
    let handle = opened.expect("no trap").expect("a transaction");
    let this_one = || Resource::new_borrow(handle.rep());
    assert!(
        view.keep(this_one(), 0, String::new()).is_err(),
        "nothing was read"
    );
    let key = Some("a".to_owned());
    let readers = vec![wit::Reader { key, query }];
    let given = view.resume(this_one(), readers.clone());
    assert!(given.expect("no trap").expect("states")[0].is_some());
    let again = view.resume(this_one(), readers).expect("no trap");
    assert!(matches!(again, Err(wit::Error::Invalid(_))));
    assert!(
        view.discard(this_one(), 1).is_err(),
        "there is no such reader"
    );
    view.discard(this_one(), 0).expect("no trap");
    let batch = view
        .next_batch(this_one())
        .expect("no trap")
        .expect("a batch");
    assert_eq!(batch.len(), 3, "the fourth is the call's own");
    assert!(view.discard(this_one(), 0).is_err(), "it is too late");
    assert!(
        view.keep(this_one(), 0, String::new()).is_err(),
        "it is not at its end"
    );
    assert!(
        view.next_batch(this_one())
            .expect("no trap")
            .expect("a batch")
            .is_empty()
    );
    assert!(
        view.keep(this_one(), 1, String::new()).is_err(),
        "there is no such reader"
    );
    view.keep(this_one(), 0, "[9]".to_owned()).expect("no trap");
    assert!(view.keep(this_one(), 0, "[9]".to_owned()).is_err(), "once");
    let figures = {
        this.snapshots.settle();
        this.snapshots.figures()
    };
    assert_eq!((figures.hits, figures.ignored, figures.kept), (0, 1, 2));
}

#[test]
fn a_reader_reads_a_part_of_the_query_of_its_transaction() {
    let this = Fixture::new();
    let (mut table, mut context) = (ResourceTable::new(), this.context(&this.snapshots));
    let mut view = TransactionView {
        table: &mut table,
        context: Some(&mut context),
    };
    let own = to_wit(&fold("a", "shop:1").items);
    let other = to_wit(&fold("a", "shop:2").items);
    let handle = view.open(own.clone(), nobody(), "test".to_owned());
    let handle = handle.expect("no trap").expect("a transaction");
    let mut resume = |query, count| {
        let reader = wit::Reader { key: None, query };
        view.resume(Resource::new_borrow(handle.rep()), vec![reader; count])
            .expect("no trap")
    };
    let refused = |answer| match answer {
        Err(wit::Error::Invalid(text)) => text,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(resume(other, 1)),
        "reader 0 reads what the query of its transaction does not match"
    );
    assert_eq!(
        refused(resume(own.clone(), limits::QUERY_ITEMS + 1)),
        "1025 readers: at most 1024 are allowed"
    );
    assert_eq!(
        resume(own, limits::QUERY_ITEMS).expect("states").len(),
        1_024
    );
}
