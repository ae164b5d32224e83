//! The events that are measured: the life of warranty plans, with a payload of usual size.

use umari::prelude::*;

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.plan.created")]
pub(crate) struct PlanCreated {
    #[domain_id]
    pub(crate) plan_id: Uuid,
    #[domain_id]
    pub(crate) shop_id: u64,
    pub(crate) title: String,
    pub(crate) duration_months: u32,
    pub(crate) price: String,
    pub(crate) products: Vec<u64>,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.sold")]
pub(crate) struct WarrantySold {
    #[domain_id]
    pub(crate) shop_id: u64,
    #[domain_id]
    pub(crate) plan_id: Uuid,
    #[domain_id]
    pub(crate) warranty_id: Uuid,
    pub(crate) customer_email: String,
    pub(crate) price: String,
}

#[derive(DomainIds, Serialize, Deserialize)]
pub(crate) struct Input {
    #[domain_id]
    pub(crate) shop_id: u64,
    #[domain_id]
    pub(crate) plan_id: Uuid,
}

pub(crate) const SHOP: u64 = 42;

pub(crate) fn plan_id() -> Uuid {
    Uuid::from_u128(0x9a3f_4f0e_6a41_4c43_8a38_0d4a_2b6f_6f11)
}

pub(crate) fn input() -> Input {
    Input {
        shop_id: SHOP,
        plan_id: plan_id(),
    }
}

pub(crate) fn created() -> PlanCreated {
    PlanCreated {
        plan_id: plan_id(),
        shop_id: SHOP,
        title: "Two years of peace of mind".to_owned(),
        duration_months: 24,
        price: "49.90".to_owned(),
        products: vec![7, 8, 9],
    }
}

pub(crate) fn sold(number: u128) -> WarrantySold {
    WarrantySold {
        shop_id: SHOP,
        plan_id: plan_id(),
        warranty_id: Uuid::from_u128(number),
        customer_email: "ada@example.com".to_owned(),
        price: "49.90".to_owned(),
    }
}

/// What the fold adds up to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Sales {
    pub(crate) title: Option<String>,
    pub(crate) sold: u64,
    pub(crate) characters: usize,
}
