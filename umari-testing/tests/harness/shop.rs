//! A small shop that sells warranties: the domain of these tests.

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
#[event_type("shop.reconnected")]
pub(crate) struct ShopReconnected {
    #[domain_id]
    pub(crate) shop_id: u64,
    pub(crate) name: String,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.created")]
pub(crate) struct PlanCreated {
    #[domain_id]
    pub(crate) plan_id: u64,
    #[domain_id]
    pub(crate) shop_id: u64,
    pub(crate) title: String,
    pub(crate) months: u32,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.archived")]
pub(crate) struct PlanArchived {
    #[domain_id]
    pub(crate) plan_id: u64,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("warranty.sold")]
pub(crate) struct WarrantySold {
    #[domain_id]
    pub(crate) plan_id: u64,
    #[domain_id]
    pub(crate) line_item_id: u64,
    pub(crate) price: String,
}

#[derive(Debug, Clone, PartialEq, Event, DomainIds, Serialize, Deserialize)]
#[event_type("webhook.registered")]
pub(crate) struct WebhookRegistered {
    #[domain_id]
    pub(crate) shop_id: u64,
    pub(crate) topic: String,
}

pub(crate) fn connected(shop_id: u64) -> ShopConnected {
    ShopConnected {
        shop_id,
        name: format!("shop {shop_id}"),
    }
}

pub(crate) fn plan(plan_id: u64) -> PlanCreated {
    PlanCreated {
        plan_id,
        shop_id: 42,
        title: "Gold".to_owned(),
        months: 24,
    }
}

pub(crate) fn sold(line_item_id: u64) -> WarrantySold {
    WarrantySold {
        plan_id: 1,
        line_item_id,
        price: "9.90".to_owned(),
    }
}

/// Whether a shop was ever connected.
#[derive(DomainIds, FromDomainIds)]
pub(crate) struct ShopExistsFold {
    #[domain_id]
    pub(crate) shop_id: u64,
}

impl Fold for ShopExistsFold {
    type Events = SingleEvent<ShopConnected>;
    type State = bool;

    fn apply(&self, exists: &mut bool, _event: StoredEvent<ShopConnected>) {
        *exists = true;
    }
}

/// What became of a plan.
#[derive(DomainIds, FromDomainIds)]
pub(crate) struct PlanFold {
    #[domain_id]
    pub(crate) plan_id: u64,
}

#[derive(EventSet)]
pub(crate) enum PlanEvents {
    #[scope(plan_id)]
    Created(PlanCreated),
    #[scope(plan_id)]
    #[expect(dead_code, reason = "only that it was archived counts")]
    Archived(PlanArchived),
}

#[derive(Debug, Default, PartialEq)]
pub(crate) struct PlanState {
    pub(crate) title: Option<String>,
    pub(crate) archived: bool,
}

impl Fold for PlanFold {
    type Events = PlanEvents;
    type State = PlanState;

    fn apply(&self, plan: &mut PlanState, event: StoredEvent<PlanEvents>) {
        match event.data {
            PlanEvents::Created(event) => plan.title = Some(event.title),
            PlanEvents::Archived(_) => plan.archived = true,
        }
    }
}

pub(crate) mod connect_shop {
    use super::*;

    #[derive(DomainIds, Serialize, Deserialize)]
    pub(crate) struct Input {
        #[domain_id]
        pub(crate) shop_id: u64,
        pub(crate) name: String,
    }

    pub(crate) fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<EventFold<ShopConnected>>()
            .execute(|Input { shop_id, name }, connected| {
                Ok(if connected.exists() {
                    emit![ShopReconnected { shop_id, name }]
                } else {
                    emit![ShopConnected { shop_id, name }]
                })
            })
    }
}

pub(crate) mod create_plan {
    use super::*;

    #[derive(Debug, Validate, DomainIds, Serialize, Deserialize)]
    pub(crate) struct Input {
        #[domain_id]
        pub(crate) plan_id: u64,
        #[domain_id]
        pub(crate) shop_id: u64,
        #[validate(length(min = 1, max = 20))]
        pub(crate) title: String,
        #[validate(range(min = 1, max = 120))]
        pub(crate) months: u32,
    }

    pub(crate) fn input(plan_id: u64) -> Input {
        Input {
            plan_id,
            shop_id: 42,
            title: "Gold".to_owned(),
            months: 24,
        }
    }

    pub(crate) fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        input.validate()?;
        Command::new(input, context)
            .fold::<ShopExistsFold>()
            .fold::<PlanFold>()
            .execute(|input, (shop_exists, plan)| {
                anyhow::ensure!(shop_exists, "shop does not exist");
                anyhow::ensure!(plan.title.is_none(), "plan already exists");
                let Input {
                    plan_id,
                    shop_id,
                    title,
                    months,
                } = input;
                Ok(emit![PlanCreated {
                    plan_id,
                    shop_id,
                    title,
                    months
                }])
            })
    }
}

#[derive(Debug, PartialEq, Clone, Copy)]
pub(crate) enum SaleError {
    UnknownPlan,
    Archived,
    SoldBefore,
}

impl std::fmt::Display for SaleError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UnknownPlan => "there is no such plan",
            Self::Archived => "the plan is archived",
            Self::SoldBefore => "this line item was sold before",
        })
    }
}

impl std::error::Error for SaleError {}

