//! Chapter 12: the folds of the prelude, and folds of one's own.

use umari::prelude::*;
use umari_testing::prelude::*;

use crate::domain::*;

#[derive(Clone, DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
    #[domain_id]
    plan_id: Uuid,
}

const INPUT: Input = Input {
    shop_id: 42,
    plan_id: PLAN,
};

#[test]
fn each_fold_has_its_state() {
    fn state<F: Fold<State = S>, S>() {}
    state::<EventFold<ShopConnected>, EventState<ShopConnected>>();
    state::<LatestEvent<ShopConnected>, Option<StoredEvent<ShopConnected>>>();
    state::<EventCounter<ShopConnected>, u64>();
    state::<
        EventToggle<WarrantyPlanArchived, WarrantyPlanUnarchived>,
        ToggleState<WarrantyPlanArchived, WarrantyPlanUnarchived>,
    >();
    fn set<S: EventSet<Item = E> + ?Sized, E>() {}
    set::<SingleEvent<ShopConnected>, ShopConnected>();
}

// EventFold.

#[test]
fn event_fold_keeps_the_whole_history_in_order() {
    fn look(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<EventFold<ShopConnected>>()
            .execute(|input, connected| {
                if connected.exists() {
                    let first = &connected.events[0];
                    assert_eq!((first.position, first.data.shop_id), (2, input.shop_id));
                    assert_eq!(connected.events.len(), 2);
                    return Ok(emit![reconnected(input.shop_id)]);
                }
                Ok(emit![])
            })
    }
    given_nothing().when(look, INPUT).then_nothing();
    given(events![connected(43), connected(42), connected(42)])
        .when(look, INPUT)
        .then(events![reconnected(42)]);
}

#[test]
fn an_event_state_exists_once_it_has_an_event() {
    let none = EventState::<ShopConnected>::default();
    assert!(!none.exists());
    let history = given(events![connected(42)]);
    let state = history.fold(EventFold::<ShopConnected>::new());
    let events: &Vec<StoredEvent<ShopConnected>> = &state.events;
    let exists: bool = state.exists();
    assert!(exists && events.len() == 1);
}

// LatestEvent.

#[test]
fn latest_event_is_replaced_by_each_new_one() {
    fn look(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<LatestEvent<WarrantyPlanUpdated>>()
            .execute(|input, latest| {
                if let Some(event) = latest {
                    return Ok(emit![WarrantyPlanUpdated {
                        duration_months: event.data.duration_months + 12,
                        ..plan_updated(input.plan_id, input.shop_id)
                    }]);
                }
                Ok(emit![])
            })
    }
    let lasting = |duration_months| WarrantyPlanUpdated {
        duration_months,
        ..plan_updated(PLAN, 42)
    };
    given_nothing().when(look, INPUT).then_nothing();
    given(events![lasting(36)])
        .when(look, INPUT)
        .then(events![lasting(48)])
        .when(look, INPUT)
        .then(events![lasting(60)]);
}

// EventCounter.

const MAX_WARRANTIES: u64 = 3;

#[derive(DomainIds, Serialize, Deserialize)]
struct SellInput {
    #[domain_id]
    shop_id: u64,
    line_item_id: u64,
}

fn sell(input: SellInput, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventCounter<WarrantySold>>()
        .execute(|input, sale_count| {
            anyhow::ensure!(
                sale_count < MAX_WARRANTIES,
                "shop has reached the maximum number of warranties"
            );
            Ok(emit![sold(input.shop_id, input.line_item_id)])
        })
}

#[test]
fn event_counter_counts_up_to_a_limit_of_the_command() {
    let next = |line_item_id| SellInput {
        shop_id: 42,
        line_item_id,
    };
    given(events![sold(42, 1), sold(43, 9), sold(42, 2)])
        .when(sell, next(3))
        .then(events![sold(42, 3)])
        .when(sell, next(4))
        .then_rejected("shop has reached the maximum number of warranties");
}

