//! Everything that can happen.

mod course;
mod invoice;
mod order;

pub use course::{CourseCapacityChanged, CourseDefined, StudentSubscribed};
pub use invoice::InvoiceCreated;
pub use order::OrderPlaced;
