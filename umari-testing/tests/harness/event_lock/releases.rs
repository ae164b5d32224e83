//! One event type, as releases of a shop would have it.

use super::*;

/// The first release.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.created")]
pub(super) struct Plan {
    #[domain_id]
    pub(super) plan_id: u64,
    #[domain_id]
    pub(super) shop_id: u64,
    pub(super) title: String,
    pub(super) months: u32,
}

pub(super) fn plan() -> Plan {
    Plan {
        plan_id: 1,
        shop_id: 42,
        title: "Gold".to_owned(),
        months: 24,
    }
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.archived")]
pub(super) struct Archived {
    #[domain_id]
    pub(super) plan_id: u64,
}

pub(super) fn archived() -> Archived {
    Archived { plan_id: 1 }
}

/// The second version, with its upcast.
#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.created", version = 2)]
#[upcast(version = 1, with = in_days)]
pub(super) struct SecondPlan {
    #[domain_id]
    pub(super) plan_id: u64,
    #[domain_id]
    pub(super) shop_id: u64,
    pub(super) title: String,
    pub(super) days: u32,
}

fn in_days(mut data: serde_json::Value) -> serde_json::Value {
    data["days"] = json!(data["months"].as_u64().unwrap_or(0) * 30);
    data
}

pub(super) fn second_plan() -> SecondPlan {
    SecondPlan {
        plan_id: 1,
        shop_id: 42,
        title: "Gold".to_owned(),
        days: 730,
    }
}

#[derive(DomainIds)]
pub(super) struct MonthsFold {
    #[domain_id]
    pub(super) plan_id: u64,
}

impl Fold for MonthsFold {
    type Events = SingleEvent<SecondPlan>;
    type State = u32;

    fn apply(&self, months: &mut u32, event: StoredEvent<SecondPlan>) {
        assert!(event.data.days >= 700, "a plan of less than two years");
        *months += event.data.days / 30;
    }
}

/// How many days the plans of a shop last together.
#[derive(DomainIds)]
pub(super) struct Days {
    #[domain_id]
    pub(super) shop_id: u64,
}

impl Decider for Days {
    type Events = SingleEvent<SecondPlan>;
    type State = u32;
    type Input = ();

    fn initial(&self) -> u32 {
        0
    }

    fn evolve(&self, days: u32, event: StoredEvent<SecondPlan>) -> u32 {
        days + event.data.days
    }

    fn decide(&self, (): (), _days: u32) -> anyhow::Result<Emit> {
        Ok(emit![])
    }
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.created")]
pub(super) struct PlanWithDefault {
    #[domain_id]
    pub(super) plan_id: u64,
    #[domain_id]
    pub(super) shop_id: u64,
    pub(super) title: String,
    pub(super) months: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) currency: Option<String>,
}

pub(super) fn plan_with_default() -> PlanWithDefault {
    PlanWithDefault {
        plan_id: 1,
        shop_id: 42,
        title: "Gold".to_owned(),
        months: 24,
        currency: Some("EUR".to_owned()),
    }
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.plan.created", aliases = ["plan.created"])]
pub(super) struct AliasedPlan {
    #[domain_id]
    pub(super) plan_id: u64,
    #[domain_id]
    pub(super) shop_id: u64,
    pub(super) title: String,
    pub(super) months: u32,
}

pub(super) fn aliased_plan() -> AliasedPlan {
    AliasedPlan {
        plan_id: 1,
        shop_id: 42,
        title: "Gold".to_owned(),
        months: 24,
    }
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.created")]
pub(super) struct PlanOfStore {
    #[domain_id]
    pub(super) plan_id: u64,
    #[domain_id("store_id")]
    pub(super) shop_id: u64,
    pub(super) title: String,
    pub(super) months: u32,
}

pub(super) fn plan_of_store() -> PlanOfStore {
    PlanOfStore {
        plan_id: 1,
        shop_id: 42,
        title: "Gold".to_owned(),
        months: 24,
    }
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.created")]
pub(super) struct EncryptedPlan {
    #[domain_id]
    pub(super) plan_id: u64,
    #[domain_id]
    #[crypto_scope]
    pub(super) shop_id: u64,
    pub(super) title: String,
    pub(super) months: u32,
}

pub(super) fn encrypted_plan() -> EncryptedPlan {
    EncryptedPlan {
        plan_id: 1,
        shop_id: 42,
        title: "Gold".to_owned(),
        months: 24,
    }
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.covers")]
pub(super) struct Covers {
    #[domain_id]
    plan_id: u64,
    cover: Cover,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Cover {
    All,
    Products(Vec<u64>),
}

pub(super) fn covers(cover: Cover) -> Covers {
    Covers { plan_id: 1, cover }
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("order.placed")]
pub(super) struct Order {
    #[domain_id]
    pub(super) order_id: u64,
    pub(super) lines: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Line {
    pub(super) price: u64,
    pub(super) note: Option<String>,
}
