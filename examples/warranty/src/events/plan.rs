use umari::prelude::*;

/// A shop offers a new warranty plan.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.plan.created")]
pub struct WarrantyPlanCreated {
    /// The plan's id, unique across all shops.
    #[domain_id]
    pub plan_id: Uuid,
    /// The shop that offers the plan.
    #[domain_id]
    pub shop_id: u64,
    /// What customers see.
    pub title: String,
    /// How long a warranty lasts, in months.
    pub duration_months: u32,
    /// What one warranty costs, in the shop's currency.
    pub price: Decimal,
    /// Which products can be covered.
    pub applicable_to: ProductApplicability,
    /// Whether the plan is on sale.
    pub status: PlanStatus,
}

/// A shop took a plan off the market. Warranties that were sold before stay valid.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.plan.archived")]
pub struct WarrantyPlanArchived {
    /// The plan that can no longer be sold.
    #[domain_id]
    pub plan_id: Uuid,
    /// The shop that had offered it.
    #[domain_id]
    pub shop_id: u64,
}

/// Which of a shop's products a plan covers.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductApplicability {
    /// Every product: `"all"`.
    All,
    /// The products with these ids: `{"products": [7, 8]}`.
    Products(Vec<u64>),
}

/// Whether a plan is on sale.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanStatus {
    /// Still being prepared.
    #[default]
    Draft,
    /// On sale.
    Active,
}

impl PlanStatus {
    /// The status as it is written in JSON and in read models.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
        }
    }
}
