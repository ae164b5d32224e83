use umari::prelude::*;

/// An invoice was created. The law wants their numbers to have no gaps.
#[derive(Debug, Event, DomainIds, Serialize, Deserialize)]
#[event_type("invoice.created")]
pub struct InvoiceCreated {
    /// One more than the number of the invoice before; the first has number 1.
    #[domain_id]
    pub invoice_number: u64,
    /// Who has to pay.
    pub customer: String,
    /// How much, in cents.
    pub amount_cents: u64,
}
