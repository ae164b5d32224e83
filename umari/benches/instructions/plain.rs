//! The same work in plain code over serde, as one would write it by hand for these types alone, with
//! the same calls to the host.

use umari::host::{Host, NewEvent, QueryItem, RawEvent, Transaction};
use umari::prelude::*;

use crate::domain::{PlanCreated, Sales, WarrantySold, created, input, plan_id, sold};
use crate::host::{Memory, events, run};

thread_local! {
    pub(crate) static LOG: Vec<RawEvent> = events();
}

pub(crate) fn query() -> Vec<QueryItem> {
    run(Vec::new(), |memory| {
        let mut transaction = open(memory, &wanted());
        while !transaction.next_batch().expect("events").is_empty() {}
        memory.query.take()
    })
}

fn open(memory: &Memory, query: &[QueryItem]) -> Box<dyn Transaction> {
    let context = CommandContext::from_ids(memory.new_id(), memory.new_id());
    let transaction = memory.open(query, &context, "sell").expect("a host");
    assert_eq!(transaction.duplicate(), None);
    transaction
}

fn wanted() -> Vec<QueryItem> {
    let input = input();
    let plan = format!("plan_id:{}", input.plan_id);
    let shop = format!("shop_id:{}", input.shop_id);
    vec![
        QueryItem {
            types: vec![
                "warranty.plan.created".to_owned(),
                "warranty.sold".to_owned(),
            ],
            tags: vec![plan.clone()],
        },
        QueryItem {
            types: vec!["warranty.plan.created".to_owned()],
            tags: vec![plan, shop],
        },
    ]
}

pub(crate) fn fold() -> Sales {
    let plan = [QueryItem {
        types: vec![
            "warranty.plan.created".to_owned(),
            "warranty.sold".to_owned(),
        ],
        tags: vec![format!("plan_id:{}", plan_id())],
    }];
    run(LOG.with(Clone::clone), |memory| {
        fold_over(&mut *open(memory, &plan))
    })
}

fn fold_over(transaction: &mut dyn Transaction) -> Sales {
    let mut sales = Sales::default();
    loop {
        let batch = transaction.next_batch().expect("events");
        if batch.is_empty() {
            return sales;
        }
        for event in batch {
            apply(&mut sales, event);
        }
    }
}

fn apply(sales: &mut Sales, event: RawEvent) {
    let payload = event.payload.unwrap_or_default();
    match &*event.event_type {
        "warranty.plan.created" => {
            let created: PlanCreated = serde_json::from_str(&payload).expect("a plan");
            assert_eq!(created.plan_id, plan_id());
            sales.title = Some(created.title);
        }
        "warranty.sold" => {
            let sold: WarrantySold = serde_json::from_str(&payload).expect("a sale");
            sales.sold += 1;
            sales.characters += sold.customer_email.len();
        }
        _ => {}
    }
}

fn new_created(event: &PlanCreated) -> (NewEvent, EmittedEvent) {
    let ids = [
        ("plan_id", event.plan_id.to_string()),
        ("shop_id", event.shop_id.to_string()),
    ];
    described("warranty.plan.created", serde_json::to_string(event), &ids)
}

fn new_sold(event: &WarrantySold) -> (NewEvent, EmittedEvent) {
    let ids = [
        ("shop_id", event.shop_id.to_string()),
        ("plan_id", event.plan_id.to_string()),
        ("warranty_id", event.warranty_id.to_string()),
    ];
    described("warranty.sold", serde_json::to_string(event), &ids)
}

/// What is stored, and what the receipt says.
fn described(
    event_type: &str,
    payload: serde_json::Result<String>,
    ids: &[(&str, String)],
) -> (NewEvent, EmittedEvent) {
    let tags: Vec<_> = ids
        .iter()
        .map(|(name, value)| format!("{name}:{value}"))
        .collect();
    let new = NewEvent {
        event_type: event_type.to_owned(),
        schema_version: 1,
        tags: tags.clone(),
        encryption_scope: None,
        payload: payload.expect("an event"),
    };
    let emitted = EmittedEvent {
        id: Uuid::nil(),
        event_type: event_type.to_owned(),
        domain_ids: ids
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect(),
        tags,
    };
    (new, emitted)
}

fn append(
    transaction: &mut dyn Transaction,
    events: Vec<(NewEvent, EmittedEvent)>,
) -> ExecuteOutput {
    let (new, mut emitted): (Vec<_>, Vec<_>) = events.into_iter().unzip();
    let receipt = transaction.commit(new).expect("an append");
    for (event, id) in emitted.iter_mut().zip(receipt.ids) {
        event.id = id;
    }
    ExecuteOutput {
        position: Some(receipt.position),
        events: emitted,
    }
}

pub(crate) fn emit() -> (Vec<NewEvent>, ExecuteOutput) {
    run(Vec::new(), |memory| {
        let mut events = vec![new_created(&created())];
        events.extend((1..10).map(|number| new_sold(&sold(number))));
        let output = append(&mut *open(memory, &[]), events);
        (memory.committed.take(), output)
    })
}

pub(crate) fn command() -> (Vec<NewEvent>, ExecuteOutput) {
    run(LOG.with(Clone::clone), |memory| {
        let mut transaction = open(memory, &wanted());
        let sales = fold_over(&mut *transaction);
        assert!(sales.title.is_some());
        let sold = new_sold(&sold(u128::from(sales.sold) + 1));
        let output = append(&mut *transaction, vec![sold]);
        (memory.committed.take(), output)
    })
}
