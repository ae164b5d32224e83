//! Appendix B: aggregates, projections and sagas, moved here.

use umari::prelude::*;
use umari_testing::prelude::*;

use crate::support::stored;

// From an aggregate to a fold and commands.

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("widget.created")]
pub struct WidgetCreated {
    #[domain_id]
    pub widget_id: Uuid,
    pub name: String,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("widget.renamed")]
pub struct WidgetRenamed {
    #[domain_id]
    pub widget_id: Uuid,
    pub name: String,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("widget.archived")]
pub struct WidgetArchived {
    #[domain_id]
    pub widget_id: Uuid,
}

// Nothing but data.
#[derive(Debug, Default, PartialEq)]
pub struct WidgetState {
    pub exists: bool,
    pub name: Option<String>,
    pub archived: bool,
}

// What it is about.
#[derive(DomainIds, FromDomainIds)]
pub struct WidgetFold {
    #[domain_id]
    pub widget_id: Uuid,
}

#[expect(dead_code, reason = "of one of them it is enough that it happened")]
#[derive(EventSet)]
pub enum WidgetEvents {
    #[scope(widget_id)]
    WidgetCreated(WidgetCreated),
    #[scope(widget_id)]
    WidgetArchived(WidgetArchived),
}

impl Fold for WidgetFold {
    type Events = WidgetEvents;
    type State = WidgetState;

    fn apply(&self, state: &mut WidgetState, event: StoredEvent<WidgetEvents>) {
        match event.data {
            WidgetEvents::WidgetCreated(ev) => {
                state.exists = true;
                state.name = Some(ev.name);
            }
            WidgetEvents::WidgetArchived(_) => state.archived = true,
        }
    }
}

#[derive(DomainIds, Serialize, Deserialize)]
pub struct Input {
    #[domain_id]
    pub widget_id: Uuid,
    pub name: String,
}

// Decides, and keeps nothing between two calls.
#[export_command]
pub fn create_widget(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<WidgetFold>()
        .execute(|input, widget| {
            anyhow::ensure!(!widget.exists, "widget already exists");
            Ok(emit![WidgetCreated {
                widget_id: input.widget_id,
                name: input.name,
            }])
        })
}

const ABC: Uuid = Uuid::from_u128(0xabc);
const DEF: Uuid = Uuid::from_u128(0xdef);

fn created(widget_id: Uuid, name: &str) -> WidgetCreated {
    WidgetCreated {
        widget_id,
        name: name.to_owned(),
    }
}

fn input(widget_id: Uuid) -> Input {
    Input {
        widget_id,
        name: "bolt".to_owned(),
    }
}

#[test]
fn a_widget_is_created_once_and_each_widget_by_itself() {
    given_nothing()
        .when(create_widget, input(ABC))
        .then(events![created(ABC, "bolt")])
        .when(create_widget, input(ABC))
        .then_rejected("widget already exists")
        .when(create_widget, input(DEF))
        .then(events![created(DEF, "bolt")]);
}

#[test]
fn the_fold_holds_the_binding_and_the_state_what_is_derived() {
    given(events![
        created(ABC, "bolt"),
        WidgetArchived { widget_id: ABC }
    ])
    .then_state(
        WidgetFold { widget_id: ABC },
        WidgetState {
            exists: true,
            name: Some("bolt".to_owned()),
            archived: true,
        },
    )
    .then_state(WidgetFold { widget_id: DEF }, WidgetState::default());
}

#[test]
fn consistency_is_that_of_a_domain_id() {
    let history = given_nothing();
    history
        .when_racing([(create_widget, input(ABC)), (create_widget, input(ABC))])
        .then_conflict();
    history
        .when_racing([(create_widget, input(ABC)), (create_widget, input(DEF))])
        .then_all_commit();
}

// From a projection to a projector.

export_projector!(Widgets);

#[derive(EventSet)]
enum WidgetQuery {
    WidgetCreated(WidgetCreated),
    WidgetArchived(WidgetArchived),
}

struct Widgets {}

impl Projector for Widgets {
    type Query = WidgetQuery;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "CREATE TABLE IF NOT EXISTS widgets (
                widget_id TEXT PRIMARY KEY,
                name TEXT NOT NULL,
                archived BOOLEAN NOT NULL DEFAULT FALSE
            )",
        )?;
        Ok(Widgets {})
    }

    fn handle(&mut self, event: StoredEvent<Self::Query>) -> anyhow::Result<()> {
        match event.data {
            WidgetQuery::WidgetCreated(ev) => {
                execute(
                    "INSERT INTO widgets (widget_id, name) VALUES (?1, ?2)",
                    params![ev.widget_id, ev.name],
                )?;
            }
            WidgetQuery::WidgetArchived(ev) => {
                execute(
                    "UPDATE widgets SET archived = TRUE WHERE widget_id = ?1",
                    params![ev.widget_id],
                )?;
            }
        }
        Ok(())
    }
}

