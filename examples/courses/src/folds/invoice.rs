use umari::prelude::*;

use crate::events::InvoiceCreated;

/// The number of the last invoice; 0 before the first.
///
/// This fold has no domain id, so it reads every invoice, and a command that folds it conflicts with
/// every other that creates one. That is no accident: numbers without gaps leave no choice but one after
/// the other.
#[derive(DomainIds, FromDomainIds)]
pub struct LastInvoiceNumberFold {}

impl Fold for LastInvoiceNumberFold {
    type Events = SingleEvent<InvoiceCreated>;
    type State = u64;

    fn apply(&self, last: &mut u64, event: StoredEvent<InvoiceCreated>) {
        *last = event.data.invoice_number;
    }
}
