//! Chapter 7: how a command decides, and for whom.

use umari::prelude::*;
use umari_testing::prelude::*;

use crate::domain::*;
use crate::store::Store;
use crate::support::stored;

// Anatomy.

pub mod create_warranty_plan {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use umari::prelude::*;
    use validator::Validate;

    use crate::domain::*;

    #[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
    pub struct Input {
        #[domain_id]
        pub shop_id: u64,
        #[domain_id]
        pub plan_id: Uuid,
        #[validate(length(min = 1, max = 200))]
        pub title: String,
        #[validate(range(min = 1, max = 120))]
        pub duration_months: u32,
        pub price: Decimal,
        pub applicable_to: ProductApplicability,
    }

    #[export_command]
    pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        // What the input alone can say.
        input.validate()?;

        // What the decision depends on.
        Command::new(input, context)
            .fold::<ShopExistsFold>()
            .fold::<WarrantyPlanFold>()
            .execute(|input, (shop_exists, plan_state)| {
                // What history has to allow.
                anyhow::ensure!(shop_exists, "shop does not exist");
                anyhow::ensure!(!plan_state.exists, "plan already exists with this ID");
                anyhow::ensure!(
                    !plan_state.archived,
                    "a plan with this ID was previously archived"
                );

                // What happened.
                Ok(emit![WarrantyPlanCreated {
                    plan_id: input.plan_id,
                    shop_id: input.shop_id,
                    title: input.title,
                    duration_months: input.duration_months,
                    price: input.price,
                    applicable_to: input.applicable_to,
                    status: PlanStatus::Draft,
                }])
            })
    }
}

pub fn plan_input() -> create_warranty_plan::Input {
    let WarrantyPlanCreated {
        plan_id,
        shop_id,
        title,
        duration_months,
        price,
        applicable_to,
        ..
    } = plan_created(PLAN, 42);
    create_warranty_plan::Input {
        shop_id,
        plan_id,
        title,
        duration_months,
        price,
        applicable_to,
    }
}

#[test]
fn a_command_whose_rules_hold_emits_its_event() {
    given(events![connected(42)])
        .when(create_warranty_plan::execute, plan_input())
        .then(events![plan_created(PLAN, 42)])
        .then_read(events![connected(42)]);
}

#[test]
fn a_broken_rule_rejects_with_its_message_and_writes_nothing() {
    given_nothing()
        .when(create_warranty_plan::execute, plan_input())
        .then_rejected("shop does not exist")
        .then_state(EventCounter::<WarrantyPlanCreated>::new(), 0);
    given(events![connected(42), plan_created(PLAN, 42)])
        .when(create_warranty_plan::execute, plan_input())
        .then_rejected("plan already exists with this ID");
    given(events![connected(42), archived()])
        .when(create_warranty_plan::execute, plan_input())
        .then_rejected("a plan with this ID was previously archived");
}

#[test]
fn two_calls_that_read_what_the_other_writes_cannot_both_commit() {
    let execute = create_warranty_plan::execute;
    given(events![connected(42)])
        .when_racing([(execute, plan_input()), (execute, plan_input())])
        .then_conflict();
    let other = create_warranty_plan::Input {
        plan_id: OTHER_PLAN,
        ..plan_input()
    };
    given(events![connected(42)])
        .when_racing([(execute, plan_input()), (execute, other)])
        .then_all_commit();
}

#[test]
fn an_input_with_json_schema_has_a_schema_of_every_field() {
    let schema = serde_json::to_value(schemars::schema_for!(create_warranty_plan::Input)).unwrap();
    let properties = schema["properties"].as_object().unwrap();
    let mut fields: Vec<_> = properties.keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "applicable_to",
            "duration_months",
            "plan_id",
            "price",
            "shop_id",
            "title"
        ]
    );
}

// The builder.

#[derive(Clone, DomainIds, Serialize, Deserialize)]
pub struct ShopInput {
    #[domain_id]
    pub shop_id: u64,
}

pub const SHOP: ShopInput = ShopInput { shop_id: 42 };

/// Counts the reconnections with one of some tokens.
#[derive(DomainIds, FromDomainIds)]
struct TokenFold {
    #[domain_id]
    shop_id: u64,
    token: &'static str,
}

impl Fold for TokenFold {
    type Events = SingleEvent<ShopReconnected>;
    type State = u32;

    fn apply(&self, count: &mut u32, event: StoredEvent<ShopReconnected>) {
        *count += u32::from(event.data.access_token == self.token);
    }
}

#[test]
fn fold_builds_from_the_bindings_of_the_input() {
    given(events![connected(42)])
        .when_called(|context| {
            Command::new(SHOP, context)
                .fold::<ShopExistsFold>()
                .execute(|_input, exists| {
                    assert!(exists);
                    Ok(emit![])
                })
        })
        .then_nothing();
}