// EventToggle.

fn toggle(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventToggle<WarrantyPlanArchived, WarrantyPlanUnarchived>>()
        .execute(|_input, toggle| {
            if toggle.is_a() {
                // archived
                Ok(emit![unarchived()])
            } else if toggle.is_b() {
                // no longer archived
                Ok(emit![archived()])
            } else {
                // never archived
                Ok(emit![])
            }
        })
}

#[test]
fn event_toggle_says_which_side_came_last_if_any() {
    given_nothing().when(toggle, INPUT).then_nothing();
    given(events![archived()])
        .when(toggle, INPUT)
        .then(events![unarchived()])
        .when(toggle, INPUT)
        .then(events![archived()]);
}

#[test]
fn a_toggle_gives_the_event_of_the_side_that_came_last() {
    type Toggle = EventToggle<WarrantyPlanArchived, WarrantyPlanUnarchived>;
    let nothing = given_nothing().fold(Toggle::new());
    assert!(nothing.last.is_none());
    assert!(!nothing.is_a() && !nothing.is_b());
    assert!(nothing.as_a().is_none() && nothing.as_b().is_none());

    let side_a = given(events![archived()]).fold(Toggle::new());
    assert!(matches!(side_a.last, Some(ToggleSide::A(_))));
    assert!(side_a.is_a() && !side_a.is_b());
    let event: Option<&StoredEvent<WarrantyPlanArchived>> = side_a.as_a();
    assert_eq!(event.map(|event| event.position), Some(1));
    assert!(side_a.as_b().is_none());

    let side_b = given(events![archived(), unarchived()]).fold(Toggle::new());
    assert!(matches!(side_b.last, Some(ToggleSide::B(_))));
    assert!(side_b.is_b() && !side_b.is_a());
    let event: Option<&StoredEvent<WarrantyPlanUnarchived>> = side_b.as_b();
    assert_eq!(event.map(|event| event.position), Some(2));
    assert!(side_b.as_a().is_none());
}

#[test]
fn both_events_of_a_toggle_have_the_same_domain_ids() {
    assert_eq!(
        WarrantyPlanArchived::DOMAIN_ID_FIELDS,
        WarrantyPlanUnarchived::DOMAIN_ID_FIELDS
    );
    type Toggle = EventToggle<WarrantyPlanArchived, WarrantyPlanUnarchived>;
    assert_eq!(
        Toggle::DOMAIN_ID_FIELDS,
        WarrantyPlanArchived::DOMAIN_ID_FIELDS
    );
    // Both sides are selected by what is bound.
    let other = WarrantyPlanUnarchived {
        plan_id: OTHER_PLAN,
        shop_id: 42,
    };
    given(events![archived(), other])
        .when(toggle, INPUT)
        .then(events![unarchived()])
        .then_read(events![archived()]);
}

// SingleEvent.

#[test]
fn a_single_event_is_the_set_of_a_fold_over_one_type() {
    given(events![connected(42), reconnected(43)])
        .then_state(ShopExistsFold { shop_id: 42 }, true)
        .then_state(ShopExistsFold { shop_id: 43 }, false);
}

// A fold of one's own.

#[derive(Event, DomainIds, Serialize, Deserialize)]
pub struct EventA {
    #[domain_id]
    pub shop_id: u64,
    #[domain_id]
    pub plan_id: Uuid,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
pub struct EventB {
    #[domain_id]
    pub shop_id: u64,
    #[domain_id]
    pub plan_id: Uuid,
    pub some_field: String,
}

#[derive(DomainIds, FromDomainIds)]
pub struct MyFold {
    #[domain_id]
    pub shop_id: u64,
    #[from_domain_id(default)]
    pub custom_field: String,
}

#[expect(dead_code, reason = "of one of them it is enough that it happened")]
#[derive(EventSet)]
pub enum MyFoldEvents {
    #[scope(shop_id)]
    EventA(EventA),
    EventB(EventB),
}

#[derive(Debug, Default, PartialEq)]
pub struct MyState {
    pub a_count: u64,
    pub b_count: u64,
    pub latest_value: Option<String>,
}

impl Fold for MyFold {
    type Events = MyFoldEvents;
    type State = MyState;

