//! Projectors and effects, driven as the exported glue drives them.

use umari::prelude::*;
use umari::{effect, projector};

use crate::shop::{PlanArchived, PlanCreated, ShopConnected, connected};
use crate::store::{Store, item};

export_effect!(Hooks);

struct Hooks {
    client: Client,
    address: String,
}

#[derive(DomainIds)]
struct Record {
    #[domain_id]
    shop_id: u64,
}

impl Effect for Hooks {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::new(),
            address: env::var("ADDRESS")?,
        })
    }

    fn partition_key(&self, event: StoredEvent<ShopConnected>) -> Option<String> {
        Some(event.data.shop_id.to_string())
    }

    #[expect(
        clippy::needless_borrows_for_generic_args,
        reason = "users write it either way"
    )]
    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        let shop_id = event.data.shop_id;
        let answer = self
            .client
            .post(&self.address)
            .header("Authorization", &format!("Bearer {shop_id}"))
            .json(&json!({ "shop": shop_id }))
            .timeout(Duration::from_secs(5))
            .send()?;
        anyhow::ensure!(answer.status() == 201 && answer.status().is_success());
        assert_eq!(answer.header("content-type"), Some("application/json"));
        #[derive(Deserialize)]
        struct Made {
            id: u64,
        }
        let id = answer.json::<Made>()?.id;
        Command::new(Record { shop_id }, CommandContext::new()).execute(|input, ()| {
            Ok(emit![PlanCreated {
                shop_id: input.shop_id,
                id
            }])
        })?;
        Ok(())
    }
}

#[test]
fn a_command_in_an_effect_belongs_to_the_event() {
    let (store, _installed) = Store::install();
    let event = store.given(&connected(42));
    let mut hooks = Hooks::init().unwrap();
    assert_eq!(effect::query::<Hooks>(), [item(&["shop.connected"], &[])]);
    assert_eq!(
        effect::partition_key(&hooks, &event).unwrap().as_deref(),
        Some("42")
    );
    effect::handle(&mut hooks, &event).unwrap();
    let opened = store.opened.borrow();
    let context = &opened.last().unwrap().1;
    assert_eq!(context.triggering_event_id, Some(event.id));
    assert_eq!(context.correlation_id, event.correlation_id);
    let request = &store.requests.borrow()[0];
    assert_eq!(
        (&*request.method, &*request.url),
        ("POST", "https://example.com/hooks")
    );
    assert_eq!(request.body, br#"{"shop":42}"#);
    assert_eq!(store.types(), ["shop.connected", "plan.created"]);
    assert_eq!(
        CommandContext::new().triggering_event_id,
        None,
        "the event is over"
    );
}

#[test]
fn events_nest() {
    let (store, _installed) = Store::install();
    let (outer, inner) = (store.given(&connected(1)), store.given(&connected(2)));
    let entered = effect::enter_event(&outer);
    {
        let _entered = effect::enter_event(&inner);
        assert_eq!(CommandContext::new().triggering_event_id, Some(inner.id));
    }
    assert_eq!(CommandContext::new().triggering_event_id, Some(outer.id));
    drop(entered);
    assert_eq!(CommandContext::new().triggering_event_id, None);
}

/// Another module, as another crate would be.
mod plans {
    umari::export_projector!(super::Plans);
}

#[derive(Default)]
struct Plans {
    seen: Vec<u64>,
}

#[derive(EventSet)]
enum Query {
    PlanCreated(PlanCreated),
    #[scope(shop_id = "42")]
    PlanArchived(PlanArchived),
}

impl Projector for Plans {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        Ok(Self::default())
    }

    fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
        self.seen.push(match event.data {
            Query::PlanCreated(plan) => plan.id,
            Query::PlanArchived(plan) => plan.plan_id,
        });
        Ok(())
    }
}

#[test]
fn a_projector_reads_types_and_fixed_values() {
    let (store, _installed) = Store::install();
    assert_eq!(
        projector::query::<Plans>(),
        [
            item(&["plan.created"], &[]),
            item(&["PlanArchived"], &["shop_id:42"])
        ]
    );
    let mut plans = Plans::init().unwrap();
    let mut event = store.given(&PlanCreated { shop_id: 42, id: 3 });
    projector::handle(&mut plans, &event).unwrap();
    event.payload = None;
    projector::handle(&mut plans, &event).unwrap();
    assert_eq!(plans.seen, [3], "a shredded event is passed over");
    event.payload = Some("{}".to_owned());
    let error = projector::handle(&mut plans, &event).unwrap_err();
    assert!(
        format!("{error:#}").starts_with("event `plan.created` at position 1"),
        "{error:#}"
    );
}

#[test]
fn an_envelope_is_had_with_and_without_its_data() {
    let (store, _installed) = Store::install();
    let raw = store.given(&connected(42));
    let event = umari::event::decode::<SingleEvent<ShopConnected>>(&raw)
        .unwrap()
        .remove(0);
    let metadata = event.metadata();
    assert_eq!(
        (metadata.id, metadata.position, &metadata.tags),
        (raw.id, 1, &raw.tags)
    );
    assert_eq!(event.clone().map(|_| ()), metadata);
    let (data, envelope) = event.into_parts();
    assert_eq!((data.shop_id, envelope), (42, metadata));
}

#[test]
fn a_scope_to_shred_is_named_as_tags_are() {
    let (store, _installed) = Store::install();
    let shredded = umari::crypto::shred("shop_id", 42).unwrap();
    assert_eq!((shredded.keys, shredded.at), (1, DateTime::UNIX_EPOCH));
    let customer = Uuid::from_u128(7);
    umari::crypto::shred_because("customer_id", customer, "request 4711").unwrap();
    assert_eq!(
        *store.shredded.borrow(),
        [
            ("shop_id:42".to_owned(), String::new()),
            (format!("customer_id:{customer}"), "request 4711".to_owned()),
        ]
    );
}