#[test]
fn a_projector_keeps_a_row_for_each_widget() {
    given(events![
        created(ABC, "bolt"),
        created(DEF, "nut"),
        WidgetArchived { widget_id: ABC },
    ])
    .project::<Widgets>()
    .then_rows(
        "SELECT widget_id, name, archived FROM widgets ORDER BY rowid",
        rows![[ABC, "bolt", true], [DEF, "nut", false]],
    );
}

// From a saga to an effect.

mod orders {
    use umari::prelude::*;

    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("order.placed")]
    pub struct OrderPlaced {
        #[domain_id]
        pub order_id: u64,
        pub amount: u64,
    }

    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("payment.processing.scheduled")]
    pub struct PaymentProcessingScheduled {
        #[domain_id]
        pub order_id: u64,
    }

    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("payment.processed")]
    pub struct PaymentProcessed {
        #[domain_id]
        pub order_id: u64,
        pub success: bool,
    }

    #[derive(DomainIds)]
    pub struct SchedulePaymentProcessingInput {
        #[domain_id]
        pub order_id: u64,
    }

    pub fn schedule_payment_processing(
        input: SchedulePaymentProcessingInput,
        context: CommandContext,
    ) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<EventFold<PaymentProcessingScheduled>>()
            .execute(|input, scheduled| {
                if scheduled.exists() {
                    return Ok(emit![]);
                }
                Ok(emit![PaymentProcessingScheduled {
                    order_id: input.order_id
                }])
            })
    }

    #[derive(DomainIds)]
    pub struct RecordPaymentResultInput {
        #[domain_id]
        pub order_id: u64,
        pub success: bool,
    }

    pub fn record_payment_result(
        input: RecordPaymentResultInput,
        context: CommandContext,
    ) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<EventFold<PaymentProcessed>>()
            .execute(|input, processed| {
                if processed.exists() {
                    return Ok(emit![]);
                }
                Ok(emit![PaymentProcessed {
                    order_id: input.order_id,
                    success: input.success,
                }])
            })
    }
}

use self::orders::{
    OrderPlaced, PaymentProcessed, PaymentProcessingScheduled, RecordPaymentResultInput,
    SchedulePaymentProcessingInput, record_payment_result, schedule_payment_processing,
};

#[derive(EventSet)]
enum OrderEvents {
    OrderPlaced(OrderPlaced),
}

/// Schedules first: a crash right after that loses the payment, as a test below shows.
struct OrderProcessor {
    http_client: Client,
}

impl Effect for OrderProcessor {
    type Query = OrderEvents;

    fn init() -> anyhow::Result<Self> {
        Ok(OrderProcessor {
            http_client: Client::new(),
        })
    }

    fn handle(&mut self, event: StoredEvent<Self::Query>) -> anyhow::Result<()> {
        match event.data {
            OrderEvents::OrderPlaced(ev) => {
                // Claim the work.
                let receipt = schedule_payment_processing(
                    SchedulePaymentProcessingInput {
                        order_id: ev.order_id,
                    },
                    CommandContext::new(),
                )?;
                if !receipt.has_event::<PaymentProcessingScheduled>() {
                    return Ok(()); // claimed on an earlier run
                }

                // Do it.
                let response = self
                    .http_client
                    .post("https://payment.example.com/process")
                    .json(&json!({ "order_id": ev.order_id, "amount": ev.amount }))
                    .send()?;

                // Say what came of it.
                record_payment_result(
                    RecordPaymentResultInput {
                        order_id: ev.order_id,
                        success: response.status().is_success(),
                    },
                    CommandContext::new(),
                )?;
            }
        }
        Ok(())
    }
}

/// The recommended order of the same steps: ask, do, record.
struct SafeOrderProcessor {
    http_client: Client,
}

impl Effect for SafeOrderProcessor {
    type Query = OrderEvents;

    fn init() -> anyhow::Result<Self> {
        Ok(SafeOrderProcessor {
            http_client: Client::new(),
        })
    }

