//! Chapter 6: folds.

use umari::prelude::*;
use umari_testing::prelude::*;

use crate::domain::*;
use crate::store::Store;

// The trait.

/// Notes what it is handed, to show when and how often.
#[derive(DomainIds, FromDomainIds)]
struct Trace {
    #[domain_id]
    shop_id: u64,
}

impl Fold for Trace {
    type Events = ShopDomainQuery;
    type State = Vec<u64>;

    fn apply(&self, positions: &mut Vec<u64>, event: StoredEvent<ShopDomainQuery>) {
        positions.push(event.position);
    }
}

#[test]
fn a_fold_is_a_set_of_events_a_state_and_a_function_of_both() {
    type Item<F> = <<F as Fold>::Events as EventSet>::Item;
    fn as_the_trait_says<F: Fold>() -> fn(&F, &mut F::State, StoredEvent<Item<F>>) {
        fn needs<F: DomainIds + 'static, S: Default + 'static>() {}
        needs::<F, F::State>();
        F::apply
    }
    let _apply = as_the_trait_says::<Trace>();
}

#[test]
fn apply_is_called_once_for_each_matching_event_in_position_order() {
    given(events![
        connected(42),
        reconnected(43),
        reconnected(42),
        plan_created(PLAN, 42),
        reconnected(42),
    ])
    .then_state(Trace { shop_id: 42 }, vec![1, 3, 5]);
}

#[test]
fn the_state_begins_as_its_default() {
    given_nothing()
        .then_state(ShopExistsFold { shop_id: 42 }, false)
        .then_state(Trace { shop_id: 42 }, vec![])
        .then_state(ShopDomainFold { shop_id: 42 }, None)
        .then_state(
            WarrantyPlanFold { plan_id: PLAN },
            WarrantyPlanState::default(),
        );
}

// A fold over one type, and one over an enum.

#[test]
fn a_fold_over_a_single_event_sees_only_its_own_shop() {
    given(events![connected(42)])
        .then_state(ShopExistsFold { shop_id: 42 }, true)
        .then_state(ShopExistsFold { shop_id: 43 }, false);
}

#[derive(EventSet)]
pub enum ShopDomainQuery {
    ShopConnected(ShopConnected),
    ShopReconnected(ShopReconnected),
}

#[derive(DomainIds, FromDomainIds)]
pub struct ShopDomainFold {
    #[domain_id]
    pub shop_id: u64,
}

impl Fold for ShopDomainFold {
    type Events = ShopDomainQuery;
    type State = Option<String>;

    fn apply(&self, domain: &mut Option<String>, event: StoredEvent<ShopDomainQuery>) {
        match event.data {
            ShopDomainQuery::ShopConnected(ev) => *domain = Some(ev.shop_domain),
            ShopDomainQuery::ShopReconnected(ev) => *domain = Some(ev.shop_domain),
        }
    }
}

#[test]
fn a_fold_over_an_enum_ends_with_what_came_last() {
    let fold = || ShopDomainFold { shop_id: 42 };
    given(events![connected(42)])
        .then_state(fold(), Some("shop-42.example".to_owned()))
        .and(events![reconnected(42), connected(43)])
        .then_state(fold(), Some("new-42.example".to_owned()));
}

// Built-in folds. The builder goes from step to step; states arrive where it is executed.

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
    #[domain_id]
    plan_id: Uuid,
}

fn input() -> Input {
    Input {
        shop_id: 42,
        plan_id: PLAN,
    }
}

#[test]
fn event_fold_collects_every_occurrence() {
    let (store, _installed) = Store::install();
    let connected_state = || {
        let mut state = None;
        let cmd = Command::new(input(), CommandContext::new());
        let connected = cmd.fold::<EventFold<ShopConnected>>();
        connected
            .execute(|_input, connected| {
                state = Some(connected);
                Ok(emit![])
            })
            .unwrap();
        state.unwrap()
    };
    let state: EventState<ShopConnected> = connected_state();
    assert!(!state.exists());
    store.given(&connected(42));
    store.given(&connected(42));
    let state = connected_state();
    assert!(state.exists());
    let events: Vec<StoredEvent<ShopConnected>> = state.events;
    assert_eq!(events.len(), 2);
}

#[test]
fn latest_event_keeps_the_most_recent_occurrence() {
    let history = given(events![
        plan_updated(PLAN, 42),
        WarrantyPlanUpdated {
            title: "Four years".to_owned(),
            ..plan_updated(PLAN, 42)
        },
        plan_updated(OTHER_PLAN, 42),
    ]);
    let of_plan = LatestEvent::<WarrantyPlanUpdated>::new().with("plan_id", PLAN);
    let latest: Option<StoredEvent<WarrantyPlanUpdated>> = history.fold(of_plan);
    let latest = latest.unwrap();
    assert_eq!((latest.position, &*latest.data.title), (2, "Four years"));
    given_nothing().then_state(LatestEvent::<WarrantyPlanUpdated>::new(), None);
}