#[test]
fn fold_args_passes_what_is_no_domain_id() {
    let by_hand = TokenFold::from_domain_ids("token-2", &SHOP.domain_ids()).unwrap();
    assert_eq!((by_hand.shop_id, by_hand.token), (42, "token-2"));
    given(events![reconnected(42), reconnected(43)])
        .when_called(|context| {
            Command::new(SHOP, context)
                .fold_args::<TokenFold>("token-2")
                .fold_args::<TokenFold>("token-9")
                .execute(|_input, counts| {
                    assert_eq!(counts, (1, 0));
                    Ok(emit![])
                })
        })
        .then_nothing();
}

#[test]
fn fold_with_builds_from_the_raw_input_and_reads_by_the_fold_itself() {
    given(events![connected(43)])
        .when_called(|context| {
            Command::new(SHOP, context)
                .fold_with(|input| ShopExistsFold {
                    shop_id: input.shop_id + 1,
                })
                .execute(|input, next_exists| {
                    assert_eq!(input.shop_id, 42);
                    assert!(next_exists);
                    Ok(emit![])
                })
        })
        .then_nothing();
}

#[test]
fn the_closure_gets_the_input_by_value() {
    /// Cannot be copied or cloned, so it can only be moved.
    #[derive(DomainIds)]
    struct Moved {
        #[domain_id]
        topic: String,
    }
    given_nothing()
        .when_called(|context| {
            let input = Moved {
                topic: "orders/paid".to_owned(),
            };
            Command::new(input, context)
                .fold::<EventCounter<WebhookReceived>>()
                .execute(|input, _received| {
                    Ok(emit![WebhookReceived {
                        topic: input.topic,
                        body: "{}".to_owned(),
                    }])
                })
        })
        .then(events![webhook("orders/paid")]);
}

// Emitting.

#[test]
fn emit_lists_no_event_one_or_many_of_any_types() {
    assert!(emit![].is_empty());
    assert_eq!(emit![connected(42)].len(), 1);
    assert_eq!(emit![connected(42), plan_created(PLAN, 42)].len(), 2);
}

#[test]
fn an_emit_can_be_built_by_hand() {
    let outcome = |emit: fn() -> Emit| {
        given_nothing()
            .without(check::SELF_RACE, "there is no fold to look at")
            .when_called(move |context| Command::new(SHOP, context).execute(|_, ()| Ok(emit())))
            .then(events![connected(42), reconnected(42)])
            .emitted()
    };
    let by_macro = outcome(|| emit![connected(42), reconnected(42)]);
    let by_hand = outcome(|| Emit::new().event(connected(42)).event(reconnected(42)));
    assert_eq!(by_macro, by_hand);
}

#[test]
fn events_are_stored_with_their_payload_and_their_domain_ids() {
    let outcome = given(events![connected(42)]).when(create_warranty_plan::execute, plan_input());
    let plans = stored::<WarrantyPlanCreated>(&outcome);
    assert_eq!(plans[0].data, plan_created(PLAN, 42));
    outcome.then_tags([format!("plan_id:{PLAN}").as_str(), "shop_id:42"]);
}

// Idempotency.

#[test]
fn a_repeated_key_ends_the_command_before_its_closure_and_emits_nothing() {
    use std::cell::Cell;
    use std::rc::Rc;

    let request_id = Uuid::from_u128(7);
    let calls = Rc::new(Cell::new(0));
    let counted = Rc::clone(&calls);
    let reconnect = move |input: ShopInput, context: CommandContext| {
        let calls = Rc::clone(&counted);
        Command::new(input, context)
            .fold::<EventCounter<ShopReconnected>>()
            .execute(move |input, _count| {
                calls.set(calls.get() + 1);
                Ok(emit![reconnected(input.shop_id)])
            })
    };
    let (store, _installed) = Store::install();
    let context = || {
        let context = CommandContext::new();
        context.with_idempotency_key(Some(request_id))
    };
    assert_eq!(reconnect(SHOP, context()).unwrap().events.len(), 1);
    assert_eq!(calls.get(), 1);
    let again = reconnect(SHOP, context()).unwrap();
    assert_eq!(calls.get(), 1, "the closure was not called");
    assert!(again.events.is_empty());
    assert_eq!(store.types(), ["shop.reconnected"]);
    assert_eq!(store.log.borrow()[0].idempotency_key, Some(request_id));
    // Another key is another request.
    let other = CommandContext::new().with_idempotency_key(Uuid::from_u128(8));
    assert_eq!(reconnect(SHOP, other).unwrap().events.len(), 1);
}

