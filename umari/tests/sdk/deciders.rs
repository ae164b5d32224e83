//! Deciders on the builder and in queries, and bounds on what is read.

use umari::fold::FoldError;
use umari::prelude::*;

use crate::shop::{ShopConnected, ShopExistsFold, connected};
use crate::store::{Store, item};

#[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
#[event_type("seats.reserved")]
struct SeatsReserved {
    #[domain_id]
    show_id: u64,
    seats: u32,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Reserve {
    #[domain_id]
    show_id: u64,
    seats: u32,
}

#[derive(DomainIds, FromDomainIds)]
struct Seats {
    #[domain_id]
    show_id: u64,
}

impl Decider for Seats {
    type Events = SingleEvent<SeatsReserved>;
    type State = u32;
    type Input = Reserve;

    const MAX_EVENTS: u64 = 5;

    fn initial(&self) -> u32 {
        10
    }

    fn evolve(&self, free: u32, event: StoredEvent<SeatsReserved>) -> u32 {
        assert_eq!(event.data.show_id, self.show_id);
        free - event.data.seats
    }

    fn decide(&self, input: Reserve, free: u32) -> anyhow::Result<Emit> {
        if input.seats > free {
            return Err(Rejection::new("sold-out", format!("{free} seats are free"))
                .with("free", free)
                .into());
        }
        Ok(emit![SeatsReserved {
            show_id: self.show_id,
            seats: input.seats,
        }])
    }
}

#[export_command]
fn reserve_seats(input: Reserve, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context).decide::<Seats>()
}

fn reserve(show_id: u64, seats: u32) -> anyhow::Result<ExecuteOutput> {
    reserve_seats(Reserve { show_id, seats }, CommandContext::new())
}

#[test]
fn a_decider_reads_decides_and_writes() {
    let (store, _installed) = Store::install();
    store.given(&SeatsReserved {
        show_id: 2,
        seats: 9,
    });
    assert!(reserve(1, 6).unwrap().has_event::<SeatsReserved>());
    assert_eq!(store.query(), [item(&["seats.reserved"], &["show_id:1"])]);
    let error = reserve(1, 5).unwrap_err();
    let ExecuteError::Rejected(rejection) = ExecuteError::classify(&error) else {
        panic!("{error:?}");
    };
    assert_eq!(rejection.code, "sold-out");
    assert_eq!(rejection.details.unwrap()["free"], 4);

    let made = Command::new(
        Reserve {
            show_id: 3,
            seats: 1,
        },
        CommandContext::new(),
    )
    .decide_with(|input| Seats {
        show_id: input.show_id,
    });
    assert_eq!(made.unwrap().position, Some(3));
}

#[test]
fn a_query_reads_a_deciders_state_among_folds() {
    let (store, _installed) = Store::install();
    store.given(&connected(42));
    reserve(1, 6).unwrap();
    let (free, exists, none) = FoldQuery::new()
        .decider(Seats { show_id: 1 })
        .fold(ShopExistsFold { shop_id: 42 })
        .decider(Seats { show_id: 2 })
        .run()
        .unwrap();
    assert_eq!((free, exists, none), (4, true, 10));
}

#[test]
fn a_used_key_keeps_a_decider_from_deciding() {
    let (_store, _installed) = Store::install();
    let context = CommandContext::new().with_idempotency_key(Uuid::from_u128(1));
    let call = || {
        reserve_seats(
            Reserve {
                show_id: 1,
                seats: 10,
            },
            context.clone(),
        )
    };
    assert_eq!(call().unwrap().events.len(), 1);
    assert_eq!(
        call().unwrap(),
        ExecuteOutput {
            position: Some(1),
            events: Vec::new(),
        }
    );
}

#[test]
fn a_reader_stops_at_its_limit() {
    let (store, _installed) = Store::install();
    for _ in 0..5 {
        store.given(&SeatsReserved {
            show_id: 1,
            seats: 1,
        });
        store.given(&connected(42));
    }
    assert!(reserve(1, 1).is_ok());
    let error = reserve(1, 1).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("Seats` reads more than its limit of 5 events: narrow its scope, raise the limit, or let a snapshot stand for its past"),
        "{error}"
    );
    let ExecuteError::Rejected(rejection) = ExecuteError::classify(&error) else {
        panic!("{error:?}");
    };
    assert_eq!(rejection.code, "too-many-events");

    let count = |limit| {
        FoldQuery::new()
            .fold(EventCounter::<ShopConnected>::new())
            .max_events(limit)
            .run()
    };
    assert_eq!(count(5).unwrap(), 5);
    assert!(matches!(
        count(4),
        Err(FoldError::TooManyEvents {
            reader: "query",
            limit: 4,
            ..
        })
    ));

    #[derive(DomainIds)]
    struct Input {
        #[domain_id]
        shop_id: u64,
    }
    let command = |limit| {
        Command::new(Input { shop_id: 42 }, CommandContext::new())
            .fold::<ShopExistsFold>()
            .max_events(limit)
            .execute(|_, _| Ok(emit![]))
    };
    assert!(command(5).is_ok());
    assert!(
        command(4)
            .unwrap_err()
            .to_string()
            .starts_with("`command` reads more")
    );
}

#[test]
fn the_past_is_read_up_to_a_position_or_a_moment() {
    let (store, _installed) = Store::install();
    let events: Vec<_> = (0..3).map(|_| store.given(&connected(42))).collect();
    let count = || FoldQuery::new().fold(EventCounter::<ShopConnected>::new());
    assert_eq!(count().run().unwrap(), 3);
    assert_eq!(count().as_of(2).run().unwrap(), 2);
    assert_eq!(count().as_of_time(events[0].timestamp).run().unwrap(), 1);
    assert_eq!(count().as_of(events[1].timestamp).run().unwrap(), 2);
}
