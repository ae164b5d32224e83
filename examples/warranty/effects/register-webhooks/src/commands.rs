//! Private commands: plain functions that only this effect calls.

use umari::prelude::*;

use crate::events::ShopWebhookRegistrationCompleted;
use crate::folds::AlreadyRegisteredFold;

/// A registration that the shop platform has accepted.
#[derive(DomainIds)]
pub struct RecordWebhookRegistrationCompletedInput {
    /// The shop that the webhook is about.
    #[domain_id]
    pub shop_id: u64,
    /// The topic that was registered.
    #[domain_id]
    pub topic: String,
    /// The id of the event that connected the shop.
    pub current_event_id: Uuid,
}

/// Records the registration, once for each connection and topic.
///
/// # Errors
///
/// When the events cannot be read or written. There is no other: what has happened cannot be
/// refused.
pub fn record_webhook_registration_completed(
    input: RecordWebhookRegistrationCompletedInput,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold_with(|input| AlreadyRegisteredFold {
            shop_id: input.shop_id,
            topic: input.topic.clone(),
            current_event_id: input.current_event_id,
        })
        .execute(|input, registered| {
            if registered {
                return Ok(emit![]);
            }
            Ok(emit![ShopWebhookRegistrationCompleted {
                shop_id: input.shop_id,
                topic: input.topic,
            }])
        })
}
