use umari::prelude::*;

use crate::events::OrderPlaced;

/// The order that was placed with a token; `None` while the token is unused.
#[derive(DomainIds, FromDomainIds)]
pub struct TokenUseFold {
    /// The token in question.
    #[domain_id]
    pub token: Uuid,
}

/// The use of a token, for whichever order.
#[derive(EventSet)]
pub enum TokenEvents {
    /// The token was used.
    #[scope(token)]
    Placed(OrderPlaced),
}

impl Fold for TokenUseFold {
    type Events = TokenEvents;
    type State = Option<String>;

    fn apply(&self, order_id: &mut Option<String>, event: StoredEvent<TokenEvents>) {
        let TokenEvents::Placed(order) = event.data;
        *order_id = Some(order.order_id);
    }
}

/// Whether there is an order of this id.
#[derive(DomainIds, FromDomainIds)]
pub struct OrderExistsFold {
    /// The order in question.
    #[domain_id]
    pub order_id: String,
}

/// The order of an id, with whichever token it was placed.
#[derive(EventSet)]
pub enum OrderEvents {
    /// The order was placed.
    #[scope(order_id)]
    Placed(OrderPlaced),
}

impl Fold for OrderExistsFold {
    type Events = OrderEvents;
    type State = bool;

    fn apply(&self, exists: &mut bool, _event: StoredEvent<OrderEvents>) {
        *exists = true;
    }
}
