//! Sells a warranty for one line of an order.

use umari::prelude::*;
use warranty::events::{PlanStatus, WarrantySold};
use warranty::folds::{LineItemSoldFold, WarrantyExistsFold, WarrantyPlanFold};
use warranty::validation;

#[cfg(test)]
mod tests;

/// What was sold to whom. Title and price are the plan's, not the caller's to name.
#[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
pub struct Input {
    /// The shop that sells the warranty.
    #[domain_id]
    pub shop_id: u64,
    /// The plan that is sold.
    #[domain_id]
    #[validate(custom(function = "validation::id"))]
    pub plan_id: Uuid,
    /// The warranty's id, chosen by the caller.
    #[domain_id]
    #[validate(custom(function = "validation::id"))]
    pub warranty_id: Uuid,
    /// The order that the warranty is sold with.
    #[domain_id]
    pub order_id: u64,
    /// The line of that order which it covers.
    #[domain_id]
    pub line_item_id: u64,
    /// Where the customer gets mail.
    #[validate(custom(function = "validation::email"))]
    pub customer_email: String,
}

/// Records the sale.
///
/// Sales of one plan do not stand in each other's way: the boundary holds the plan, the line and
/// the warranty's id, but no other sale.
///
/// # Errors
///
/// When the input is invalid, and rejections that a checkout can act on by their codes:
///
/// | code | when |
/// |---|---|
/// | `no-such-plan` | the shop has no such plan |
/// | `plan-not-on-sale` | the plan is a draft or archived |
/// | `line-item-covered` | the line has been sold a warranty before; `line_item_id` says which |
/// | `warranty-id-taken` | there is a warranty with this id |
#[export_command]
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;

    Command::new(input, context)
        .fold::<WarrantyPlanFold>()
        .fold_with(|input| LineItemSoldFold {
            shop_id: input.shop_id,
            line_item_id: input.line_item_id,
        })
        .fold_with(|input| WarrantyExistsFold {
            warranty_id: input.warranty_id,
        })
        .execute(|input, (plan, line_item_sold, warranty_exists)| {
            // Another shop's plan is none of this shop's business, not even that it exists.
            let plan = plan
                .filter(|plan| plan.shop_id == input.shop_id)
                .ok_or_else(|| Rejection::new("no-such-plan", "plan does not exist"))?;
            let not_on_sale = |why| Rejection::new("plan-not-on-sale", why);
            anyhow::ensure!(!plan.archived, not_on_sale("plan is archived"));
            anyhow::ensure!(
                plan.status == PlanStatus::Active,
                not_on_sale("plan is not active")
            );
            anyhow::ensure!(
                !line_item_sold,
                Rejection::new("line-item-covered", "line item already has a warranty")
                    .with("line_item_id", input.line_item_id)
            );
            anyhow::ensure!(
                !warranty_exists,
                Rejection::new("warranty-id-taken", "warranty already exists")
            );

            Ok(emit![WarrantySold {
                shop_id: input.shop_id,
                warranty_id: input.warranty_id,
                order_id: input.order_id,
                line_item_id: input.line_item_id,
                plan_id: input.plan_id,
                plan_title: plan.title,
                customer_email: input.customer_email,
                price: plan.price,
            }])
        })
}