    fn apply(&self, state: &mut MyState, event: StoredEvent<MyFoldEvents>) {
        match event.data {
            MyFoldEvents::EventA(_) => state.a_count += 1,
            MyFoldEvents::EventB(ev) => {
                state.b_count += 1;
                state.latest_value = Some(ev.some_field);
            }
        }
    }
}

fn event_a(shop_id: u64, plan_id: Uuid) -> EventA {
    EventA { shop_id, plan_id }
}

fn event_b(shop_id: u64, plan_id: Uuid, some_field: &str) -> EventB {
    EventB {
        shop_id,
        plan_id,
        some_field: some_field.to_owned(),
    }
}

#[test]
fn a_fold_of_ones_own_mixes_scoped_and_unscoped_events() {
    given(events![
        event_a(42, PLAN),
        event_a(42, OTHER_PLAN),
        event_b(42, PLAN, "first"),
        event_b(42, OTHER_PLAN, "of another plan"),
        event_b(42, PLAN, "second"),
        event_a(43, PLAN),
    ])
    .when_called(|context| {
        Command::new(INPUT, context)
            .fold::<MyFold>()
            .execute(|_input, state| {
                let expected = MyState {
                    a_count: 2, // of the shop
                    b_count: 2, // of the shop and the plan
                    latest_value: Some("second".to_owned()),
                };
                assert_eq!(state, expected);
                Ok(emit![])
            })
    })
    .then_nothing();
}

#[test]
fn a_field_with_a_default_is_never_bound() {
    #[derive(DomainIds)]
    struct Tempting {
        #[domain_id]
        shop_id: u64,
        #[domain_id]
        custom_field: String,
    }
    let input = Tempting {
        shop_id: 42,
        custom_field: "bound".to_owned(),
    };
    let fold = MyFold::from_domain_ids((), &input.domain_ids()).unwrap();
    assert_eq!((fold.shop_id, &*fold.custom_field), (42, ""));
    assert_eq!(MyFold::DOMAIN_ID_FIELDS, ["shop_id"]);
}

// More than twelve.

/// Two folds as one: the state of each has a place in the state of both.
#[derive(DomainIds, FromDomainIds)]
struct ShopAndPlan {
    #[domain_id]
    shop_id: u64,
    #[domain_id]
    plan_id: Uuid,
}

#[derive(Default)]
struct ShopAndPlanState {
    shop: bool,
    plan: WarrantyPlanState,
}

#[derive(EventSet)]
enum ShopAndPlanEvents {
    #[scope(shop_id)]
    ShopConnected(ShopConnected),
    #[scope(plan_id)]
    WarrantyPlanCreated(WarrantyPlanCreated),
}

impl Fold for ShopAndPlan {
    type Events = ShopAndPlanEvents;
    type State = ShopAndPlanState;

    fn apply(&self, state: &mut ShopAndPlanState, event: StoredEvent<ShopAndPlanEvents>) {
        match event.data {
            ShopAndPlanEvents::ShopConnected(shop) => state.shop = shop.shop_id == self.shop_id,
            ShopAndPlanEvents::WarrantyPlanCreated(plan) => {
                state.plan.exists = plan.plan_id == self.plan_id;
            }
        }
    }
}

#[test]
fn folds_can_be_composed_into_one() {
    given(events![connected(42), plan_created(PLAN, 42)])
        .when_called(|context| {
            Command::new(INPUT, context)
                .fold::<ShopAndPlan>()
                .execute(|_input, state| {
                    assert!(state.shop && state.plan.exists);
                    Ok(emit![])
                })
        })
        .then_nothing();
}
