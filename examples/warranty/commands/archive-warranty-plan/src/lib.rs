//! Takes a warranty plan off the market.

use umari::prelude::*;
use warranty::events::WarrantyPlanArchived;
use warranty::folds::WarrantyPlanFold;
use warranty::validation;

#[cfg(test)]
mod tests;

/// The plan to archive.
#[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
pub struct Input {
    /// The shop that offers the plan.
    #[domain_id]
    pub shop_id: u64,
    /// The plan in question.
    #[domain_id]
    #[validate(custom(function = "validation::id"))]
    pub plan_id: Uuid,
}

/// Records that the plan is archived; does nothing when it already is.
///
/// # Errors
///
/// When the input is invalid, or the shop has no such plan.
#[export_command]
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;

    Command::new(input, context)
        .fold::<WarrantyPlanFold>()
        .execute(|input, plan| {
            // Another shop's plan is none of this shop's business, not even that it exists.
            let Some(plan) = plan.filter(|plan| plan.shop_id == input.shop_id) else {
                anyhow::bail!("plan does not exist");
            };
            if plan.archived {
                return Ok(emit![]);
            }

            Ok(emit![WarrantyPlanArchived {
                plan_id: input.plan_id,
                shop_id: input.shop_id,
            }])
        })
}
