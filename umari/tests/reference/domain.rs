//! The warranty shop: what can happen in it, and the folds that several chapters use.

use serde::{Deserialize, Serialize};
use umari::prelude::*;
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
pub struct ShopConnected {
    #[domain_id]
    #[crypto_scope]
    pub shop_id: u64,
    pub shop_domain: String,
    pub shop_name: String,
    pub access_token: String,
    pub owner_email: String,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.reconnected")]
pub struct ShopReconnected {
    #[domain_id]
    #[crypto_scope]
    pub shop_id: u64,
    pub shop_domain: String,
    pub shop_name: String,
    pub access_token: String,
    pub owner_email: String,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.webhook_registration.completed")]
pub struct ShopWebhookRegistrationCompleted {
    #[domain_id]
    pub shop_id: u64,
    #[domain_id]
    pub topic: String,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.plan.created")]
pub struct WarrantyPlanCreated {
    #[domain_id]
    pub plan_id: Uuid,
    #[domain_id]
    pub shop_id: u64,
    pub title: String,
    pub duration_months: u32,
    pub price: Decimal,
    pub applicable_to: ProductApplicability,
    pub status: PlanStatus,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.plan.updated")]
pub struct WarrantyPlanUpdated {
    #[domain_id]
    pub plan_id: Uuid,
    #[domain_id]
    pub shop_id: u64,
    pub title: String,
    pub duration_months: u32,
    pub price: Decimal,
    pub applicable_to: ProductApplicability,
    pub status: PlanStatus,
}

/// Events of a plan that say no more than that it happened.
macro_rules! plan_events {
    ($($name:ident $event_type:literal),+ $(,)?) => {$(
        #[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
        #[event_type($event_type)]
        pub struct $name {
            #[domain_id]
            pub plan_id: Uuid,
            #[domain_id]
            pub shop_id: u64,
        }
    )+};
}

plan_events!(
    WarrantyPlanArchived "warranty.plan.archived",
    WarrantyPlanUnarchived "warranty.plan.unarchived",
    WarrantyPlanActivated "warranty.plan.activated",
    WarrantyPlanDeactivated "warranty.plan.deactivated",
    WarrantyPlanDeleted "warranty.plan.deleted",
);

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.plan.variant_synced")]
pub struct WarrantyPlanVariantSynced {
    #[domain_id]
    pub plan_id: Uuid,
    #[domain_id]
    pub shop_id: u64,
    pub variant_id: u64,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.sold")]
pub struct WarrantySold {
    #[domain_id]
    pub shop_id: u64,
    #[domain_id]
    pub warranty_id: Uuid,
    #[domain_id]
    pub order_id: u64,
    #[domain_id]
    pub line_item_id: u64,
    #[domain_id]
    pub plan_id: Uuid,
    pub plan_title: String,
    pub customer_email: String,
    pub price: Decimal,
}

/// A call from the shop platform, which has one topic of many.
#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("webhook.received")]
pub struct WebhookReceived {
    #[domain_id]
    pub topic: String,
    pub body: String,
}

#[derive(Debug, Clone, PartialEq, JsonSchema, Serialize, Deserialize)]
pub enum ProductApplicability {
    All,
    Products(Vec<u64>),
}

#[derive(Debug, Clone, Copy, Default, PartialEq, JsonSchema, Serialize, Deserialize)]
pub enum PlanStatus {
    #[default]
    Draft,
    Active,
}

/// Whether the shop has ever been connected.
#[derive(DomainIds, FromDomainIds)]
pub struct ShopExistsFold {
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

/// What became of one plan.
#[derive(Debug, Default, PartialEq)]
pub struct WarrantyPlanState {
    pub exists: bool,
    pub title: Option<String>,
    pub status: PlanStatus,
    pub archived: bool,
}

#[expect(dead_code, reason = "for two of them it is enough that they happened")]
#[expect(
    clippy::enum_variant_names,
    reason = "a variant has the name of its event"
)]
#[derive(EventSet)]
pub enum WarrantyPlanEvents {
    #[scope(plan_id)]
    WarrantyPlanCreated(WarrantyPlanCreated),
    #[scope(plan_id)]
    WarrantyPlanUpdated(WarrantyPlanUpdated),
    #[scope(plan_id)]
    WarrantyPlanArchived(WarrantyPlanArchived),
    #[scope(plan_id)]
    WarrantyPlanUnarchived(WarrantyPlanUnarchived),
}

#[derive(DomainIds, FromDomainIds)]
pub struct WarrantyPlanFold {
    #[domain_id]
    pub plan_id: Uuid,
}

impl Fold for WarrantyPlanFold {
    type Events = WarrantyPlanEvents;
    type State = WarrantyPlanState;

