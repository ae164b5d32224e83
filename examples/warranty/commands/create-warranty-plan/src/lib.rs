//! Adds a warranty plan to a connected shop.

use umari::prelude::*;
use validator::ValidationError;
use warranty::events::{PlanStatus, ProductApplicability, WarrantyPlanCreated};
use warranty::folds::{ShopExistsFold, WarrantyPlanFold};
use warranty::validation;

#[cfg(test)]
mod tests;

/// The new plan.
#[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
pub struct Input {
    /// The shop that offers the plan.
    #[domain_id]
    pub shop_id: u64,
    /// The plan's id, chosen by the caller.
    #[domain_id]
    #[validate(custom(function = "validation::id"))]
    pub plan_id: Uuid,
    /// What customers see.
    #[validate(length(min = 1, max = 200, message = "must be 1 to 200 characters"))]
    pub title: String,
    /// How long a warranty lasts, in months.
    #[validate(range(min = 1, max = 120, message = "must be between 1 and 120"))]
    pub duration_months: u32,
    /// What one warranty costs, as text: `"49.90"`.
    #[validate(custom(function = "validation::price"))]
    pub price: Decimal,
    /// Which products can be covered.
    #[validate(custom(function = "some_products"))]
    pub applicable_to: ProductApplicability,
    /// Whether the plan is on sale at once; a draft, unless the caller says otherwise.
    #[serde(default)]
    pub status: PlanStatus,
}

/// Records the new plan.
///
/// # Errors
///
/// When the input is invalid, the shop is not connected or the plan's id is taken.
#[export_command]
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;

    Command::new(input, context)
        .fold::<ShopExistsFold>()
        .fold::<WarrantyPlanFold>()
        .execute(|input, (shop_exists, plan)| {
            anyhow::ensure!(shop_exists, "shop is not connected");
            anyhow::ensure!(plan.is_none(), "plan already exists");

            Ok(emit![WarrantyPlanCreated {
                plan_id: input.plan_id,
                shop_id: input.shop_id,
                title: input.title,
                duration_months: input.duration_months,
                price: input.price,
                applicable_to: input.applicable_to,
                status: input.status,
            }])
        })
}

fn some_products(value: &ProductApplicability) -> Result<(), ValidationError> {
    match value {
        ProductApplicability::Products(ids) if ids.is_empty() => {
            Err(ValidationError::new("length")
                .with_message("must name at least one product".into()))
        }
        _ => Ok(()),
    }
}
