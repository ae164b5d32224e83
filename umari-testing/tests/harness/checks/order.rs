//! What the order check leaves alone.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::shop::*;
use super::super::support::failure;

#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("order.placed")]
struct OrderPlaced {
    #[domain_id]
    order_id: u64,
}

/// Names the order in a field that is no domain id.
#[derive(Debug, Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("parcel.sent")]
struct ParcelSent {
    #[domain_id]
    parcel_id: u64,
    order_id: u64,
}

#[derive(EventSet)]
enum OrderEvents {
    Placed(OrderPlaced),
    Sent(ParcelSent),
}

const TABLE: &str =
    "CREATE TABLE IF NOT EXISTS orders (order_id INTEGER PRIMARY KEY, sent INTEGER NOT NULL)";

fn place(order: &OrderPlaced) {
    let sql = "INSERT INTO orders VALUES (?1, 0) ON CONFLICT DO NOTHING";
    execute(sql, params![order.order_id]).expect("no constraint");
}

fn mark_sent(parcel: &ParcelSent) -> usize {
    let sql = "update orders SET sent = 1 WHERE order_id = ?1";
    execute(sql, params![parcel.order_id]).expect("no constraint")
}

/// Loses that a parcel was sent where it hears of the parcel first.
struct Orders;

impl Projector for Orders {
    type Query = OrderEvents;

    fn init() -> anyhow::Result<Self> {
        execute_batch(TABLE)?;
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<OrderEvents>) -> anyhow::Result<()> {
        match event.data {
            OrderEvents::Placed(order) => place(&order),
            OrderEvents::Sent(parcel) => drop(mark_sent(&parcel)),
        }
        Ok(())
    }
}

/// Makes the row that it misses.
struct OrdersMade;

impl Projector for OrdersMade {
    type Query = OrderEvents;

    fn init() -> anyhow::Result<Self> {
        execute_batch(TABLE)?;
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<OrderEvents>) -> anyhow::Result<()> {
        match event.data {
            OrderEvents::Placed(order) => place(&order),
            OrderEvents::Sent(parcel) => {
                if mark_sent(&parcel) == 0 {
                    execute(
                        "INSERT INTO orders VALUES (?1, 1)",
                        params![parcel.order_id],
                    )?;
                }
            }
        }
        Ok(())
    }
}

/// Stops where a row is missing.
struct OrdersDemanded;

impl Projector for OrdersDemanded {
    type Query = OrderEvents;

    fn init() -> anyhow::Result<Self> {
        execute_batch(TABLE)?;
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<OrderEvents>) -> anyhow::Result<()> {
        match event.data {
            OrderEvents::Placed(order) => place(&order),
            OrderEvents::Sent(parcel) => {
                anyhow::ensure!(mark_sent(&parcel) == 1, "there is no such order");
            }
        }
        Ok(())
    }
}

fn order(order_id: u64) -> OrderPlaced {
    OrderPlaced { order_id }
}

fn parcel(order_id: u64) -> ParcelSent {
    ParcelSent {
        parcel_id: order_id + 100,
        order_id,
    }
}

#[test]
fn a_projector_that_sees_the_gap_is_left_alone() {
    let sent = given(events![order(1), order(2), parcel(1)]);
    let message = failure(|| sent.project::<Orders>());
    assert!(message.contains("`Orders` loses an update"), "{message}");
    let rows = || rows![[1, 1], [2, 0]];
    sent.project::<OrdersMade>()
        .then_rows("SELECT * FROM orders", rows());
    sent.project::<OrdersDemanded>()
        .then_rows("SELECT * FROM orders", rows());
}

#[test]
fn the_event_that_made_the_rows_is_named() {
    let message = failure(|| given(events![order(1), order(2), parcel(1)]).project::<Orders>());
    assert!(
        message.contains(
            "when `parcel.sent {parcel_id:101}` comes before `order.placed {order_id:1}`"
        ),
        "{message}"
    );
    let message = failure(|| given(events![order(1), order(2), parcel(2)]).project::<Orders>());
    assert!(
        message.contains(
            "when `parcel.sent {parcel_id:102}` comes before `order.placed {order_id:2}`"
        ),
        "{message}"
    );
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Ship {
    #[domain_id]
    order_id: u64,
}

#[test]
fn events_of_one_call_stay_in_order() {
    let ship = |input: Ship, context: CommandContext| {
        Command::new(input, context)
            .fold::<EventFold<OrderPlaced>>()
            .execute(|input, _| Ok(emit![order(input.order_id), parcel(input.order_id)]))
    };
    given_nothing()
        .given_command(ship, Ship { order_id: 1 })
        .project::<Orders>()
        .then_rows("SELECT * FROM orders", rows![[1, 1]]);
}

#[test]
fn events_that_share_a_domain_id_stay_in_order() {
    given(events![
        plan(1),
        plan(2),
        PlanArchived { plan_id: 1 },
        sold(7)
    ])
    .project::<Plans>()
    .then_rows(
        "SELECT plan_id, archived, sold FROM plans ORDER BY plan_id",
        rows![["1", 1, 1], ["2", 0, 0]],
    );
}
