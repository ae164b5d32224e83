use umari::prelude::*;

/// A shop offers a new warranty plan.
///
/// In its first version it said nothing of products and status: every plan covered everything, and
/// was on sale at once.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.plan.created", version = 2, aliases = ["plan.created"])]
#[upcast(version = 1, from = WarrantyPlanCreatedV1)]
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

/// The first version of [`WarrantyPlanCreated`], which was called `plan.created`.
#[derive(Deserialize)]
struct WarrantyPlanCreatedV1 {
    plan_id: Uuid,
    shop_id: u64,
    title: String,
    duration_months: u32,
    price: Decimal,
}

impl From<WarrantyPlanCreatedV1> for WarrantyPlanCreated {
    fn from(old: WarrantyPlanCreatedV1) -> Self {
        Self {
            plan_id: old.plan_id,
            shop_id: old.shop_id,
            title: old.title,
            duration_months: old.duration_months,
            price: old.price,
            applicable_to: ProductApplicability::All,
            status: PlanStatus::Active,
        }
    }
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
