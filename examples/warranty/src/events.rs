//! Everything that can happen in the shop.

mod plan;
mod sale;
mod shop;

pub use plan::{PlanStatus, ProductApplicability, WarrantyPlanArchived, WarrantyPlanCreated};
pub use sale::WarrantySold;
pub use shop::{ShopConnected, ShopReconnected};

#[cfg(test)]
mod tests;
