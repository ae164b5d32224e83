//! A theatre whose shows have two seats.

use super::*;

#[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
#[event_type("seat.reserved")]
pub(super) struct SeatReserved {
    #[domain_id]
    pub(super) show_id: u64,
    #[domain_id]
    pub(super) order_id: u64,
}

#[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
#[event_type("seat.added")]
pub(super) struct SeatAdded {
    #[domain_id]
    pub(super) show_id: u64,
}

#[derive(Debug, DomainIds, Serialize, Deserialize)]
pub(super) struct Reserve {
    #[domain_id]
    pub(super) show_id: u64,
    pub(super) order_id: u64,
}

pub(super) fn any_reservation() -> impl Strategy<Value = Reserve> {
    (1..3_u64, 1..5_u64).prop_map(|(show_id, order_id)| Reserve { show_id, order_id })
}

/// How many seats of the first show are reserved.
pub(super) fn reserved() -> EventCounter<SeatReserved> {
    EventCounter::new().with("show_id", 1)
}

fn seats_of(show_id: u64) -> EventCounter<SeatReserved> {
    EventCounter::new().with("show_id", show_id)
}

fn orders_of(order_id: u64) -> EventCounter<SeatReserved> {
    EventCounter::new().with("order_id", order_id)
}

pub(super) fn reserve(input: Reserve, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold_with(|input| seats_of(input.show_id))
        .fold_with(|input| orders_of(input.order_id))
        .execute(|Reserve { show_id, order_id }, (reserved, ordered)| {
            anyhow::ensure!(reserved < 2, "the show is sold out");
            anyhow::ensure!(ordered == 0, "the order has a seat");
            Ok(emit![SeatReserved { show_id, order_id }])
        })
}

/// As it is written by somebody who asks beside the command.
pub(super) fn reserve_beside(
    input: Reserve,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    let reserved = FoldQuery::new().fold(seats_of(input.show_id)).run()?;
    Command::new(input, context)
        .fold_with(|input| orders_of(input.order_id))
        .execute(|Reserve { show_id, order_id }, ordered| {
            anyhow::ensure!(reserved < 2, "the show is sold out");
            anyhow::ensure!(ordered == 0, "the order has a seat");
            Ok(emit![SeatReserved { show_id, order_id }])
        })
}

/// As it is written by somebody who forgets that there are two seats.
pub(super) fn reserve_without_end(
    input: Reserve,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold_with(|input| orders_of(input.order_id))
        .execute(|Reserve { show_id, order_id }, ordered| {
            anyhow::ensure!(ordered == 0, "the order has a seat");
            Ok(emit![SeatReserved { show_id, order_id }])
        })
}

#[derive(Debug, DomainIds, Serialize, Deserialize)]
pub(super) struct AddSeat {
    #[domain_id]
    pub(super) show_id: u64,
}

pub(super) fn add_seat(input: AddSeat, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventCounter<SeatAdded>>()
        .execute(|AddSeat { show_id }, _added| Ok(emit![SeatAdded { show_id }]))
}

/// How many seats are free.
#[derive(DomainIds, FromDomainIds)]
pub(super) struct Seats {
    #[domain_id]
    pub(super) show_id: u64,
}

impl Decider for Seats {
    type Events = SingleEvent<SeatReserved>;
    type State = i64;
    type Input = Reserve;

    fn initial(&self) -> i64 {
        2
    }

    fn evolve(&self, free: i64, _event: StoredEvent<SeatReserved>) -> i64 {
        free - 1
    }

    fn decide(&self, _input: Reserve, _free: i64) -> anyhow::Result<Emit> {
        Ok(emit![])
    }
}
