//! Events whose shape has changed since they were stored.

use serde_json::Value;
use umari::event::{EventSet, SerializationCause, decode};
use umari::host::RawEvent;
use umari::prelude::*;

use crate::store::{Store, item};

#[derive(Deserialize)]
struct PlanCreatedV1 {
    plan_id: u64,
    price: u64,
}

#[derive(Deserialize)]
struct PlanCreatedV2 {
    plan_id: u64,
    cents: u64,
}

impl From<PlanCreatedV1> for PlanCreatedV2 {
    fn from(old: PlanCreatedV1) -> Self {
        Self {
            plan_id: old.plan_id,
            cents: old.price * 100,
        }
    }
}

/// Version 4 named the currency's minor unit, version 5 the currency.
#[derive(Debug, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.created", version = 5, aliases = ["warranty.plan.created"])]
#[upcast(version = 1, from = PlanCreatedV1)]
#[upcast(version = 2, from = PlanCreatedV2)]
#[upcast(version = 4, with = name_the_currency)]
struct PlanCreated {
    #[domain_id]
    plan_id: u64,
    cents: u64,
    currency: String,
}

impl From<PlanCreatedV2> for PlanCreated {
    fn from(old: PlanCreatedV2) -> Self {
        Self {
            plan_id: old.plan_id,
            cents: old.cents,
            currency: "EUR".to_owned(),
        }
    }
}

fn name_the_currency(mut data: Value) -> anyhow::Result<Value> {
    let currency = match data["minor"].as_str() {
        Some("cent") => "EUR",
        Some("penny") => "GBP",
        other => anyhow::bail!("no currency has the minor unit {other:?}"),
    };
    data["currency"] = currency.into();
    Ok(data)
}

/// One event of version 1 was a whole order; since version 2 there is one for each line, and since
/// version 3 lines without a product are none.
#[derive(Debug, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("line.ordered", version = 3)]
#[upcast(version = 1, with = split)]
#[upcast(version = 2, with = only_products)]
struct LineOrdered {
    #[domain_id]
    order_id: u64,
    product: String,
}

#[derive(Deserialize)]
struct Order {
    order_id: u64,
    products: Vec<Option<String>>,
}

fn split(order: Order) -> Vec<Value> {
    let lines = order.products.into_iter();
    lines
        .map(|product| json!({ "order_id": order.order_id, "product": product }))
        .collect()
}

fn only_products(line: Value) -> Option<Value> {
    (!line["product"].is_null()).then_some(line)
}

fn stored(event_type: &str, version: u32, data: &Value) -> RawEvent {
    let (store, _installed) = Store::install();
    let mut raw = store.given(&LineOrdered {
        order_id: 1,
        product: String::new(),
    });
    raw.event_type = event_type.to_owned();
    raw.schema_version = version;
    raw.payload = Some(data.to_string());
    raw.tags = vec!["plan_id:7".to_owned(), "order_id:1".to_owned()];
    raw
}

fn read<S: EventSet + ?Sized>(raw: &RawEvent) -> Vec<S::Item> {
    let events = decode::<S>(raw).unwrap();
    events.into_iter().map(|event| event.data).collect()
}

fn plan(cents: u64, currency: &str) -> PlanCreated {
    PlanCreated {
        plan_id: 7,
        cents,
        currency: currency.to_owned(),
    }
}

#[test]
fn every_version_is_read_as_the_present_one() {
    let cases = [
        (1, json!({"plan_id": 7, "price": 49}), plan(4900, "EUR")),
        (2, json!({"plan_id": 7, "cents": 4900}), plan(4900, "EUR")),
        (
            4,
            json!({"plan_id": 7, "cents": 5, "minor": "penny"}),
            plan(5, "GBP"),
        ),
        (
            5,
            json!({"plan_id": 7, "cents": 5, "currency": "CHF"}),
            plan(5, "CHF"),
        ),
    ];
    for (version, data, expected) in cases {
        for name in ["plan.created", "warranty.plan.created"] {
            let raw = stored(name, version, &data);
            assert_eq!(
                read::<SingleEvent<PlanCreated>>(&raw),
                [plan(expected.cents, &expected.currency)],
                "{name} {version}"
            );
        }
    }
}

#[test]
fn an_event_may_become_none_one_or_many() {
    #[derive(EventSet)]
    enum Query {
        Line(LineOrdered),
        #[expect(dead_code)]
        Plan(PlanCreated),
    }
    let lines = |products: &Value| {
        let raw = stored(
            "line.ordered",
            1,
            &json!({ "order_id": 1, "products": products }),
        );
        let products = |query| match query {
            Query::Line(line) => line.product,
            Query::Plan(_) => unreachable!("no plan was stored"),
        };
        read::<Query>(&raw)
            .into_iter()
            .map(products)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines(&json!([])), [""; 0]);
    assert_eq!(lines(&json!(["a"])), ["a"]);
    assert_eq!(lines(&json!(["a", null, "b"])), ["a", "b"]);
}

