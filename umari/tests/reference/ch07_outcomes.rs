//! Chapter 7: private commands, validation, and what a caller gets back.

use indexmap::IndexMap;
use umari::prelude::*;
use umari_testing::prelude::*;

use crate::ch07_commands::{SHOP, ShopInput, create_warranty_plan, plan_input};
use crate::domain::*;
use crate::store::Store;

// Private commands.

mod private {
    use umari::prelude::*;

    use crate::domain::{ShopExistsFold, ShopWebhookRegistrationCompleted};

    #[derive(DomainIds)]
    pub struct RecordWebhookRegistrationCompletedInput {
        #[domain_id]
        pub shop_id: u64,
        #[domain_id]
        pub topic: String,
    }

    pub fn record_webhook_registration_completed(
        input: RecordWebhookRegistrationCompletedInput,
        context: CommandContext,
    ) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<ShopExistsFold>()
            .execute(|input, shop_exists| {
                anyhow::ensure!(shop_exists, "shop does not exist");
                Ok(emit![ShopWebhookRegistrationCompleted {
                    shop_id: input.shop_id,
                    topic: input.topic,
                }])
            })
    }
}

#[test]
fn a_private_command_is_a_plain_function_on_the_same_builder() {
    let record = |context: CommandContext| {
        let input = private::RecordWebhookRegistrationCompletedInput {
            shop_id: 42,
            topic: "orders/paid".to_owned(),
        };
        private::record_webhook_registration_completed(input, context)
    };
    given(events![connected(42)])
        .without(
            check::SELF_RACE,
            "a registration may be recorded twice: nothing depends on how often",
        )
        .when_called(record)
        .then(events![registered(42, "orders/paid")]);
    given_nothing()
        .when_called(record)
        .then_rejected("shop does not exist");
}

// Validation.

#[test]
fn each_broken_rule_is_reported_at_its_field() {
    let history = given(events![connected(42)]);
    let invalid = |change: fn(&mut create_warranty_plan::Input), field: &str| {
        let mut input = plan_input();
        change(&mut input);
        history
            .when(create_warranty_plan::execute, input)
            .then_invalid(field);
    };
    invalid(|input| input.title = String::new(), "title");
    invalid(|input| input.title = "x".repeat(201), "title");
    invalid(|input| input.duration_months = 0, "duration_months");
    invalid(|input| input.duration_months = 121, "duration_months");
}

#[test]
fn the_limits_of_a_rule_are_valid() {
    let history = given(events![connected(42)]);
    for (length, months) in [(1, 1), (200, 120)] {
        let input = create_warranty_plan::Input {
            title: "x".repeat(length),
            duration_months: months,
            ..plan_input()
        };
        history
            .when(create_warranty_plan::execute, input)
            .then_count::<WarrantyPlanCreated>(1);
    }
}

mod custom_validation {
    use serde::{Deserialize, Serialize};
    use umari::prelude::*;
    use uuid::Uuid;
    use validator::Validate;

    fn non_nil_uuid(value: &Uuid) -> Result<(), validator::ValidationError> {
        if value.is_nil() {
            return Err(
                validator::ValidationError::new("uuid").with_message("must not be nil".into())
            );
        }
        Ok(())
    }

    #[derive(DomainIds, Validate, Serialize, Deserialize)]
    pub struct Input {
        #[validate(custom(function = "non_nil_uuid"))]
        pub plan_id: Uuid,
    }

    #[export_command(name = "touch-plan")]
    pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        input.validate()?;
        Command::new(input, context).execute(|_input, ()| Ok(emit![]))
    }
}

#[test]
fn a_custom_validator_speaks_with_its_own_code_and_message() {
    use custom_validation::{Input, execute};
    let (_store, _installed) = Store::install();
    let call = |plan_id| execute(Input { plan_id }, CommandContext::new());
    assert!(call(PLAN).is_ok());
    let error = call(Uuid::nil()).unwrap_err();
    let ExecuteError::Invalid(invalid) = ExecuteError::classify(&error) else {
        panic!("a nil id is invalid");
    };
    let violation = &invalid.violations[0];
    assert_eq!(
        (&*violation.field, &*violation.code, &*violation.message),
        ("plan_id", "uuid", "must not be nil")
    );
}

