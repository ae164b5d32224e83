use umari::prelude::*;

/// An order was placed.
#[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
#[event_type("order.placed")]
pub struct OrderPlaced {
    /// The order's id.
    #[domain_id]
    pub order_id: String,
    /// What the client drew once, when the customer opened the form.
    #[domain_id]
    pub token: Uuid,
    /// What was ordered.
    pub article: String,
}
