//! One sample of each event, all of one small story: the tea shop sells a two-year warranty.
//!
//! Tests change the field that they are about: `WarrantySold { price, ..warranty_sold() }`.

use umari::prelude::*;

use crate::events::{
    PlanStatus, ProductApplicability, ShopConnected, ShopReconnected, WarrantyPlanArchived,
    WarrantyPlanCreated, WarrantySold,
};

/// The shop that all samples belong to.
pub const SHOP_ID: u64 = 42;
/// A shop that has nothing to do with them.
pub const OTHER_SHOP_ID: u64 = 43;
/// The plan that is created, archived and sold.
pub const PLAN_ID: Uuid = Uuid::from_u128(0x5000);
/// The warranty that is sold.
pub const WARRANTY_ID: Uuid = Uuid::from_u128(0x6000);
/// The order that it is sold with.
pub const ORDER_ID: u64 = 1001;
/// The line of that order which it covers.
pub const LINE_ITEM_ID: u64 = 7001;

/// What the plan costs: 49.90.
#[must_use]
pub fn price() -> Decimal {
    Decimal::new(49_90, 2)
}

/// The shop is connected.
#[must_use]
pub fn shop_connected() -> ShopConnected {
    ShopConnected {
        shop_id: SHOP_ID,
        shop_domain: "tea.example".into(),
        shop_name: "Tea & Kettles".into(),
        access_token: "token-1".into(),
        owner_email: "kim@tea.example".into(),
    }
}

/// The shop is connected again, with a new token.
#[must_use]
pub fn shop_reconnected() -> ShopReconnected {
    ShopReconnected {
        shop_id: SHOP_ID,
        shop_domain: "tea.example".into(),
        shop_name: "Tea & Kettles".into(),
        access_token: "token-2".into(),
        owner_email: "kim@tea.example".into(),
    }
}

/// The plan is created, ready to be sold.
#[must_use]
pub fn plan_created() -> WarrantyPlanCreated {
    WarrantyPlanCreated {
        plan_id: PLAN_ID,
        shop_id: SHOP_ID,
        title: "Two years".into(),
        duration_months: 24,
        price: price(),
        applicable_to: ProductApplicability::All,
        status: PlanStatus::Active,
    }
}

/// The plan is archived.
#[must_use]
pub fn plan_archived() -> WarrantyPlanArchived {
    WarrantyPlanArchived {
        plan_id: PLAN_ID,
        shop_id: SHOP_ID,
    }
}

/// One warranty of the plan is sold.
#[must_use]
pub fn warranty_sold() -> WarrantySold {
    WarrantySold {
        shop_id: SHOP_ID,
        warranty_id: WARRANTY_ID,
        order_id: ORDER_ID,
        line_item_id: LINE_ITEM_ID,
        plan_id: PLAN_ID,
        plan_title: "Two years".into(),
        customer_email: "ada@mail.example".into(),
        price: price(),
    }
}
