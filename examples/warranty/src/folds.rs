//! What a decision needs to know, derived from the events.

use umari::prelude::*;

use crate::events::{
    PlanStatus, ShopConnected, WarrantyPlanArchived, WarrantyPlanCreated, WarrantySold,
};

#[cfg(test)]
mod tests;

/// Has this shop ever been connected?
#[derive(DomainIds, FromDomainIds)]
pub struct ShopExistsFold {
    /// The shop in question.
    #[domain_id]
    pub shop_id: u64,
}

impl Fold for ShopExistsFold {
    type Events = SingleEvent<ShopConnected>;
    type State = bool;

    fn apply(&self, exists: &mut bool, _event: StoredEvent<ShopConnected>) {
        *exists = true;
    }
}

/// What is known of one plan; `None` until it has been created.
#[derive(DomainIds, FromDomainIds)]
pub struct WarrantyPlanFold {
    /// The plan in question.
    #[domain_id]
    pub plan_id: Uuid,
}

/// The events of a plan's life.
///
/// Each is scoped to `plan_id` alone. Unscoped, it would also be filtered by the `shop_id` of the
/// command's input, and a plan of another shop would look as if its id were free.
#[derive(EventSet)]
pub enum WarrantyPlanEvents {
    /// The plan came to be.
    #[scope(plan_id)]
    Created(WarrantyPlanCreated),
    /// The plan was taken off the market.
    #[scope(plan_id)]
    Archived(WarrantyPlanArchived),
}

/// A plan as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WarrantyPlanState {
    /// The shop that offers the plan.
    pub shop_id: u64,
    /// What customers see.
    pub title: String,
    /// What one warranty costs.
    pub price: Decimal,
    /// Whether the plan is on sale, unless it is archived.
    pub status: PlanStatus,
    /// Whether the plan was taken off the market.
    pub archived: bool,
}

impl Fold for WarrantyPlanFold {
    type Events = WarrantyPlanEvents;
    type State = Option<WarrantyPlanState>;

    fn apply(&self, plan: &mut Self::State, event: StoredEvent<WarrantyPlanEvents>) {
        match event.data {
            WarrantyPlanEvents::Created(created) => {
                *plan = Some(WarrantyPlanState {
                    shop_id: created.shop_id,
                    title: created.title,
                    price: created.price,
                    status: created.status,
                    archived: false,
                });
            }
            WarrantyPlanEvents::Archived(_) => {
                if let Some(plan) = plan {
                    plan.archived = true;
                }
            }
        }
    }
}

/// Has this line of an order been sold a warranty?
///
/// A line's id is only unique within its shop, so both are needed, and nothing else may narrow
/// the search. That is why this fold is built with `fold_with`: `fold` would bind it to every
/// domain id of the input, and a sale under another warranty id would go unseen.
#[derive(DomainIds)]
pub struct LineItemSoldFold {
    /// The shop that the order belongs to.
    #[domain_id]
    pub shop_id: u64,
    /// The line in question.
    #[domain_id]
    pub line_item_id: u64,
}

impl Fold for LineItemSoldFold {
    type Events = SingleEvent<WarrantySold>;
    type State = bool;

    fn apply(&self, sold: &mut bool, _event: StoredEvent<WarrantySold>) {
        *sold = true;
    }
}

/// Is this warranty id taken, by any shop? Built with `fold_with`, as [`LineItemSoldFold`] is.
#[derive(DomainIds)]
pub struct WarrantyExistsFold {
    /// The warranty in question.
    #[domain_id]
    pub warranty_id: Uuid,
}

impl Fold for WarrantyExistsFold {
    type Events = SingleEvent<WarrantySold>;
    type State = bool;

    fn apply(&self, exists: &mut bool, _event: StoredEvent<WarrantySold>) {
        *exists = true;
    }
}