// The output.

#[test]
fn the_output_has_the_position_after_the_commit_and_what_was_emitted() {
    let outcome = given(events![connected(42)]).when(create_warranty_plan::execute, plan_input());
    let output: ExecuteOutput = outcome.receipt();
    let position: Option<u64> = output.position;
    assert_eq!(position, Some(2));
    let events: Vec<EmittedEvent> = output.events;
    let [event] = events.as_slice() else {
        panic!("one event was emitted");
    };
    let id: Uuid = event.id;
    assert_eq!(id, outcome.emitted()[0].id);
    let event_type: &String = &event.event_type;
    assert_eq!(event_type, "warranty.plan.created");
    let domain_ids: &IndexMap<String, String> = &event.domain_ids;
    assert_eq!(domain_ids["plan_id"], PLAN.to_string());
    assert_eq!(domain_ids["shop_id"], "42");
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.webhooks_registration.scheduled")]
struct ShopWebhooksRegistrationScheduled {
    #[domain_id]
    shop_id: u64,
}

fn schedule_webhook_registration(
    input: ShopInput,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventFold<ShopWebhooksRegistrationScheduled>>()
        .execute(|input, scheduled| {
            if scheduled.exists() {
                return Ok(emit![]);
            }
            Ok(emit![ShopWebhooksRegistrationScheduled {
                shop_id: input.shop_id
            }])
        })
}

#[test]
fn has_event_tells_whether_a_guard_emitted_anything() {
    fn side_effect_is_due(input: &ShopInput) -> anyhow::Result<bool> {
        let receipt = schedule_webhook_registration(input.clone(), CommandContext::new())?;
        if !receipt.has_event::<ShopWebhooksRegistrationScheduled>() {
            return Ok(false); // done before
        }
        assert!(!receipt.has_event::<ShopConnected>());
        Ok(true)
    }
    let (_store, _installed) = Store::install();
    assert!(side_effect_is_due(&SHOP).unwrap());
    assert!(!side_effect_is_due(&SHOP).unwrap());
}

// A whole command.

mod connect_shop {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use umari::prelude::*;
    use validator::Validate;

    use crate::domain::{ShopConnected, ShopReconnected};

    #[derive(Clone, DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
    pub struct Input {
        #[domain_id]
        pub shop_id: u64,
        pub shop_domain: String,
        pub shop_name: String,
        pub access_token: String,
        #[validate(length(min = 1))]
        pub owner_email: String,
    }

    #[export_command]
    pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        input.validate()?;

        Command::new(input, context)
            .fold::<EventFold<ShopConnected>>()
            .execute(|input, connected| {
                if connected.exists() {
                    Ok(emit![ShopReconnected {
                        shop_id: input.shop_id,
                        shop_domain: input.shop_domain,
                        shop_name: input.shop_name,
                        access_token: input.access_token,
                        owner_email: input.owner_email,
                    }])
                } else {
                    Ok(emit![ShopConnected {
                        shop_id: input.shop_id,
                        shop_domain: input.shop_domain,
                        shop_name: input.shop_name,
                        access_token: input.access_token,
                        owner_email: input.owner_email,
                    }])
                }
            })
    }
}

#[test]
fn a_shop_is_connected_once_and_reconnected_from_then_on() {
    let input = || {
        let shop = reconnected(42);
        connect_shop::Input {
            shop_id: shop.shop_id,
            shop_domain: shop.shop_domain,
            shop_name: shop.shop_name,
            access_token: shop.access_token,
            owner_email: shop.owner_email,
        }
    };
    let story = given_nothing()
        .when(connect_shop::execute, input())
        .then_count::<ShopConnected>(1)
        .when(connect_shop::execute, input())
        .then(events![reconnected(42)])
        .when(connect_shop::execute, input())
        .then(events![reconnected(42)]);
    let mail = connect_shop::Input {
        owner_email: String::new(),
        ..input()
    };
    story
        .when(connect_shop::execute, mail)
        .then_invalid("owner_email");
}
