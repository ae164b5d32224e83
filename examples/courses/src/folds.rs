//! What decisions need to know, and therefore what they depend on.

mod course;
mod invoice;
mod order;
#[cfg(test)]
mod tests;

pub use course::{
    CourseCapacityEvents, CourseCapacityFold, CourseSubscriptionEvents, CourseSubscriptionsFold,
    StudentSubscriptionEvents, StudentSubscriptionsFold,
};
pub use invoice::LastInvoiceNumberFold;
pub use order::{OrderEvents, OrderExistsFold, TokenEvents, TokenUseFold};