    fn handle(&mut self, event: StoredEvent<Self::Query>) -> anyhow::Result<()> {
        let OrderEvents::OrderPlaced(OrderPlaced { order_id, amount }) = event.data;
        let processed = EventCounter::<PaymentProcessed>::new().with("order_id", order_id);
        if FoldQuery::new().fold(processed).run()? > 0 {
            return Ok(());
        }
        let response = self
            .http_client
            .post("https://payment.example.com/process")
            .header("Idempotency-Key", event.id.to_string())
            .json(&json!({ "order_id": order_id, "amount": amount }))
            .send()?;
        let success = response.status().is_success();
        record_payment_result(
            RecordPaymentResultInput { order_id, success },
            CommandContext::new(),
        )?;
        Ok(())
    }
}

const ORDER: OrderPlaced = OrderPlaced {
    order_id: 7,
    amount: 4990,
};

fn gateway(status: u16) -> Given {
    given_nothing().with_http(|http| {
        http.post("https://payment.example.com/process")
            .reply(status)
    })
}

#[test]
fn a_payment_is_claimed_made_and_recorded_and_not_made_again() {
    for (status, success) in [(200, true), (402, false)] {
        gateway(status)
            .without(
                check::CRASH_SWEEP,
                "claiming first loses the payment when the effect crashes right after it",
            )
            .when_event(ORDER)
            .run::<OrderProcessor>()
            .then_requests([Request::post("https://payment.example.com/process")
                .json(json!({ "order_id": 7, "amount": 4990 }))])
            .then(events![
                PaymentProcessingScheduled { order_id: 7 },
                PaymentProcessed {
                    order_id: 7,
                    success
                },
            ])
            .redelivered()
            .then_no_requests()
            .then_nothing();
    }
}

#[test]
#[should_panic(expected = "`OrderProcessor` leaves other events when it is killed")]
fn claiming_first_loses_the_payment_to_a_crash() {
    let _ = gateway(200).when_event(ORDER).run::<OrderProcessor>();
}

#[test]
fn asking_first_survives_every_crash() {
    gateway(200)
        .when_event(ORDER)
        .run::<SafeOrderProcessor>()
        .then(events![PaymentProcessed {
            order_id: 7,
            success: true
        }])
        .redelivered()
        .then_no_requests();
}

// From streams to one log.

/// The positions of everything that concerns one widget.
#[derive(DomainIds)]
struct WidgetHistory {
    #[domain_id]
    widget_id: Uuid,
}

#[derive(EventSet)]
enum WidgetHistoryEvents {
    Created(WidgetCreated),
    Renamed(WidgetRenamed),
    Archived(WidgetArchived),
}

impl Fold for WidgetHistory {
    type Events = WidgetHistoryEvents;
    type State = Vec<u64>;

    fn apply(&self, positions: &mut Vec<u64>, event: StoredEvent<WidgetHistoryEvents>) {
        let (WidgetHistoryEvents::Created(WidgetCreated { widget_id, .. })
        | WidgetHistoryEvents::Renamed(WidgetRenamed { widget_id, .. })
        | WidgetHistoryEvents::Archived(WidgetArchived { widget_id })) = event.data;
        assert_eq!(widget_id, self.widget_id);
        positions.push(event.position);
    }
}

#[test]
fn one_log_serves_every_widget_by_its_tag() {
    let history = given(events![
        created(ABC, "bolt"),
        created(DEF, "nut"),
        WidgetRenamed {
            widget_id: ABC,
            name: "new".to_owned()
        },
        WidgetArchived { widget_id: ABC },
    ]);
    history.then_state(WidgetHistory { widget_id: ABC }, vec![1, 3, 4]);
    history.then_state(WidgetHistory { widget_id: DEF }, vec![2]);
    assert_eq!(
        stored::<WidgetRenamed>(&history)[0].tags,
        [format!("widget_id:{ABC}")]
    );
}

// Starting with the events.

/// An event needs `DomainIds` as well, also where nothing else is ported yet.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("account.created")]
pub struct AccountCreated {
    #[domain_id]
    pub account_id: String,
    pub owner_name: String,
}

#[test]
fn a_ported_event_is_found_by_its_domain_id() {
    let account = |id: &str| AccountCreated {
        account_id: id.to_owned(),
        owner_name: "Ada".to_owned(),
    };
    let history = given(events![account("a-1"), account("a-2")]);
    let one = EventFold::<AccountCreated>::new().with("account_id", "a-2");
    let events = history.fold(one).events;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].tags, ["account_id:a-2"]);
    assert_eq!(events[0].data.owner_name, "Ada");
}
