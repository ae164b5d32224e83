//! Chapter 4: events, their envelope, and sets of them.

use serde_json::json;
use umari::prelude::*;
use umari_testing::prelude::*;

use crate::domain::*;
use crate::store::{Store, item};
use crate::support::stored;

// Defining an event.

#[test]
fn event_type_sets_the_constant_and_the_name_in_the_store() {
    assert_eq!(WarrantyPlanCreated::EVENT_TYPE, "warranty.plan.created");
    let plans = stored::<WarrantyPlanCreated>(&given(events![plan_created(PLAN, 42)]));
    assert_eq!(plans[0].event_type, "warranty.plan.created");
}

/// Without a name of its own, and with nothing but the four derives.
#[derive(Event, DomainIds, Serialize, Deserialize)]
struct WarrantyClaimFiled {
    #[domain_id]
    claim_id: u64,
}

#[test]
fn without_event_type_the_name_is_that_of_the_struct() {
    assert_eq!(WarrantyClaimFiled::EVENT_TYPE, "WarrantyClaimFiled");
    let claims = stored::<WarrantyClaimFiled>(&given(events![WarrantyClaimFiled { claim_id: 1 }]));
    assert_eq!(claims[0].event_type, "WarrantyClaimFiled");
}

#[test]
fn clone_and_debug_are_optional() {
    #[derive(DomainIds, Serialize, Deserialize)]
    struct Input {
        #[domain_id]
        claim_id: u64,
    }
    fn file(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<EventFold<WarrantyClaimFiled>>()
            .execute(|input, filed| {
                anyhow::ensure!(!filed.exists(), "the claim was filed before");
                Ok(emit![WarrantyClaimFiled {
                    claim_id: input.claim_id
                }])
            })
    }
    given_nothing()
        .when(file, Input { claim_id: 1 })
        .then(events![WarrantyClaimFiled { claim_id: 1 }]);
}

#[test]
fn any_naming_scheme_is_accepted() {
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("Claims/ClaimFiled v1")]
    struct Named {
        #[domain_id]
        claim_id: u64,
    }
    let history = given(events![Named { claim_id: 1 }]);
    assert_eq!(stored::<Named>(&history)[0].data.claim_id, 1);
}

#[test]
fn event_and_domain_ids_are_independent_derives() {
    /// With both derives in one, this would be a second `impl DomainIds`.
    #[derive(Event, Serialize, Deserialize)]
    struct Manual {
        order: u64,
    }
    impl DomainIds for Manual {
        const DOMAIN_ID_FIELDS: &'static [&'static str] = &["order_id"];

        fn domain_ids(&self) -> DomainIdBindings {
            DomainIdBindings::from([("order_id", self.order.to_string())])
        }
    }
    /// And this is no event at all.
    #[derive(DomainIds)]
    struct Asked {
        #[domain_id]
        order_id: u64,
    }
    let history = given(events![Manual { order: 7 }]);
    assert_eq!(stored::<Manual>(&history)[0].tags, ["order_id:7"]);
    assert_eq!(Asked { order_id: 7 }.domain_ids()["order_id"], "7");
}

// Domain ids.

#[test]
fn domain_ids_become_tags_and_other_fields_do_not() {
    let history = given(events![sold(42, 9)]);
    assert_eq!(
        stored::<WarrantySold>(&history)[0].tags,
        [
            "shop_id:42".to_owned(),
            format!("warranty_id:{}", Uuid::from_u128(0xb009)),
            "order_id:1001".to_owned(),
            "line_item_id:9".to_owned(),
            format!("plan_id:{PLAN}"),
        ]
    );
}