pub(crate) mod sell_warranty {
    use super::*;

    #[derive(Debug, DomainIds, Serialize, Deserialize)]
    pub(crate) struct Input {
        #[domain_id]
        pub(crate) plan_id: u64,
        #[domain_id]
        pub(crate) line_item_id: u64,
        pub(crate) price: String,
    }

    pub(crate) fn input(line_item_id: u64) -> Input {
        Input {
            plan_id: 1,
            line_item_id,
            price: "9.90".to_owned(),
        }
    }

    pub(crate) fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<PlanFold>()
            .fold_with(|input| {
                EventCounter::<WarrantySold>::new().with("line_item_id", input.line_item_id)
            })
            .execute(|input, (plan, sold)| {
                if plan.title.is_none() {
                    return Err(SaleError::UnknownPlan.into());
                }
                if plan.archived {
                    return Err(SaleError::Archived.into());
                }
                if sold > 0 {
                    return Err(SaleError::SoldBefore.into());
                }
                let Input {
                    plan_id,
                    line_item_id,
                    price,
                } = input;
                Ok(emit![WarrantySold {
                    plan_id,
                    line_item_id,
                    price
                }])
            })
    }

    /// As it is written by somebody who forgets that a line item is sold once.
    pub(crate) fn execute_carelessly(
        input: Input,
        context: CommandContext,
    ) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<PlanFold>()
            .execute(|input, plan| {
                anyhow::ensure!(plan.title.is_some(), "there is no such plan");
                let Input {
                    plan_id,
                    line_item_id,
                    price,
                } = input;
                Ok(emit![WarrantySold {
                    plan_id,
                    line_item_id,
                    price
                }])
            })
    }
}

#[derive(EventSet)]
pub(crate) enum PlansQuery {
    Created(PlanCreated),
    Archived(PlanArchived),
    Sold(WarrantySold),
}

/// The read model of plans.
pub(crate) struct Plans {
    sold: Statement,
}

impl Projector for Plans {
    type Query = PlansQuery;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "CREATE TABLE IF NOT EXISTS plans (
                plan_id TEXT PRIMARY KEY,
                title TEXT NOT NULL,
                archived INTEGER NOT NULL DEFAULT 0,
                sold INTEGER NOT NULL DEFAULT 0
            )",
        )?;
        Ok(Self {
            sold: prepare("UPDATE plans SET sold = sold + 1 WHERE plan_id = ?1"),
        })
    }

    fn handle(&mut self, event: StoredEvent<PlansQuery>) -> anyhow::Result<()> {
        match event.data {
            PlansQuery::Created(event) => {
                execute(
                    "INSERT INTO plans (plan_id, title) VALUES (?1, ?2)",
                    params![event.plan_id.to_string(), event.title],
                )?;
            }
            PlansQuery::Archived(event) => {
                execute(
                    "UPDATE plans SET archived = 1 WHERE plan_id = ?1",
                    params![event.plan_id.to_string()],
                )?;
            }
            PlansQuery::Sold(event) => {
                self.sold.execute(params![event.plan_id.to_string()])?;
            }
        }
        Ok(())
    }
}

pub(crate) const HOOKS: &str = "https://hooks.test/register";

/// Registers two webhooks for every shop that connects: fold-check, request, record.
pub(crate) struct RegisterWebhooks {
    client: Client,
    target: String,
}

/// Which topics of a shop are registered.
#[derive(DomainIds, FromDomainIds)]
pub(crate) struct RegisteredFold {
    #[domain_id]
    pub(crate) shop_id: u64,
}

impl Fold for RegisteredFold {
    type Events = SingleEvent<WebhookRegistered>;
    type State = Vec<String>;

    fn apply(&self, topics: &mut Vec<String>, event: StoredEvent<WebhookRegistered>) {
        topics.push(event.data.topic);
    }
}

/// The private input of an effect: neither `Serialize` nor `Clone`.
#[derive(DomainIds)]
pub(crate) struct Registration {
    #[domain_id]
    pub(crate) shop_id: u64,
    pub(crate) topic: String,
}

pub(crate) fn record_registration(
    input: Registration,
    context: CommandContext,
) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<RegisteredFold>()
        .execute(|input, topics| {
            if topics.contains(&input.topic) {
                return Ok(emit![]);
            }
            Ok(emit![WebhookRegistered {
                shop_id: input.shop_id,
                topic: input.topic
            }])
        })
}

impl Effect for RegisterWebhooks {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self {
            client: Client::new(),
            target: env::var("HOOKS")?,
        })
    }

    fn partition_key(&self, event: StoredEvent<ShopConnected>) -> Option<String> {
        Some(event.data.shop_id.to_string())
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        let shop_id = event.data.shop_id;
        let registered = FoldQuery::new().fold(RegisteredFold { shop_id }).run()?;
        for topic in ["paid", "cancelled"] {
            if registered.iter().any(|known| known == topic) {
                continue;
            }
            let answer = self
                .client
                .post(&self.target)
                .header("Idempotency-Key", format!("{}-{topic}", event.id))
                .json(&json!({ "shop": shop_id, "topic": topic }))
                .send()?;
            anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
            record_registration(
                Registration {
                    shop_id,
                    topic: topic.to_owned(),
                },
                CommandContext::new(),
            )?;
        }
        Ok(())
    }
}
