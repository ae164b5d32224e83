//! What the effect asks before it acts.

use umari::prelude::*;

use crate::events::ShopWebhookRegistrationCompleted;

/// Has this topic been registered for this connection of the shop?
///
/// Every connection registers anew, since the shop platform forgets a shop's webhooks when the
/// app is removed. So only what the event at hand has triggered counts.
#[derive(DomainIds)]
pub struct AlreadyRegisteredFold {
    /// The shop in question.
    #[domain_id]
    pub shop_id: u64,
    /// The topic in question.
    #[domain_id]
    pub topic: String,
    /// The id of the event that connected the shop.
    pub current_event_id: Uuid,
}

impl Fold for AlreadyRegisteredFold {
    type Events = SingleEvent<ShopWebhookRegistrationCompleted>;
    type State = bool;

    fn apply(&self, registered: &mut bool, event: StoredEvent<ShopWebhookRegistrationCompleted>) {
        *registered |= event.triggering_event_id == Some(self.current_event_id);
    }
}
