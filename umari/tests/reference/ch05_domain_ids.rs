//! Chapter 5: domain ids, and how a query is made of them.

use indexmap::IndexMap;
use umari::prelude::*;
use umari_testing::prelude::*;

use crate::domain::{PLAN, ShopConnected, ShopExistsFold, WarrantyPlanCreated, connected};
use crate::domain::{plan_created, sold};
use crate::store::{Store, item};
use crate::support::stored;

// What domain ids are.

mod three_ids {
    use umari::prelude::*;

    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("warranty.sold")]
    pub struct WarrantySold {
        #[domain_id]
        pub shop_id: u64,
        #[domain_id]
        pub warranty_id: Uuid,
        #[domain_id]
        pub order_id: u64,
    }
}

#[test]
fn a_tag_is_the_name_of_the_field_and_its_value() {
    let history = given(events![three_ids::WarrantySold {
        shop_id: 42,
        warranty_id: PLAN,
        order_id: 1001,
    }]);
    assert_eq!(
        stored::<three_ids::WarrantySold>(&history)[0].tags,
        [
            "shop_id:42".to_owned(),
            format!("warranty_id:{PLAN}"),
            "order_id:1001".to_owned()
        ]
    );
}

// Choosing them.

#[derive(DomainIds, FromDomainIds)]
struct LineSoldFold {
    #[domain_id]
    line_item_id: u64,
}

impl Fold for LineSoldFold {
    type Events = SingleEvent<crate::domain::WarrantySold>;
    type State = bool;

    fn apply(&self, sold: &mut bool, _event: StoredEvent<crate::domain::WarrantySold>) {
        *sold = true;
    }
}

#[derive(DomainIds, Serialize, Deserialize)]
struct SellInput {
    #[domain_id]
    shop_id: u64,
    #[domain_id]
    line_item_id: u64,
}

fn sell(input: SellInput, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold_with(|input| LineSoldFold {
            line_item_id: input.line_item_id,
        })
        .execute(|input, is_sold| {
            anyhow::ensure!(!is_sold, "the line was sold before");
            Ok(emit![sold(input.shop_id, input.line_item_id)])
        })
}

#[test]
fn a_line_that_is_a_domain_id_can_be_sold_only_once() {
    let line = |shop_id, line_item_id| SellInput {
        shop_id,
        line_item_id,
    };
    given_nothing()
        .when(sell, line(42, 9))
        .then(events![sold(42, 9)])
        .when(sell, line(43, 9))
        .then_rejected("the line was sold before")
        .when(sell, line(42, 10))
        .then(events![sold(42, 10)]);
}

#[test]
fn adding_a_domain_id_later_leaves_old_events_readable_and_without_the_tag() {
    mod before {
        use umari::prelude::*;

        #[derive(Event, DomainIds, Serialize, Deserialize)]
        #[event_type("order.paid")]
        pub struct OrderPaid {
            #[domain_id]
            pub shop_id: u64,
            pub order_id: u64,
        }
    }
    #[derive(Event, DomainIds, Serialize, Deserialize)]
    #[event_type("order.paid")]
    struct OrderPaid {
        #[domain_id]
        shop_id: u64,
        #[domain_id]
        order_id: u64,
    }
    let old = before::OrderPaid {
        shop_id: 42,
        order_id: 1,
    };
    let new = OrderPaid {
        shop_id: 42,
        order_id: 1,
    };
    let history = given_nothing()
        .without(
            check::ROUND_TRIP,
            "the old event is read as the new type, which writes one tag more",
        )
        .and(events![old, new]);
    let orders = stored::<OrderPaid>(&history);
    assert_eq!(orders[0].tags, ["shop_id:42"]);
    assert_eq!(orders[1].tags, ["shop_id:42", "order_id:1"]);
    let by_shop = EventCounter::<OrderPaid>::new().with("shop_id", 42_u64);
    let by_order = EventCounter::<OrderPaid>::new().with("order_id", 1_u64);
    assert_eq!((history.fold(by_shop), history.fold(by_order)), (2, 1));
}

// The traits.

#[test]
fn domain_ids_is_a_list_of_names_and_a_map_of_values() {
    fn as_the_trait_says<T: DomainIds>(value: &T) -> (&'static [&'static str], DomainIdBindings) {
        (T::DOMAIN_ID_FIELDS, value.domain_ids())
    }
    let (fields, bindings) = as_the_trait_says(&plan_created(PLAN, 42));
    assert_eq!(fields, ["plan_id", "shop_id"]);
    let bindings: IndexMap<&'static str, String> = bindings;
    assert_eq!(bindings["shop_id"], "42");
    assert_eq!(bindings["plan_id"], PLAN.to_string());
}

#[derive(DomainIds, Serialize, Deserialize)]
struct PlanInput {
    #[domain_id]
    shop_id: u64,
    #[domain_id]
    plan_id: Uuid,
    title: String,
}

fn plan_input() -> PlanInput {
    PlanInput {
        shop_id: 42,
        plan_id: PLAN,
        title: "Two years".to_owned(),
    }
}

#[test]
fn events_inputs_and_folds_have_domain_ids() {
    assert_eq!(connected(42).domain_ids()["shop_id"], "42");
    assert_eq!(plan_input().domain_ids().len(), 2);
    assert!(!plan_input().domain_ids().contains_key("title"));
    assert_eq!(plan_input().title, "Two years");
    assert_eq!(ShopExistsFold { shop_id: 42 }.domain_ids()["shop_id"], "42");
}