#[test]
fn event_counter_counts() {
    let history = given(events![sold(42, 1), sold(42, 2), sold(43, 3)]);
    let sale_count: u64 = history.fold(EventCounter::<WarrantySold>::new().with("shop_id", 42_u64));
    assert_eq!(sale_count, 2);
}

#[test]
fn event_toggle_knows_which_of_two_came_last() {
    type Toggle = EventToggle<WarrantyPlanArchived, WarrantyPlanUnarchived>;
    type Side = ToggleSide<WarrantyPlanArchived, WarrantyPlanUnarchived>;
    let last = |given: &Given| -> Option<Side> {
        let toggle: ToggleState<WarrantyPlanArchived, WarrantyPlanUnarchived> =
            given.fold(Toggle::new());
        toggle.last
    };
    assert!(last(&given_nothing()).is_none());
    let once = given(events![archived()]);
    assert!(matches!(last(&once), Some(ToggleSide::A(event)) if event.position == 1));
    let twice = once.and(events![unarchived()]);
    assert!(matches!(last(&twice), Some(ToggleSide::B(event)) if event.position == 2));
}

// A custom fold.

#[test]
fn a_custom_fold_follows_a_plan_through_its_life() {
    let fold = || WarrantyPlanFold { plan_id: PLAN };
    given(events![
        plan_created(PLAN, 42),
        plan_updated(PLAN, 42),
        archived()
    ])
    .then_state(
        fold(),
        WarrantyPlanState {
            exists: true,
            title: Some("Three years".to_owned()),
            status: PlanStatus::Active,
            archived: true,
        },
    )
    .and(events![unarchived()])
    .then_state(
        fold(),
        WarrantyPlanState {
            exists: true,
            title: Some("Three years".to_owned()),
            status: PlanStatus::Active,
            archived: false,
        },
    );
}

/// Whether the plan exists, by everything that the input binds.
#[derive(DomainIds, FromDomainIds)]
struct UnscopedPlanFold {
    #[domain_id]
    plan_id: Uuid,
}

impl Fold for UnscopedPlanFold {
    type Events = SingleEvent<WarrantyPlanCreated>;
    type State = bool;

    fn apply(&self, exists: &mut bool, _event: StoredEvent<WarrantyPlanCreated>) {
        *exists = true;
    }
}

#[test]
fn without_a_scope_all_bindings_of_the_input_narrow_what_a_fold_sees() {
    // The plan is another shop's.
    given(events![plan_created(PLAN, 7)])
        .when_called(|context| {
            Command::new(input(), context)
                .fold::<WarrantyPlanFold>()
                .fold::<UnscopedPlanFold>()
                .execute(|_input, (scoped, unscoped)| {
                    assert!(scoped.exists, "scoped by the plan alone");
                    assert!(!unscoped, "also by the shop");
                    Ok(emit![])
                })
        })
        .then_nothing();
}

// Registration.

/// A fold with something that is no domain id.
#[derive(DomainIds, FromDomainIds)]
struct CustomFold {
    #[domain_id]
    shop_id: u64,
    wanted: PlanStatus,
}

impl Fold for CustomFold {
    type Events = PlansOfShop;
    type State = u32;

    fn apply(&self, count: &mut u32, event: StoredEvent<PlansOfShop>) {
        let PlansOfShop::WarrantyPlanCreated(plan) = event.data;
        *count += u32::from(plan.status == self.wanted);
    }
}

#[derive(EventSet)]
enum PlansOfShop {
    #[scope(shop_id)]
    WarrantyPlanCreated(WarrantyPlanCreated),
}

#[test]
fn states_come_as_a_tuple_in_the_order_of_registration() {
    given(events![
        connected(42),
        plan_created(PLAN, 42),
        plan_created(OTHER_PLAN, 42)
    ])
    .when_called(|context| {
        Command::new(input(), context)
            .fold::<ShopExistsFold>()
            .fold::<WarrantyPlanFold>()
            .fold_args::<CustomFold>(PlanStatus::Draft)
            .fold_args::<CustomFold>(PlanStatus::Active)
            .fold_with(|input| ShopDomainFold {
                shop_id: input.shop_id,
            })
            .execute(|input, (shop_exists, plan_state, drafts, active, domain)| {
                assert!(shop_exists && plan_state.exists);
                assert_eq!((drafts, active), (2, 0));
                assert_eq!(domain.as_deref(), Some("shop-42.example"));
                assert_eq!(input.shop_id, 42);
                Ok(emit![])
            })
    })
    .then_nothing();
}