#[test]
fn a_query_by_shop_returns_only_the_events_with_its_tag() {
    let history = given(events![sold(42, 1), sold(43, 2), sold(42, 3)]);
    let of_shop = EventFold::<WarrantySold>::new().with("shop_id", 42_u64);
    let events = history.fold(of_shop).events;
    assert!(
        events
            .iter()
            .all(|event| event.tags.contains(&"shop_id:42".to_owned()))
    );
    assert_eq!(
        events
            .iter()
            .map(|event| event.position)
            .collect::<Vec<_>>(),
        [1, 3]
    );
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.quoted")]
struct WarrantyQuoted {
    #[domain_id("plan_id")]
    warranty_plan_id: Uuid,
}

#[test]
fn a_renamed_domain_id_is_tagged_by_its_new_name() {
    let quoted = WarrantyQuoted {
        warranty_plan_id: PLAN,
    };
    assert_eq!(WarrantyQuoted::DOMAIN_ID_FIELDS, ["plan_id"]);
    let quotes = stored::<WarrantyQuoted>(&given(events![quoted]));
    assert_eq!(quotes[0].tags, [format!("plan_id:{PLAN}")]);
}

#[test]
fn domain_ids_collects_every_marked_field() {
    let bindings: DomainIdBindings = plan_created(PLAN, 42).domain_ids();
    assert_eq!(
        bindings,
        DomainIdBindings::from([("plan_id", PLAN.to_string()), ("shop_id", "42".to_owned())])
    );
}

// Encryption scopes.

#[test]
fn the_scope_is_the_name_and_value_of_the_marked_field() {
    assert_eq!(
        connected(42).encryption_scope().as_deref(),
        Some("shop_id:42")
    );
    let history = given(events![connected(42)]);
    let shop = &stored::<ShopConnected>(&history)[0];
    assert_eq!(shop.encryption_scope.as_deref(), Some("shop_id:42"));
    assert!(shop.encryption_key_id.is_some());
}

#[test]
fn without_a_scope_an_event_is_plain() {
    assert_eq!(plan_created(PLAN, 42).encryption_scope(), None);
    let plans = stored::<WarrantyPlanCreated>(&given(events![plan_created(PLAN, 42)]));
    assert_eq!(plans[0].encryption_scope, None);
    assert_eq!(plans[0].encryption_key_id, None);
}

#[test]
fn each_value_of_the_scope_has_a_key_of_its_own() {
    let history = given(events![connected(42), connected(43), reconnected(42)]);
    let shops = stored::<ShopConnected>(&history);
    let again = stored::<ShopReconnected>(&history);
    assert_ne!(shops[0].encryption_key_id, shops[1].encryption_key_id);
    assert_eq!(shops[0].encryption_key_id, again[0].encryption_key_id);
}

#[test]
fn who_reads_sees_the_payload_in_the_clear() {
    let history = given(events![connected(42)]);
    assert_eq!(stored::<ShopConnected>(&history)[0].data, connected(42));
}

#[test]
fn a_deleted_key_leaves_the_envelope_and_takes_the_payload() {
    let (store, _installed) = Store::install();
    store.given(&connected(42));
    store.log.borrow_mut()[0].payload = None;
    let log = store.log.borrow();
    assert_eq!(log[0].tags, ["shop_id:42"]);
    assert_eq!(log[0].event_type, "shop.connected");
    assert_eq!(log[0].encryption_scope.as_deref(), Some("shop_id:42"));
    let shops = FoldQuery::new().fold(EventCounter::<ShopConnected>::new());
    assert_eq!(shops.run().unwrap(), 0, "the event is skipped");
}

struct Shops {}

impl Projector for Shops {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE IF NOT EXISTS shops (domain TEXT NOT NULL)")?;
        Ok(Shops {})
    }

    fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
        let (Query::ShopConnected(ShopConnected { shop_domain, .. })
        | Query::ShopReconnected(ShopReconnected { shop_domain, .. })) = event.data;
        execute("INSERT INTO shops VALUES (?1)", params![shop_domain])?;
        Ok(())
    }
}

struct Greet {}

impl Effect for Greet {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Greet {})
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        let url = format!("https://greet.example/{}", event.data.shop_id);
        let answer = Client::new()
            .post(url)
            .header("Idempotency-Key", event.id.to_string())
            .send()?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        Ok(())
    }
}

#[test]
fn a_shredded_event_is_skipped_by_folds_projectors_and_effects() {
    let history = given(events![connected(42), connected(43)]).shredded("shop_id", 42);
    history.then_state(ShopExistsFold { shop_id: 42 }, false);
    history.then_state(ShopExistsFold { shop_id: 43 }, true);
    history
        .project::<Shops>()
        .then_rows("SELECT domain FROM shops", rows![["shop-43.example"]]);
    history
        .with_http(|http| http.post("https://greet.example/43").reply(204))
        .when_caught_up()
        .run::<Greet>()
        .then_requests(["POST https://greet.example/43"]);
}

// The event trait.