    fn apply(&self, state: &mut WarrantyPlanState, event: StoredEvent<WarrantyPlanEvents>) {
        match event.data {
            WarrantyPlanEvents::WarrantyPlanCreated(ev) => {
                state.exists = true;
                state.title = Some(ev.title);
                state.status = ev.status;
            }
            WarrantyPlanEvents::WarrantyPlanUpdated(ev) => {
                state.title = Some(ev.title);
                state.status = ev.status;
            }
            WarrantyPlanEvents::WarrantyPlanArchived(_) => state.archived = true,
            WarrantyPlanEvents::WarrantyPlanUnarchived(_) => state.archived = false,
        }
    }
}

/// Whether the webhook of a topic was registered because of one event.
#[derive(DomainIds)]
pub struct AlreadyRegisteredFold {
    #[domain_id]
    pub shop_id: u64,
    #[domain_id]
    pub topic: String,
    pub current_event_id: Uuid,
}

impl Fold for AlreadyRegisteredFold {
    type Events = SingleEvent<ShopWebhookRegistrationCompleted>;
    type State = bool;

    fn apply(&self, registered: &mut bool, event: StoredEvent<ShopWebhookRegistrationCompleted>) {
        if event.triggering_event_id == Some(self.current_event_id) {
            *registered = true;
        }
    }
}

/// The plan that the tests talk about, and another one.
pub const PLAN: Uuid = Uuid::from_u128(0xa1);
pub const OTHER_PLAN: Uuid = Uuid::from_u128(0xa2);

pub fn connected(shop_id: u64) -> ShopConnected {
    ShopConnected {
        shop_id,
        shop_domain: format!("shop-{shop_id}.example"),
        shop_name: format!("Shop {shop_id}"),
        access_token: "token-1".to_owned(),
        owner_email: "owner@shop.example".to_owned(),
    }
}

pub fn reconnected(shop_id: u64) -> ShopReconnected {
    ShopReconnected {
        shop_id,
        shop_domain: format!("new-{shop_id}.example"),
        shop_name: format!("Shop {shop_id}"),
        access_token: "token-2".to_owned(),
        owner_email: "owner@shop.example".to_owned(),
    }
}

pub fn plan_created(plan_id: Uuid, shop_id: u64) -> WarrantyPlanCreated {
    WarrantyPlanCreated {
        plan_id,
        shop_id,
        title: "Two years".to_owned(),
        duration_months: 24,
        price: Decimal::new(49_90, 2),
        applicable_to: ProductApplicability::All,
        status: PlanStatus::Draft,
    }
}

pub fn plan_updated(plan_id: Uuid, shop_id: u64) -> WarrantyPlanUpdated {
    WarrantyPlanUpdated {
        plan_id,
        shop_id,
        title: "Three years".to_owned(),
        duration_months: 36,
        price: Decimal::new(69_90, 2),
        applicable_to: ProductApplicability::Products(vec![7, 8]),
        status: PlanStatus::Active,
    }
}

pub fn sold(shop_id: u64, line_item_id: u64) -> WarrantySold {
    WarrantySold {
        shop_id,
        warranty_id: Uuid::from_u128(u128::from(0xb000 + line_item_id)),
        order_id: 1001,
        line_item_id,
        plan_id: PLAN,
        plan_title: "Two years".to_owned(),
        customer_email: "customer@mail.example".to_owned(),
        price: Decimal::new(49_90, 2),
    }
}

pub fn registered(shop_id: u64, topic: &str) -> ShopWebhookRegistrationCompleted {
    ShopWebhookRegistrationCompleted {
        shop_id,
        topic: topic.to_owned(),
    }
}

pub fn webhook(topic: &str) -> WebhookReceived {
    WebhookReceived {
        topic: topic.to_owned(),
        body: "{}".to_owned(),
    }
}

pub fn archived() -> WarrantyPlanArchived {
    WarrantyPlanArchived {
        plan_id: PLAN,
        shop_id: 42,
    }
}

pub fn unarchived() -> WarrantyPlanUnarchived {
    WarrantyPlanUnarchived {
        plan_id: PLAN,
        shop_id: 42,
    }
}