#[test]
fn each_fold_extends_the_query() {
    let (store, _installed) = Store::install();
    let items = |command: Command<Input>| {
        command.execute(|_, ()| Ok(emit![])).unwrap();
        store.query().len()
    };
    assert_eq!(items(Command::new(input(), CommandContext::new())), 0);
    Command::new(input(), CommandContext::new())
        .fold::<ShopExistsFold>()
        .execute(|_, _: bool| Ok(emit![]))
        .unwrap();
    assert_eq!(store.query().len(), 1);
    Command::new(input(), CommandContext::new())
        .fold::<ShopExistsFold>()
        .fold::<WarrantyPlanFold>()
        .execute(|_, _: (bool, WarrantyPlanState)| Ok(emit![]))
        .unwrap();
    assert_eq!(store.query().len(), 2);
}

#[test]
fn twelve_folds_fit_into_one_command() {
    given(events![connected(42)])
        .when_called(|context| {
            Command::new(input(), context)
                .fold::<ShopExistsFold>()
                .fold::<ShopExistsFold>()
                .fold::<ShopExistsFold>()
                .fold::<ShopExistsFold>()
                .fold::<ShopExistsFold>()
                .fold::<ShopExistsFold>()
                .fold::<ShopExistsFold>()
                .fold::<ShopExistsFold>()
                .fold::<ShopExistsFold>()
                .fold::<ShopExistsFold>()
                .fold::<ShopExistsFold>()
                .fold::<EventCounter<ShopConnected>>()
                .execute(|_, (a, b, c, d, e, f, g, h, i, j, k, count)| {
                    assert!(
                        [a, b, c, d, e, f, g, h, i, j, k]
                            .iter()
                            .all(|exists| *exists)
                    );
                    assert_eq!(count, 1);
                    Ok(emit![])
                })
        })
        .then_nothing();
}

// Idempotency and shredding.

#[test]
fn a_key_that_an_event_in_scope_carries_ends_the_command_before_its_closure() {
    let key = Uuid::from_u128(9);
    let reconnect = |input: Input, context: CommandContext| {
        Command::new(input, context)
            .fold::<ShopDomainFold>()
            .execute(|input, domain| {
                assert_eq!(domain, None, "the closure runs on the first call alone");
                Ok(emit![connected(input.shop_id)])
            })
    };
    let first = given_nothing().when_with(reconnect, input(), move |context| {
        context.with_idempotency_key(key)
    });
    first.then(events![connected(42)]);
    let again = first.when_again();
    again.then_nothing();
    assert!(again.receipt().events.is_empty());
}

#[test]
fn a_shredded_event_never_reaches_apply() {
    given(events![connected(42), plan_created(PLAN, 42)])
        .shredded("shop_id", 42)
        .then_state(Trace { shop_id: 42 }, vec![])
        .then_state(ShopExistsFold { shop_id: 42 }, false)
        .then_state(EventCounter::<WarrantyPlanCreated>::new(), 1);
}

// Standalone queries.

mod standalone {
    use umari::prelude::FoldQuery;

    use super::{AlreadyRegisteredFold, Uuid};

    pub(super) fn topics_registered(
        shop_id: u64,
        topics: &[&str],
        event_id: Uuid,
    ) -> anyhow::Result<Vec<bool>> {
        let topics_registered = FoldQuery::new()
            .fold_iter(topics.iter().map(|topic| AlreadyRegisteredFold {
                shop_id,
                topic: topic.to_string(),
                current_event_id: event_id,
            }))
            .run()?;
        Ok(topics_registered)
    }
}

#[test]
fn fold_iter_asks_for_every_element_in_one_transaction() {
    let (store, _installed) = Store::install();
    let trigger = Uuid::from_u128(1);
    store.given(&registered(42, "orders/cancelled"));
    store.given(&registered(43, "orders/paid"));
    for event in &mut *store.log.borrow_mut() {
        event.triggering_event_id = Some(trigger);
    }
    let topics = ["orders/paid", "orders/cancelled"];
    let states = standalone::topics_registered(42, &topics, trigger).unwrap();
    assert_eq!(states, [false, true]);
    assert_eq!(store.opened.borrow().len(), 1);
    assert_eq!(store.query().len(), 2, "one item for each topic");
    let other = standalone::topics_registered(42, &topics, Uuid::from_u128(2)).unwrap();
    assert_eq!(other, [false, false]);
}

#[test]
fn a_query_reads_as_a_command_does_and_returns_one_state_or_a_tuple() {
    let (store, _installed) = Store::install();
    store.given(&connected(42));
    store.given(&connected(43));
    let exists: bool = FoldQuery::new()
        .fold(ShopExistsFold { shop_id: 42 })
        .run()
        .unwrap();
    let both: (bool, Option<String>) = FoldQuery::new()
        .fold(ShopExistsFold { shop_id: 42 })
        .fold(ShopDomainFold { shop_id: 43 })
        .run()
        .unwrap();
    assert!(exists);
    assert_eq!(both, (true, Some("shop-43.example".to_owned())));
    assert_eq!(store.log.borrow().len(), 2, "a query writes nothing");
}
