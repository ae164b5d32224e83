//! Events that only this effect writes and reads.

use umari::prelude::*;

/// The shop platform will tell us when this topic happens in this shop.
///
/// Its envelope names the connection it was made for, as the triggering event.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.webhook_registration.completed")]
pub struct ShopWebhookRegistrationCompleted {
    /// The shop that the webhook is about.
    #[domain_id]
    pub shop_id: u64,
    /// What the shop platform calls the kind of event that we hear of.
    #[domain_id]
    pub topic: String,
}
