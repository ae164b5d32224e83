//! What the check of snapshots finds, and what it leaves alone.

use std::collections::{BTreeMap, HashMap, HashSet};

use expect_test::expect;
use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::support::failure;

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("seat.sold")]
struct SeatSold {
    #[domain_id]
    show_id: u64,
    seats: u32,
}

fn sold(seats: u32) -> SeatSold {
    SeatSold { show_id: 1, seats }
}

/// Tells a fold over seats by its state and what it does with one more sale.
macro_rules! seats {
    ($name:ident, $state:ty, |$state_name:ident, $seats:ident| $apply:expr) => {
        #[derive(DomainIds, FromDomainIds, Serialize)]
        struct $name {
            #[domain_id]
            show_id: u64,
        }

        impl Fold for $name {
            type Events = SingleEvent<SeatSold>;
            type State = $state;

            const SNAPSHOT: Snapshot<Self> = Snapshot::after(1_000);

            fn apply(&self, $state_name: &mut $state, event: StoredEvent<SeatSold>) {
                let $seats = event.data.seats;
                $apply;
            }
        }
    };
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Sold {
    seats: u32,
    /// What the last sale was, for the next one to be compared with.
    #[serde(skip)]
    last: u32,
    larger: u32,
}

seats!(Larger, Sold, |sold, seats| {
    sold.seats += seats;
    sold.larger += u32::from(seats > sold.last);
    sold.last = seats;
});

#[test]
fn a_field_that_is_not_written_and_changes_the_state() {
    let report = failure(|| {
        let _ = given(events![sold(5), sold(3), sold(2)]).fold(Larger { show_id: 1 });
    });
    expect![[r#"
        `Larger` comes to another state when it goes on from a snapshot

        scenario
          given  1  seat.sold  show_id:1
                 2  seat.sold  show_id:1
                 3  seat.sold  show_id:1

        snapshot
          at position 1: {
            "larger": 1,
            "seats": 5
          }

        state in the end (- without the snapshot, + with it)
            {
          -   "larger": 1,
          +   "larger": 2,
              "seats": 10
            }

        cause
          what the fold knew at that position is not all in the JSON of its state, or does not come back as it was: a field with `#[serde(skip)]`, a number that is rounded, a static

        fix
          write all of the state that `apply` or a decision needs; or take `Snapshot::NEVER`; or `.without(check::SNAPSHOT, "why")`
    "#]].assert_eq(&report);
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    show_id: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Cached {
    seats: u32,
    #[serde(skip)]
    sold_out: bool,
}

seats!(SoldOut, Cached, |cached, seats| {
    cached.seats += seats;
    cached.sold_out = cached.sold_out || cached.seats >= 4;
});

fn sell(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<SoldOut>()
        .execute(|input, cached| {
            anyhow::ensure!(!cached.sold_out, "the show is sold out");
            Ok(emit![SeatSold {
                show_id: input.show_id,
                seats: 1
            }])
        })
}

/// No state in JSON is another: only the decision is.
#[test]
fn a_field_that_is_not_written_and_changes_the_decision() {
    let report = failure(|| {
        let _ = given(events![sold(4)]).when(sell, Input { show_id: 1 });
    });
    expect![[r#"
        the outcome is another when `SoldOut` goes on from a snapshot

        scenario
          given  1  seat.sold  show_id:1
          when   sell({"show_id":1})

        snapshot
          at position 1
          SoldOut: {"seats":4}

        outcome (- without the snapshot, + with it)
          - rejected: the show is sold out
          + success
          +   1  seat.sold
          +        seats: 1
          +        show_id: 1

        cause
          what the fold knew at that position is not all in the JSON of its state, or does not come back as it was: a field with `#[serde(skip)]`, a number that is rounded, a static

        fix
          write all of the state that `apply` or a decision needs; or take `Snapshot::NEVER`; or `.without(check::SNAPSHOT, "why")`
    "#]].assert_eq(&report);
    let report = failure(|| {
        given(events![sold(4)]).then_state(
            SoldOut { show_id: 1 },
            Cached {
                seats: 4,
                sold_out: true,
            },
        );
    });
    expect![[r#"
        the outcome is another when `SoldOut` goes on from a snapshot

        scenario
          given  1  seat.sold  show_id:1

        snapshot
          at position 1
          SoldOut: {"seats":4}

        outcome (- without the snapshot, + with it)
            Cached {
                seats: 4,
          -     sold_out: true,
          +     sold_out: false,
            }

        cause
          what the fold knew at that position is not all in the JSON of its state, or does not come back as it was: a field with `#[serde(skip)]`, a number that is rounded, a static

        fix
          write all of the state that `apply` or a decision needs; or take `Snapshot::NEVER`; or `.without(check::SNAPSHOT, "why")`
    "#]].assert_eq(&report);
    let report = failure(|| {
        given(events![sold(4)])
            .query(|| FoldQuery::new().fold(SoldOut { show_id: 1 }).run())
            .then_state(Cached {
                seats: 4,
                sold_out: true,
            });
    });
    assert!(
        report.contains("the outcome is another when `SoldOut` goes on from a snapshot"),
        "{report}"
    );
    given(events![sold(4)])
        .without(check::SNAPSHOT, "the show is never asked for again")
        .when(sell, Input { show_id: 1 })
        .then_rejected("the show is sold out");
}

seats!(Share, Vec<f64>, |share, seats| share
    .push(f64::from(seats) / 0.0));

#[test]
fn a_state_that_does_not_read_what_it_wrote() {
    let report = failure(|| {
        let _ = given(events![sold(5)]).fold(Share { show_id: 1 });
    });
    expect![[r#"
        `Share` cannot read the state that it has written

        scenario
          given  1  seat.sold  show_id:1

        snapshot
          at position 1: [
            null
          ]

        cause
          it has snapshots, and none is ever of use: `Deserialize` does not take what `Serialize` writes, as with a number that JSON has not

        fix
          write all of the state that `apply` or a decision needs; or take `Snapshot::NEVER`; or `.without(check::SNAPSHOT, "why")`
    "#]].assert_eq(&report);
}

seats!(ByShow, BTreeMap<(u64, u32), u32>, |by_show, seats| {
    by_show.insert((1, seats), seats);
});

#[test]
fn a_state_that_json_has_no_shape_for() {
    let report = failure(|| {
        let _ = given(events![sold(5)]).fold(ByShow { show_id: 1 });
    });
    expect![[r#"
        the state of `ByShow` cannot be written as JSON

        scenario
          given  1  seat.sold  show_id:1

        cause
          it has snapshots, and none is ever kept: the keys of a map are no texts or numbers in JSON, or a `Serialize` of its own fails

        fix
          use texts or numbers for keys, or a list of pairs; or take `Snapshot::NEVER`; or `.without(check::SNAPSHOT, "why")`
    "#]].assert_eq(&report);
}

seats!(
    Whole,
    (u32, HashMap<u32, u32>, HashSet<u32>),
    |state, seats| {
        state.0 += seats;
        state.1.insert(seats, state.0);
        state.2.insert(seats);
    }
);

/// Maps and sets in another order each time are no difference.
#[test]
fn what_comes_back_as_it_was_passes() {
    let (map, set) = (
        HashMap::from([(5, 5), (3, 8), (2, 10)]),
        HashSet::from([5, 3, 2]),
    );
    given(events![sold(5), sold(3), sold(2)]).then_state(Whole { show_id: 1 }, (10, map, set));
}

/// A decider that does not begin at its default.
#[derive(DomainIds, FromDomainIds, Serialize)]
struct Free {
    #[domain_id]
    show_id: u64,
}

impl Decider for Free {
    type Events = SingleEvent<SeatSold>;
    type State = u32;
    type Input = Input;

    const SNAPSHOT: Snapshot<Self> = Snapshot::after(1);

    fn initial(&self) -> u32 {
        100
    }

    fn evolve(&self, free: u32, event: StoredEvent<SeatSold>) -> u32 {
        free - event.data.seats
    }

    fn decide(&self, input: Input, free: u32) -> anyhow::Result<Emit> {
        Ok(emit![SeatSold {
            show_id: input.show_id,
            seats: free
        }])
    }
}

fn sell_all(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context).decide::<Free>()
}

#[test]
fn a_decider_goes_on_from_its_states() {
    given(events![sold(5), sold(3)])
        .when(sell_all, Input { show_id: 1 })
        .then(events![sold(92)]);
    given(events![sold(5), sold(3)]).then_state(Free { show_id: 1 }, 92);
}