#[test]
fn an_event_is_a_name_and_by_default_no_scope() {
    #[derive(DomainIds, Serialize, Deserialize)]
    struct Manual {
        #[domain_id]
        shop_id: u64,
    }
    impl Event for Manual {
        const EVENT_TYPE: &'static str = "manual";
    }
    fn as_the_trait_says<E>(event: &E) -> (&'static str, Option<String>)
    where
        E: Event,
    {
        fn needs<T: DomainIds + Serialize + serde::de::DeserializeOwned + Sized>() {}
        needs::<E>();
        (E::EVENT_TYPE, event.encryption_scope())
    }
    let manual = Manual { shop_id: 42 };
    assert_eq!(as_the_trait_says(&manual), ("manual", None));
    assert_eq!(
        as_the_trait_says(&connected(42)).1.as_deref(),
        Some("shop_id:42")
    );
}

// Event sets.

#[derive(EventSet)]
enum Query {
    ShopConnected(ShopConnected),
    ShopReconnected(ShopReconnected),
}

#[test]
fn a_set_lists_its_types_in_order() {
    assert_eq!(Query::event_types(), ["shop.connected", "shop.reconnected"]);
}

#[test]
fn a_set_says_which_domain_ids_each_type_has() {
    let ids: Vec<EventDomainId> = Query::event_domain_ids();
    let listed: Vec<_> = ids
        .iter()
        .map(|id| (id.event_type, id.dynamic_fields))
        .collect();
    assert_eq!(
        listed,
        [
            ("shop.connected", &["shop_id"][..]),
            ("shop.reconnected", &["shop_id"][..]),
        ]
    );
}

#[test]
fn a_set_decodes_its_own_types_and_no_others() {
    let data = json!(connected(42));
    let Some(Ok(Query::ShopConnected(shop))) = Query::from_event("shop.connected", &data) else {
        panic!("the type is in the set");
    };
    assert_eq!(shop, connected(42));
    let elsewhere = Query::from_event("warranty.sold", &data);
    assert!(elsewhere.is_none());
    let broken = Query::from_event("shop.connected", &json!({ "shop_id": "x" }));
    assert!(broken.is_some_and(|result| result.is_err()));
}

#[test]
fn the_item_of_a_set_is_the_enum_and_that_of_a_single_event_the_event() {
    fn item<S: EventSet<Item = T> + ?Sized, T>() {}
    item::<Query, Query>();
    item::<SingleEvent<ShopConnected>, ShopConnected>();
    assert_eq!(
        SingleEvent::<ShopConnected>::event_types(),
        ["shop.connected"]
    );
    let data = json!(connected(42));
    let decoded = SingleEvent::<ShopConnected>::from_event("shop.connected", &data);
    assert!(matches!(decoded, Some(Ok(shop)) if shop == connected(42)));
    let elsewhere = SingleEvent::<ShopConnected>::from_event("shop.reconnected", &data);
    assert!(elsewhere.is_none());
}

// Scopes.

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("widget.created")]
struct WidgetCreated {
    #[domain_id]
    widget_id: String,
    #[domain_id]
    shop_id: String,
    name: String,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("widget.archived")]
struct WidgetArchived {
    #[domain_id]
    widget_id: String,
    #[domain_id]
    shop_id: String,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("settings.changed")]
struct GlobalSettingsChanged {
    #[domain_id]
    shop_id: String,
}

#[derive(EventSet)]
enum WidgetFoldEvents {
    // By the widget alone, whatever else is bound.
    #[scope(widget_id)]
    WidgetCreated(WidgetCreated),

    // By everything that is bound.
    WidgetArchived(WidgetArchived),

    // By a fixed value, whatever is bound.
    #[scope(shop_id = "acme")]
    GlobalSettingsChanged(GlobalSettingsChanged),
}

#[derive(DomainIds, FromDomainIds)]
struct WidgetFold {
    #[domain_id]
    widget_id: String,
    #[domain_id]
    shop_id: String,
}

impl Fold for WidgetFold {
    type Events = WidgetFoldEvents;
    type State = Vec<String>;

    fn apply(&self, seen: &mut Vec<String>, event: StoredEvent<WidgetFoldEvents>) {
        seen.push(match event.data {
            WidgetFoldEvents::WidgetCreated(ev) => format!("created {} {}", ev.name, ev.shop_id),
            WidgetFoldEvents::WidgetArchived(ev) => format!("archived in {}", ev.shop_id),
            WidgetFoldEvents::GlobalSettingsChanged(ev) => format!("settings of {}", ev.shop_id),
        });
    }
}

fn widget(widget_id: &str, shop_id: &str, name: &str) -> WidgetCreated {
    WidgetCreated {
        widget_id: widget_id.to_owned(),
        shop_id: shop_id.to_owned(),
        name: name.to_owned(),
    }
}

fn archived_in(shop_id: &str) -> WidgetArchived {
    WidgetArchived {
        widget_id: "w".to_owned(),
        shop_id: shop_id.to_owned(),
    }
}

