//! Creates the invoice with the next number.

use courses::events::InvoiceCreated;
use courses::folds::LastInvoiceNumberFold;
use umari::prelude::*;

#[cfg(test)]
mod tests;

/// Who has to pay how much. The number is not the caller's to choose.
#[derive(DomainIds, Validate, JsonSchema, Serialize, Deserialize)]
pub struct Input {
    /// Who has to pay.
    #[validate(length(min = 1, max = 200, message = "must be 1 to 200 characters"))]
    pub customer: String,
    /// How much, in cents.
    #[validate(range(min = 1, message = "must be at least 1"))]
    pub amount_cents: u64,
}

/// Records the invoice, under the number after the last one.
///
/// The boundary is every invoice. Of two calls at the same moment one commits; the host makes the other
/// again, and it gets the number after.
///
/// # Errors
///
/// When the input is invalid.
#[export_command]
pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    input.validate()?;

    Command::new(input, context)
        .fold::<LastInvoiceNumberFold>()
        .execute(|input, last| {
            Ok(emit![InvoiceCreated {
                invoice_number: last + 1,
                customer: input.customer,
                amount_cents: input.amount_cents,
            }])
        })
}
