//! The steps around a command, where they hold.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::shop::*;

#[test]
fn emits_exactly_these_events() {
    given(events![connected(42)])
        .when(create_plan::execute, create_plan::input(1))
        .then(events![plan(1)])
        .then_contains(plan(1))
        .then_event::<PlanCreated>(|plan| plan.title == "Gold")
        .then_count::<PlanCreated>(1)
        .then_tags(["plan_id:1", "shop_id:42"])
        .then_read(events![connected(42)]);
}

#[test]
fn a_story_goes_on_after_then() {
    given_nothing()
        .when(
            connect_shop::execute,
            connect_shop::Input {
                shop_id: 42,
                name: "a".to_owned(),
            },
        )
        .then(events![ShopConnected {
            shop_id: 42,
            name: "a".to_owned()
        }])
        .when(
            connect_shop::execute,
            connect_shop::Input {
                shop_id: 42,
                name: "b".to_owned(),
            },
        )
        .then(events![ShopReconnected {
            shop_id: 42,
            name: "b".to_owned()
        }])
        .when(create_plan::execute, create_plan::input(1))
        .then(events![plan(1)])
        .when(sell_warranty::execute, sell_warranty::input(7))
        .then(events![sold(7)])
        .then_state(
            PlanFold { plan_id: 1 },
            PlanState {
                title: Some("Gold".into()),
                archived: false,
            },
        );
}

#[test]
fn one_history_serves_many_cases() {
    let shop = given(events![connected(42), plan(1), PlanArchived { plan_id: 2 }]);
    for (plan_id, refusal) in [(1, Some("plan already exists")), (3, None)] {
        let outcome = shop.when(create_plan::execute, create_plan::input(plan_id));
        match refusal {
            Some(text) => outcome.then_rejected(text),
            None => outcome.then(events![plan(plan_id)]),
        };
    }
}

#[test]
fn rejections_by_text_and_by_type() {
    given_nothing()
        .when(create_plan::execute, create_plan::input(1))
        .then_rejected("shop does not exist");
    given(events![plan(1), PlanArchived { plan_id: 1 }])
        .when(sell_warranty::execute, sell_warranty::input(7))
        .then_rejected("archived")
        .then_rejected_with::<SaleError>(|error| *error == SaleError::Archived);
}

#[test]
fn invalid_input_names_the_field() {
    let shop = given(events![connected(42)]);
    shop.when(
        create_plan::execute,
        create_plan::Input {
            months: 0,
            ..create_plan::input(1)
        },
    )
    .then_invalid("months");
    shop.when_json(
        create_plan::execute,
        r#"{"plan_id": 1, "shop_id": 42, "title": "Gold"}"#,
    )
    .then_invalid("months");
    shop.when_json(
        create_plan::execute,
        json!({ "plan_id": "one", "shop_id": 42, "title": "Gold", "months": 24 }),
    )
    .then_invalid("plan_id");
}

#[test]
fn json_goes_through_the_decoder_of_the_wire() {
    given(events![connected(42)])
        .when_json(
            create_plan::execute,
            json!({ "plan_id": 1, "shop_id": 42, "title": "Gold", "months": 24 }),
        )
        .then(events![plan(1)]);
}

#[test]
fn a_key_makes_the_second_call_do_nothing() {
    let key = Uuid::from_u128(7);
    let first = given(events![connected(42)]).when_with(
        connect_shop::execute,
        connect_shop::Input {
            shop_id: 42,
            name: "again".to_owned(),
        },
        |context| context.with_idempotency_key(key),
    );
    first.then_count::<ShopReconnected>(1);
    let second = first.when_again().then_nothing();
    assert_eq!(second.receipt().position, Some(2));
    // Without a key the same call is another fact.
    given(events![connected(42)])
        .when(
            connect_shop::execute,
            connect_shop::Input {
                shop_id: 42,
                name: "x".to_owned(),
            },
        )
        .when_again()
        .then_count::<ShopReconnected>(1);
}

#[test]
fn a_key_is_found_in_scope_and_by_command() {
    let key = Uuid::from_u128(7);
    let with_key = |context: CommandContext| context.with_idempotency_key(key);
    let shop = given(events![connected(42), plan(1)]);
    let sold_once = shop.when_with(sell_warranty::execute, sell_warranty::input(7), with_key);
    // The same command, another boundary.
    sold_once
        .then(events![sold(7)])
        .when_with(sell_warranty::execute, sell_warranty::input(8), with_key)
        .then_nothing();
    // Another command, which reads none of these events.
    sold_once
        .when_with(create_plan::execute, create_plan::input(9), with_key)
        .then(events![plan(9)]);
}

#[test]
fn an_input_without_serde_is_called_by_a_closure() {
    given(events![connected(42)])
        .when_called(|context| {
            record_registration(
                Registration {
                    shop_id: 42,
                    topic: "paid".to_owned(),
                },
                context,
            )
        })
        .then(events![WebhookRegistered {
            shop_id: 42,
            topic: "paid".to_owned()
        }])
        .when_again()
        .then_nothing();
}

#[test]
fn history_made_by_commands() {
    given_nothing()
        .given_command(
            connect_shop::execute,
            connect_shop::Input {
                shop_id: 42,
                name: "shop 42".to_owned(),
            },
        )
        .given_command(create_plan::execute, create_plan::input(1))
        .when(sell_warranty::execute, sell_warranty::input(7))
        .then(events![sold(7)]);
}

#[test]
fn receipts_and_envelopes() {
    let outcome = given(events![connected(42)])
        .after(Duration::from_secs(60))
        .when(create_plan::execute, create_plan::input(1));
    let receipt = outcome.receipt();
    assert_eq!(receipt.position, Some(2));
    assert!(receipt.has_event::<PlanCreated>());
    let emitted = outcome.emitted();
    assert_eq!(emitted[0].id, receipt.events[0].id);
    assert_eq!(
        emitted[0].id.to_string(),
        "e0000000-0000-0000-0000-000000000002"
    );
    assert_eq!(
        emitted[0].timestamp.to_rfc3339(),
        "2026-01-01T00:01:00+00:00"
    );
    assert_eq!(emitted[0].schema_version, 1);
    assert_eq!(emitted[0].triggering_event_id, None);
}

#[test]
fn a_bare_conflict_is_seen_as_one() {
    given_nothing()
        .when_called(|_| -> anyhow::Result<ExecuteOutput> {
            Err(umari::host::TransactionError::Conflict("somebody was faster".to_owned()).into())
        })
        .then_conflict();
}
