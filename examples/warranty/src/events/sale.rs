use umari::prelude::*;

/// A customer bought a warranty for one line of an order.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.sold")]
pub struct WarrantySold {
    /// The shop that sold it.
    #[domain_id]
    pub shop_id: u64,
    /// The warranty's id, unique across all shops.
    #[domain_id]
    pub warranty_id: Uuid,
    /// The order it was sold with.
    #[domain_id]
    pub order_id: u64,
    /// The line of that order which it covers. A line is covered at most once.
    #[domain_id]
    pub line_item_id: u64,
    /// The plan that was sold.
    #[domain_id]
    pub plan_id: Uuid,
    /// The plan's title at the time of the sale.
    pub plan_title: String,
    /// Where the customer gets mail.
    pub customer_email: String,
    /// What the customer paid, in the shop's currency.
    pub price: Decimal,
}
