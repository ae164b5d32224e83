//! Connects a shop, or connects it again when it had been connected before.

use umari::prelude::*;
use warranty::events::{ShopConnected, ShopReconnected};
use warranty::folds::ShopExistsFold;
use warranty::validation;

#[cfg(test)]
mod tests;

/// The shop's details, as the shop platform gave them to us.
#[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
pub struct Input {
    /// The shop's id at the shop platform.
    #[domain_id]
    pub shop_id: u64,
    /// Where customers find the shop.
    #[validate(length(min = 1, max = 253, message = "must be 1 to 253 characters"))]
    pub shop_domain: String,
    /// The shop's name, for people.
    #[validate(length(min = 1, max = 200, message = "must be 1 to 200 characters"))]
    pub shop_name: String,
    /// Lets us act on the shop's behalf.
    #[validate(custom(function = "validation::token"))]
    pub access_token: String,
    /// Where the shop's owner gets mail.
    #[validate(custom(function = "validation::email"))]
    pub owner_email: String,
}

/// Records that the shop is connected, or connected again.
///
/// # Errors
///
/// When the input is invalid.
#[export_command]
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;

    Command::new(input, context)
        .fold::<ShopExistsFold>()
        .execute(|input, shop_exists| {
            if shop_exists {
                Ok(emit![ShopReconnected {
                    shop_id: input.shop_id,
                    shop_domain: input.shop_domain,
                    shop_name: input.shop_name,
                    access_token: input.access_token,
                    owner_email: input.owner_email,
                }])
            } else {
                Ok(emit![ShopConnected {
                    shop_id: input.shop_id,
                    shop_domain: input.shop_domain,
                    shop_name: input.shop_name,
                    access_token: input.access_token,
                    owner_email: input.owner_email,
                }])
            }
        })
}