#[test]
fn a_key_counts_in_the_scope_of_the_folds_and_not_beyond() {
    let key = |context: CommandContext| context.with_idempotency_key(Uuid::from_u128(7));
    let write = |input: ShopInput, context: CommandContext| {
        Command::new(input, context)
            .fold::<EventFold<ShopConnected>>()
            .execute(|input, _connected| Ok(emit![connected(input.shop_id)]))
    };
    // Inputs of another type make these other commands.
    #[derive(DomainIds, Serialize, Deserialize)]
    struct Reading {
        #[domain_id]
        shop_id: u64,
    }
    let in_scope = |input: Reading, context: CommandContext| {
        Command::new(input, context)
            .fold::<ShopExistsFold>()
            .execute(|input, _exists| Ok(emit![reconnected(input.shop_id)]))
    };
    let out_of_scope = |input: Reading, context: CommandContext| {
        Command::new(input, context)
            .fold::<EventCounter<ShopReconnected>>()
            .execute(|input, _count| Ok(emit![reconnected(input.shop_id)]))
    };
    let written = given_nothing().when_with(write, SHOP, key);
    written.then(events![connected(42)]);
    written
        .when_with(in_scope, Reading { shop_id: 42 }, key)
        .then_nothing();
    written
        .when_with(out_of_scope, Reading { shop_id: 42 }, key)
        .then(events![reconnected(42)]);
}

#[test]
fn without_a_key_every_call_decides_again() {
    let reconnect = |input: ShopInput, context: CommandContext| {
        Command::new(input, context)
            .fold::<EventCounter<ShopReconnected>>()
            .execute(|input, _count| Ok(emit![reconnected(input.shop_id)]))
    };
    given_nothing()
        .when(reconnect, SHOP)
        .then(events![reconnected(42)])
        .when(reconnect, SHOP)
        .then(events![reconnected(42)]);
}

#[test]
fn a_closure_can_call_a_repetition_nothing_new() {
    fn create(
        input: create_warranty_plan::Input,
        context: CommandContext,
    ) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<WarrantyPlanFold>()
            .execute(|input, plan_state| {
                if plan_state.exists && plan_state.title.as_deref() == Some(&input.title) {
                    return Ok(emit![]);
                }
                Ok(emit![plan_created(input.plan_id, input.shop_id)])
            })
    }
    given(events![connected(42)])
        .when(create, plan_input())
        .then(events![plan_created(PLAN, 42)])
        .when(create, plan_input())
        .then_nothing();
}

// The context.

#[test]
fn a_context_has_three_ids_and_a_key() {
    let (_store, _installed) = Store::install();
    let context = CommandContext::new();
    let _correlation_id: Uuid = context.correlation_id;
    let _causation_id: Uuid = context.causation_id;
    let _triggering_event_id: Option<Uuid> = context.triggering_event_id;
    let idempotency_key: Option<Uuid> = context.idempotency_key;
    assert_eq!(idempotency_key, None);
}

#[test]
fn at_an_entry_point_both_ids_are_fresh_and_nothing_triggered_the_call() {
    let (_store, _installed) = Store::install();
    let (one, two) = (CommandContext::new(), CommandContext::new());
    assert_ne!(one.correlation_id, two.correlation_id);
    assert_ne!(one.causation_id, two.causation_id);
    assert_ne!(one.correlation_id, one.causation_id);
    assert_eq!(one.triggering_event_id, None);
}

#[test]
fn inside_an_effect_the_context_inherits_the_current_event() {
    let (store, _installed) = Store::install();
    let event = store.given(&connected(42));
    let (one, two) = {
        let _current = umari::effect::enter_event(&event);
        (CommandContext::new(), CommandContext::new())
    };
    assert_eq!(one.correlation_id, event.correlation_id);
    assert_eq!(two.correlation_id, event.correlation_id);
    assert_eq!(one.triggering_event_id, Some(event.id));
    assert_ne!(one.causation_id, two.causation_id);
    let after = CommandContext::new();
    assert_eq!(after.triggering_event_id, None, "the event is over");
    assert_ne!(after.correlation_id, event.correlation_id);
}

#[test]
fn each_field_can_be_overridden() {
    let (_store, _installed) = Store::install();
    let id = Uuid::from_u128(5);
    let key = Some(Uuid::from_u128(6));
    let context = CommandContext::new()
        .with_correlation_id(id)
        .with_triggering_event_id(id)
        .with_idempotency_key(key);
    assert_eq!(context.correlation_id, id);
    assert_eq!(context.triggering_event_id, Some(id));
    assert_eq!(context.idempotency_key, key);
}