#[test]
fn a_fold_takes_from_the_bindings_only_what_it_names() {
    let fold = ShopExistsFold::from_domain_ids((), &plan_input().domain_ids()).unwrap();
    assert_eq!(fold.shop_id, 42);
    assert_eq!(
        fold.domain_ids(),
        DomainIdBindings::from([("shop_id", "42".to_owned())])
    );
}

#[test]
fn a_fold_made_by_hand_needs_no_from_domain_ids() {
    /// `crate::domain::ShopExistsFold`, without the derive.
    #[derive(DomainIds)]
    struct ShopExists {
        #[domain_id]
        shop_id: u64,
    }
    impl Fold for ShopExists {
        type Events = SingleEvent<ShopConnected>;
        type State = bool;

        fn apply(&self, exists: &mut bool, _event: StoredEvent<ShopConnected>) {
            *exists = true;
        }
    }
    given(events![connected(42)])
        .when_called(|context| {
            Command::new(plan_input(), context)
                .fold_with(|input| ShopExists {
                    shop_id: input.shop_id,
                })
                .execute(|_input, exists| {
                    anyhow::ensure!(exists, "shop does not exist");
                    Ok(emit![])
                })
        })
        .then_nothing();
}

#[test]
fn the_generic_folds_keep_the_bindings_that_their_event_has() {
    fn kept<F: Fold + FromDomainIds<Args = ()>>() -> Vec<&'static str> {
        let fold = F::from_domain_ids((), &plan_input().domain_ids()).unwrap();
        fold.domain_ids().keys().copied().collect()
    }
    assert_eq!(kept::<EventFold<ShopConnected>>(), ["shop_id"]);
    assert_eq!(kept::<LatestEvent<ShopConnected>>(), ["shop_id"]);
    assert_eq!(kept::<EventCounter<ShopConnected>>(), ["shop_id"]);
    assert_eq!(
        kept::<EventToggle<ShopConnected, crate::domain::ShopReconnected>>(),
        ["shop_id"]
    );
    assert_eq!(
        kept::<EventFold<WarrantyPlanCreated>>(),
        ["shop_id", "plan_id"]
    );
}

// How a query is built.

#[derive(DomainIds, FromDomainIds)]
struct PlanExistsFold {
    #[domain_id]
    shop_id: u64,
    #[domain_id]
    plan_id: Uuid,
}

impl Fold for PlanExistsFold {
    type Events = SingleEvent<WarrantyPlanCreated>;
    type State = bool;

    fn apply(&self, exists: &mut bool, event: StoredEvent<WarrantyPlanCreated>) {
        assert_eq!(
            (event.data.shop_id, event.data.plan_id),
            (self.shop_id, self.plan_id)
        );
        *exists = true;
    }
}

#[test]
fn two_folds_make_two_items_each_with_its_own_tags() {
    let fields = |ids: Vec<EventDomainId>| ids[0].dynamic_fields;
    assert_eq!(
        fields(<ShopExistsFold as Fold>::Events::event_domain_ids()),
        ["shop_id"]
    );
    assert_eq!(
        fields(<PlanExistsFold as Fold>::Events::event_domain_ids()),
        ["plan_id", "shop_id"]
    );
    let (store, _installed) = Store::install();
    Command::new(plan_input(), CommandContext::new())
        .fold::<ShopExistsFold>()
        .fold::<PlanExistsFold>()
        .execute(|_, _| Ok(emit![]))
        .unwrap();
    let plan = format!("plan_id:{PLAN}");
    assert_eq!(
        store.query(),
        [
            item(&["shop.connected"], &["shop_id:42"]),
            item(&["warranty.plan.created"], &[&plan, "shop_id:42"]),
        ]
    );
}

#[test]
fn types_with_equal_tags_are_asked_for_together() {
    let (store, _installed) = Store::install();
    Command::new(plan_input(), CommandContext::new())
        .fold::<PlanExistsFold>()
        .fold::<EventToggle<crate::domain::WarrantyPlanArchived, crate::domain::WarrantyPlanUnarchived>>()
        .fold::<EventCounter<WarrantyPlanCreated>>()
        .execute(|_, _| Ok(emit![]))
        .unwrap();
    let plan = format!("plan_id:{PLAN}");
    assert_eq!(
        store.query(),
        [item(
            &[
                "warranty.plan.created",
                "warranty.plan.archived",
                "warranty.plan.unarchived"
            ],
            &[&plan, "shop_id:42"]
        )]
    );
}

#[test]
fn events_that_several_folds_match_are_read_once_and_in_position_order() {
    given(events![
        plan_created(PLAN, 42),
        connected(43),
        connected(42),
        plan_created(crate::domain::OTHER_PLAN, 42),
    ])
    .when_called(|context| {
        Command::new(plan_input(), context)
            .fold::<ShopExistsFold>()
            .fold::<PlanExistsFold>()
            .fold::<EventFold<WarrantyPlanCreated>>()
            .execute(|_, (shop, plan, plans)| {
                anyhow::ensure!(shop && plan && plans.events.len() == 1);
                Ok(emit![])
            })
    })
    .then_read(events![plan_created(PLAN, 42), connected(42)])
    .then_nothing();
}
