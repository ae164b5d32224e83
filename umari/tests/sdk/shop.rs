//! The domain of these tests: a shop that sells plans.

use umari::prelude::*;

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
pub(crate) struct ShopConnected {
    #[domain_id]
    #[crypto_scope]
    pub(crate) shop_id: u64,
    pub(crate) name: String,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.created", version = 2)]
pub(crate) struct PlanCreated {
    #[domain_id]
    pub(crate) shop_id: u64,
    #[domain_id("plan_id")]
    pub(crate) id: u64,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
pub(crate) struct PlanArchived {
    #[domain_id]
    pub(crate) shop_id: u64,
    #[domain_id]
    pub(crate) plan_id: u64,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.unarchived")]
pub(crate) struct PlanUnarchived {
    #[domain_id]
    pub(crate) plan_id: u64,
    #[domain_id]
    pub(crate) shop_id: u64,
    #[domain_id]
    pub(crate) r#type: Option<String>,
}

#[derive(DomainIds, FromDomainIds)]
pub(crate) struct ShopExistsFold {
    #[domain_id]
    pub(crate) shop_id: u64,
}

impl Fold for ShopExistsFold {
    type Events = SingleEvent<ShopConnected>;
    type State = bool;

    fn apply(&self, exists: &mut bool, event: StoredEvent<ShopConnected>) {
        assert_eq!(
            event.data.shop_id, self.shop_id,
            "only this shop's events are offered"
        );
        *exists = true;
    }
}

pub(crate) fn connected(shop_id: u64) -> ShopConnected {
    ShopConnected {
        shop_id,
        name: format!("shop {shop_id}"),
    }
}
