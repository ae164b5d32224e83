//! Places an order, once for each token.

use courses::events::OrderPlaced;
use courses::folds::{OrderExistsFold, TokenUseFold};
use umari::prelude::*;

#[cfg(test)]
mod tests;

/// What is ordered.
#[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
pub struct Input {
    /// The order's id.
    #[domain_id]
    #[validate(length(min = 1, max = 64, message = "must be 1 to 64 characters"))]
    pub order_id: String,
    /// Drawn by the client when the form is opened, and sent with every attempt to submit it.
    #[domain_id]
    pub token: Uuid,
    /// What is ordered.
    #[validate(length(min = 1, max = 200, message = "must be 1 to 200 characters"))]
    pub article: String,
}

/// Records the order.
///
/// A form that is submitted twice, since the button was pressed twice or an answer got lost, comes with
/// the same token: it succeeds again and places nothing. A token that comes with another order is a fault
/// of the client.
///
/// This is a rule of the domain, which the events prove for as long as they are kept. For calls that
/// a client's library repeats, the host has a simpler way: the header `Idempotency-Key`.
///
/// # Errors
///
/// When the input is invalid, and rejections by code:
///
/// | code | when |
/// |---|---|
/// | `token-used` | another order was placed with this token; `order_id` says which |
/// | `order-id-taken` | there is an order of this id, placed with another token |
#[export_command]
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;

    Command::new(input, context)
        .fold::<TokenUseFold>()
        .fold::<OrderExistsFold>()
        .execute(|input, (used_for, order_exists)| {
            if let Some(order_id) = used_for {
                anyhow::ensure!(
                    order_id == input.order_id,
                    Rejection::new("token-used", "token was used for another order")
                        .with("order_id", order_id)
                );
                return Ok(emit![]);
            }
            anyhow::ensure!(
                !order_exists,
                Rejection::new("order-id-taken", "order already exists")
            );

            Ok(emit![OrderPlaced {
                order_id: input.order_id,
                token: input.token,
                article: input.article,
            }])
        })
}