fn settings(shop_id: &str) -> GlobalSettingsChanged {
    GlobalSettingsChanged {
        shop_id: shop_id.to_owned(),
    }
}

fn widget_fold() -> WidgetFold {
    WidgetFold {
        widget_id: "w".to_owned(),
        shop_id: "shop".to_owned(),
    }
}

#[test]
fn each_form_of_scope_selects_as_it_says() {
    given(events![
        widget("w", "elsewhere", "bolt"),
        widget("other", "shop", "nut"),
        archived_in("elsewhere"),
        archived_in("shop"),
        settings("shop"),
        settings("acme"),
    ])
    .then_state(
        widget_fold(),
        [
            "created bolt elsewhere",
            "archived in shop",
            "settings of acme",
        ]
        .map(str::to_owned)
        .to_vec(),
    );
}

#[test]
fn each_form_of_scope_asks_the_store_for_its_own_tags() {
    let (store, _installed) = Store::install();
    FoldQuery::new().fold(widget_fold()).run().unwrap();
    assert_eq!(
        store.query(),
        [
            item(&["widget.created"], &["widget_id:w"]),
            item(&["widget.archived"], &["widget_id:w", "shop_id:shop"]),
            item(&["settings.changed"], &["shop_id:acme"]),
        ]
    );
}

/// Every name in the shop, or only that of the widget itself: the scope makes the difference.
macro_rules! names_fold {
    ($fold:ident over $events:ident $(by $scope:meta)?) => {
        #[derive(EventSet)]
        enum $events {
            $(#[$scope])?
            WidgetCreated(WidgetCreated),
        }

        #[derive(DomainIds, FromDomainIds)]
        struct $fold {
            #[domain_id]
            widget_id: String,
            #[domain_id]
            shop_id: String,
        }

        impl Fold for $fold {
            type Events = $events;
            type State = Vec<String>;

            fn apply(&self, names: &mut Vec<String>, event: StoredEvent<$events>) {
                let $events::WidgetCreated(widget) = event.data;
                names.push(widget.name);
            }
        }
    };
}

names_fold!(NamesInShop over NamesInShopEvents by scope(shop_id));
names_fold!(NamesOfWidget over NamesOfWidgetEvents);

#[test]
fn a_uniqueness_check_without_its_scope_misses_the_other_widgets() {
    let history = given(events![widget("old", "shop", "bolt")]);
    let (widget_id, shop_id) = ("new".to_owned(), "shop".to_owned());
    let in_shop = NamesInShop {
        widget_id: widget_id.clone(),
        shop_id: shop_id.clone(),
    };
    history.then_state(in_shop, vec!["bolt".to_owned()]);
    history.then_state(NamesOfWidget { widget_id, shop_id }, vec![]);
}

#[test]
fn projectors_and_effects_can_scope_by_fixed_values() {
    #[derive(EventSet)]
    enum Query {
        WidgetCreated(WidgetCreated),
        // Of all topics, this one.
        #[scope(topic = "orders/paid")]
        WebhookReceived(WebhookReceived),
    }
    struct Both {}
    impl Projector for Both {
        type Query = Query;

        fn init() -> anyhow::Result<Self> {
            execute_batch("CREATE TABLE IF NOT EXISTS seen (what TEXT NOT NULL)")?;
            Ok(Both {})
        }

        fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
            let what = match event.data {
                Query::WidgetCreated(ev) => ev.name,
                Query::WebhookReceived(ev) => ev.topic,
            };
            execute("INSERT INTO seen VALUES (?1)", params![what])?;
            Ok(())
        }
    }
    impl Effect for Both {
        type Query = Query;

        fn init() -> anyhow::Result<Self> {
            Ok(Both {})
        }

        fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
            let url = format!("https://sink.example/{}", event.position);
            let answer = Client::new().put(url).send()?;
            anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
            Ok(())
        }
    }
    let history = given(events![
        webhook("orders/cancelled"),
        widget("w", "shop", "bolt"),
        webhook("orders/paid"),
    ]);
    history.project::<Both>().then_rows(
        "SELECT what FROM seen ORDER BY rowid",
        rows![["bolt"], ["orders/paid"]],
    );
    history
        .with_http(|http| {
            http.put("https://sink.example/2").reply(204);
            http.put("https://sink.example/3").reply(204);
        })
        .when_caught_up()
        .run::<Both>()
        .then_requests(["PUT https://sink.example/2", "PUT https://sink.example/3"]);
}
