//! Commands: a race that nobody sees, an order that is none, a clock that is not the scenario's.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::support::fails;

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("seat.booked")]
struct SeatBooked {
    #[domain_id]
    show_id: u64,
    #[domain_id]
    seat_id: u64,
    guest: String,
}

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("show.announced")]
struct ShowAnnounced {
    #[domain_id]
    show_id: u64,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct BookSeat {
    #[domain_id]
    show_id: u64,
    #[domain_id]
    seat_id: u64,
    guest: String,
}

impl BookSeat {
    fn ada() -> Self {
        Self {
            show_id: 1,
            seat_id: 7,
            guest: "Ada".to_owned(),
        }
    }

    fn booked(self) -> SeatBooked {
        SeatBooked {
            show_id: self.show_id,
            seat_id: self.seat_id,
            guest: self.guest,
        }
    }
}

/// Looks whether there is such a show, and not whether the seat is free.
fn book_any_seat(input: BookSeat, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventFold<ShowAnnounced>>()
        .execute(|input, show| {
            anyhow::ensure!(show.exists(), "there is no such show");
            Ok(emit![input.booked()])
        })
}

fn book_free_seat(input: BookSeat, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventFold<ShowAnnounced>>()
        .fold::<EventFold<SeatBooked>>()
        .execute(|input, (show, booking)| {
            anyhow::ensure!(show.exists(), "there is no such show");
            anyhow::ensure!(!booking.exists(), "the seat is taken");
            Ok(emit![input.booked()])
        })
}

#[test]
fn two_callers_both_win_the_same_seat() {
    let show = given(events![ShowAnnounced { show_id: 1 }]);
    fails(
        || {
            show.when(book_any_seat, BookSeat::ada())
                .then(events![BookSeat::ada().booked()])
        },
        expect![[r#"
            `seat.booked {show_id:1, seat_id:7}` is emitted but no fold of this command reads it

            scenario
              given    1  show.announced  show_id:1
              when     book_any_seat({"show_id":1,"seat_id":7,"guest":"Ada"})
              emitted  2  seat.booked     show_id:1, seat_id:7

            folds, and whether they read it
              show.announced {show_id:1}  other type

            cause
              two calls of `book_any_seat` at the same moment would both commit, and both would be the first event of seat_id:7

            fix
              add a fold that reads `seat.booked`, with `#[scope(seat_id)]` on its variant, and decide on what it says
              or, if such calls are independent facts, `.without(check::SELF_RACE, "why")`
        "#]],
    );
    show.when(book_free_seat, BookSeat::ada())
        .then(events![BookSeat::ada().booked()]);
}

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("vote.cast")]
struct VoteCast {
    #[domain_id]
    poll_id: u64,
    choice: String,
}

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("poll.closed")]
struct PollClosed {
    #[domain_id]
    poll_id: u64,
    winner: String,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct ClosePoll {
    #[domain_id]
    poll_id: u64,
}

fn close_poll(
    input: ClosePoll,
    context: CommandContext,
    winner: fn(&[String]) -> Option<String>,
) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventFold<VoteCast>>()
        .fold::<EventFold<PollClosed>>()
        .execute(move |input, (votes, closed)| {
            anyhow::ensure!(!closed.exists(), "the poll is closed");
            let votes: Vec<_> = votes
                .events
                .into_iter()
                .map(|vote| vote.data.choice)
                .collect();
            let winner = winner(&votes).ok_or_else(|| anyhow::anyhow!("nobody voted"))?;
            Ok(emit![PollClosed {
                poll_id: input.poll_id,
                winner
            }])
        })
}

/// Counts in a `HashMap`, which decides between equal counts.
fn close_poll_by_chance(
    input: ClosePoll,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    close_poll(input, context, |votes| {
        let mut counts = HashMap::new();
        for vote in votes {
            *counts.entry(vote).or_insert(0) += 1;
        }
        let winner = counts.into_iter().max_by_key(|(_, count)| *count)?;
        Some(winner.0.clone())
    })
}

/// The same in a `BTreeMap`: between equal counts the last in the alphabet wins, every time.
fn close_poll_by_rule(input: ClosePoll, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    close_poll(input, context, |votes| {
        let mut counts = BTreeMap::new();
        for vote in votes {
            *counts.entry(vote).or_insert(0) += 1;
        }
        let winner = counts.into_iter().max_by_key(|(_, count)| *count)?;
        Some(winner.0.clone())
    })
}

#[test]
fn a_tie_is_decided_by_the_order_of_a_hash_map() {
    let vote = |choice: &str| VoteCast {
        poll_id: 1,
        choice: choice.to_owned(),
    };
    let votes = given(events![vote("tea"), vote("coffee")]);
    let tea = || PollClosed {
        poll_id: 1,
        winner: "tea".to_owned(),
    };
    fails(
        || {
            votes
                .when(close_poll_by_chance, ClosePoll { poll_id: 1 })
                .then(events![tea()])
        },
        expect![[r#"
            `close_poll_by_chance` decides differently on the same history

            scenario
              given  1  vote.cast  poll_id:1
                     2  vote.cast  poll_id:1
              when   close_poll_by_chance({"poll_id":1})

            decisions (- one, + another)
                1  poll.closed
                     poll_id: 1
                   - winner: "coffee"
                   + winner: "tea"

            cause
              something besides input and history takes part: the order of a `HashMap` or `HashSet`, which differs from one map to the next, a random id, the wall clock, a static

            fix
              use a `BTreeMap`, or sort before you choose; take ids and times from the input; or, if it is meant, `.without(check::DETERMINISM, "why")`
        "#]],
    );
    votes
        .when(close_poll_by_rule, ClosePoll { poll_id: 1 })
        .then(events![tea()]);
}

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("coupon.issued")]
struct CouponIssued {
    #[domain_id]
    coupon_id: u64,
    valid_until: DateTime<Utc>,
}

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("coupon.redeemed")]
struct CouponRedeemed {
    #[domain_id]
    coupon_id: u64,
    redeemed_at: DateTime<Utc>,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Redeem {
    #[domain_id]
    coupon_id: u64,
}

fn redeem(
    input: Redeem,
    context: CommandContext,
    now: fn() -> DateTime<Utc>,
) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<LatestEvent<CouponIssued>>()
        .fold::<EventFold<CouponRedeemed>>()
        .execute(move |input, (coupon, redeemed)| {
            let coupon = coupon.ok_or_else(|| anyhow::anyhow!("there is no such coupon"))?;
            anyhow::ensure!(!redeemed.exists(), "the coupon was redeemed before");
            anyhow::ensure!(now() <= coupon.data.valid_until, "the coupon has expired");
            Ok(emit![CouponRedeemed {
                coupon_id: input.coupon_id,
                redeemed_at: now()
            }])
        })
}

fn redeem_by_machine_time(input: Redeem, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    redeem(input, context, || SystemTime::now().into())
}

fn redeem_by_scenario_time(
    input: Redeem,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    redeem(input, context, umari::clock::now)
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

#[test]
fn a_decision_hangs_on_the_clock_of_the_machine() {
    let coupon = given_nothing()
        .at(time("2020-06-29T12:00:00Z"))
        .and(events![CouponIssued {
            coupon_id: 1,
            valid_until: time("2020-06-30T00:00:00Z"),
        }]);
    let redeemed = events![CouponRedeemed {
        coupon_id: 1,
        redeemed_at: time("2020-06-29T12:00:00Z"),
    }];
    fails(
        || {
            coupon
                .when(redeem_by_machine_time, Redeem { coupon_id: 1 })
                .then(redeemed.clone())
        },
        expect![[r#"
            1 event was expected, but the command was rejected

            scenario
              at        2020-06-29T12:00:00+00:00
              given     1  coupon.issued  coupon_id:1
              when      redeem_by_machine_time({"coupon_id":1})
              rejected  the coupon has expired

            cause
              rejected: the coupon has expired
              `valid_until` of `coupon.issued` at position 1, 2020-06-30T00:00:00+00:00, lies between the scenario's clock, 2020-06-29T12:00:00+00:00, and the machine's: a command that asks `SystemTime::now()` or `Utc::now()` gets the machine's

            fix
              ask for the time with `umari::clock::now()`, which is the scenario's clock in tests and the host's in production; or take it from the input

            boundary
              A  LatestEvent<CouponIssued>  coupon.issued {coupon_id:1}
              B  EventFold<CouponRedeemed>  coupon.redeemed {coupon_id:1}

                                             A     B
              1  coupon.issued  coupon_id:1  read  other type
        "#]],
    );
    coupon
        .when(redeem_by_scenario_time, Redeem { coupon_id: 1 })
        .then(redeemed);
    let late = coupon.after(Duration::from_secs(24 * 60 * 60));
    late.when(redeem_by_scenario_time, Redeem { coupon_id: 1 })
        .then_rejected("the coupon has expired");
}

#[test]
fn a_time_is_taken_from_the_clock_of_the_machine() {
    let coupon = given(events![CouponIssued {
        coupon_id: 1,
        valid_until: time("9999-12-31T00:00:00Z"),
    }]);
    fails(
        || {
            coupon
                .when(redeem_by_machine_time, Redeem { coupon_id: 1 })
                .then_count::<CouponRedeemed>(1)
        },
        expect![[r#"
            `redeem_by_machine_time` reads the machine's clock

            scenario
              given    1  coupon.issued    coupon_id:1
              when     redeem_by_machine_time({"coupon_id":1})
              emitted  2  coupon.redeemed  coupon_id:1

            cause
              `redeemed_at` of `coupon.redeemed {coupon_id:1}` shows the present of this machine, while the scenario's clock shows 2026-01-01T00:00:00+00:00

            fix
              ask for the time with `umari::clock::now()`, which is the scenario's clock in tests and the host's in production; or take it from the input
              or, if it is meant, `.without(check::CLOCK, "why")`
        "#]],
    );
    coupon
        .when(redeem_by_scenario_time, Redeem { coupon_id: 1 })
        .then_count::<CouponRedeemed>(1);
    coupon
        .without(check::DETERMINISM, "reads the machine's clock")
        .without(check::CLOCK, "shows the fault")
        .when(redeem_by_machine_time, Redeem { coupon_id: 1 })
        .then_count::<CouponRedeemed>(1);
}