#[test]
fn what_cannot_be_read_names_the_event_and_what_to_do() {
    let cause = |version, data: Value| {
        let raw = stored("plan.created", version, &data);
        let error = decode::<SingleEvent<PlanCreated>>(&raw).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "event `plan.created` at position 1 (id {}) cannot be read",
                raw.id
            )
        );
        let text = format!("{:#}", anyhow::Error::from(error));
        text.split_once("cannot be read: ").unwrap().1.to_owned()
    };
    assert_eq!(
        cause(3, json!({})),
        "it has version 3 of its shape, and its type, at version 5, has no upcast from there: add \
         `#[upcast(version = 3, ..)]`"
    );
    assert_eq!(
        cause(6, json!({})),
        "it has version 6 of its shape, and this module knows versions up to 5: build it with the \
         release that wrote the event"
    );
    assert_eq!(
        cause(4, json!({"plan_id": 7, "cents": 5, "minor": "öre"})),
        "its upcast from version 4 failed: no currency has the minor unit Some(\"öre\")"
    );
    assert_eq!(
        cause(1, json!({"plan_id": 7})),
        "its data does not have the shape of version 1: missing field `price` at line 1 column 13"
    );
    assert_eq!(
        cause(4, json!({"plan_id": 7, "minor": "cent"})),
        "its data does not have the shape of version 5: missing field `cents`"
    );
    let newer = stored("plan.created", 6, &json!({}));
    assert!(matches!(
        decode::<SingleEvent<PlanCreated>>(&newer)
            .unwrap_err()
            .cause,
        SerializationCause::LaterVersion { found: 6, known: 5 }
    ));
}

#[test]
fn what_is_said_of_an_encrypted_event_has_none_of_its_values() {
    let cause = |data: Value| {
        let mut raw = stored("plan.created", 5, &data);
        raw.encryption_scope = Some("plan_id:7".to_owned());
        let error = decode::<SingleEvent<PlanCreated>>(&raw).unwrap_err();
        format!("{:#}", anyhow::Error::from(error))
    };
    let secret = cause(json!({"plan_id": 7, "cents": "a secret", "currency": "EUR"}));
    assert!(
        secret.ends_with(
            "version 5: a value does not fit its field at line 1 column 19 (the event is encrypted, so its \
             values are not shown)"
        ),
        "{secret}"
    );
    let missing = cause(json!({"plan_id": 7, "cents": 5}));
    assert!(
        missing.contains("missing field `currency` at line 1"),
        "{missing}"
    );
}

#[test]
fn null_is_no_event() {
    let raw = stored("plan.created", 5, &Value::Null);
    assert!(read::<SingleEvent<PlanCreated>>(&raw).is_empty());
    assert!(SingleEvent::<PlanCreated>::from_event("plan.created", &Value::Null).is_none());
}

#[test]
fn an_event_under_an_old_name_is_asked_for_and_counted() {
    let (store, _installed) = Store::install();
    store.given(&plan(1, "EUR"));
    for (version, data) in [
        (1, json!({"plan_id": 7, "price": 1})),
        (2, json!({"plan_id": 7, "cents": 1})),
    ] {
        let mut old = store.given(&plan(1, "EUR"));
        old.event_type = "warranty.plan.created".to_owned();
        old.schema_version = version;
        old.payload = Some(data.to_string());
        let place = store.log.borrow().len() - 1;
        store.log.borrow_mut()[place] = old;
    }
    let counted = FoldQuery::new()
        .fold(EventCounter::<PlanCreated>::new().with("plan_id", 7))
        .run()
        .unwrap();
    assert_eq!(counted, 3);
    assert_eq!(
        store.query(),
        [item(
            &["plan.created", "warranty.plan.created"],
            &["plan_id:7"]
        )]
    );
}

/// An event set that was written by hand sees what is stored as JSON.
#[test]
fn an_event_set_of_ones_own_reads_json() {
    #[derive(Debug, PartialEq)]
    struct Any(Value);
    impl EventSet for Any {
        type Item = Self;
        fn event_types() -> Vec<&'static str> {
            vec!["plan.created"]
        }
        fn event_domain_ids() -> Vec<EventDomainId> {
            vec![EventDomainId::unscoped::<PlanCreated>()]
        }
        fn from_event(_: &str, data: &Value) -> Option<Result<Self, SerializationError>> {
            Some(Ok(Self(data.clone())))
        }
    }
    let raw = stored("plan.created", 1, &json!({"plan_id": 7}));
    assert_eq!(read::<Any>(&raw), [Any(json!({"plan_id": 7}))]);
    assert!(read::<Any>(&stored("plan.archived", 1, &json!({}))).is_empty());
}

#[test]
fn a_host_can_try_an_upcast_on_other_data() {
    let raw = |version, data: Value| stored("plan.created", version, &data);
    let old = raw(1, json!({"plan_id": 7, "price": 49}));
    let middle = raw(4, json!({"plan_id": 7, "cents": 5, "minor": "cent"}));
    let today = raw(5, json!({"plan_id": 7, "cents": 5, "currency": "CHF"}));
    let (store, _installed) = Store::install();
    for raw in [&old, &middle, &today] {
        assert_eq!(read::<SingleEvent<PlanCreated>>(raw).len(), 1);
    }
    let tried = store.tried.borrow();
    let reader = std::any::type_name::<PlanCreated>();
    assert_eq!(
        *tried,
        [
            (
                reader,
                1,
                Some(vec![json!({"plan_id": 1, "cents": 200, "currency": "EUR"})])
            ),
            (reader, 4, None),
        ]
    );
}
