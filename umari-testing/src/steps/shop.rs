// The domain of the examples in `steps.rs`, which include it. No module of this crate.

use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
pub struct ShopConnected {
    #[domain_id]
    #[crypto_scope]
    pub shop_id: u64,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.created")]
pub struct PlanCreated {
    #[domain_id]
    pub plan_id: u64,
    #[domain_id]
    pub shop_id: u64,
    pub months: u32,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.greeted")]
pub struct ShopGreeted {
    #[domain_id]
    pub shop_id: u64,
}

pub fn connected(shop_id: u64) -> ShopConnected {
    ShopConnected { shop_id }
}

pub fn plan(plan_id: u64) -> PlanCreated {
    PlanCreated {
        plan_id,
        shop_id: 42,
        months: 24,
    }
}

#[derive(Debug, PartialEq)]
pub enum PlanError {
    UnknownShop,
    Exists,
}

impl std::fmt::Display for PlanError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::UnknownShop => "shop does not exist",
            Self::Exists => "plan already exists",
        })
    }
}

impl std::error::Error for PlanError {}

pub mod connect_shop {
    use super::*;

    #[derive(DomainIds, Serialize, Deserialize)]
    pub struct Input {
        #[domain_id]
        pub shop_id: u64,
    }

    pub fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context)
            .fold::<EventCounter<ShopConnected>>()
            .execute(|input, connected| {
                anyhow::ensure!(connected == 0, "shop is already connected");
                Ok(emit![ShopConnected {
                    shop_id: input.shop_id
                }])
            })
    }
}

pub mod create_plan {
    use super::*;

    #[derive(DomainIds, Serialize, Deserialize)]
    pub struct Input {
        #[domain_id]
        pub plan_id: u64,
        #[domain_id]
        pub shop_id: u64,
        pub months: u32,
    }

    pub fn input(plan_id: u64) -> Input {
        Input {
            plan_id,
            shop_id: 42,
            months: 24,
        }
    }

    pub fn execute(input: Input, context: CommandContext) -> Result<ExecuteOutput, anyhow::Error> {
        Command::new(input, context)
            .fold_with(|input| EventCounter::<ShopConnected>::new().with("shop_id", input.shop_id))
            .fold_with(|input| EventCounter::<PlanCreated>::new().with("plan_id", input.plan_id))
            .execute(|input, (shops, plans)| {
                if shops == 0 {
                    return Err(PlanError::UnknownShop.into());
                }
                if plans > 0 {
                    return Err(PlanError::Exists.into());
                }
                let create_plan::Input {
                    plan_id,
                    shop_id,
                    months,
                } = input;
                Ok(emit![PlanCreated {
                    plan_id,
                    shop_id,
                    months
                }])
            })
    }
}

pub struct Plans;

impl Projector for Plans {
    type Query = SingleEvent<PlanCreated>;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "CREATE TABLE IF NOT EXISTS plans (plan_id INTEGER PRIMARY KEY, months INTEGER)",
        )?;
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<PlanCreated>) -> anyhow::Result<()> {
        let PlanCreated {
            plan_id, months, ..
        } = event.data;
        anyhow::ensure!(months < 1_000, "nobody lives that long");
        execute(
            "INSERT INTO plans VALUES (?1, ?2)",
            params![plan_id as i64, months],
        )?;
        Ok(())
    }
}

pub const GREET: &str = "https://greet.test/";

pub struct Greet;

impl Effect for Greet {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn partition_key(&self, event: StoredEvent<ShopConnected>) -> Option<String> {
        Some(event.data.shop_id.to_string())
    }

    fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        let shop_id = event.data.shop_id;
        let greeted = || EventCounter::<ShopGreeted>::new().with("shop_id", shop_id);
        if FoldQuery::new().fold(greeted()).run()? > 0 {
            return Ok(());
        }
        let answer = Client::new()
            .post(GREET)
            .header("Idempotency-Key", event.id.to_string())
            .json(&json!({ "shop": shop_id }))
            .send()?;
        anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
        Command::new(connect_shop::Input { shop_id }, CommandContext::new())
            .fold_with(|_| greeted())
            .execute(|input, greeted| {
                Ok(match greeted {
                    0 => emit![ShopGreeted {
                        shop_id: input.shop_id
                    }],
                    _ => emit![],
                })
            })?;
        Ok(())
    }
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("erasure.requested")]
pub struct ErasureRequested {
    #[domain_id]
    pub shop_id: u64,
}

pub struct Erase;

impl Effect for Erase {
    type Query = SingleEvent<ErasureRequested>;

    fn init() -> anyhow::Result<Self> {
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<ErasureRequested>) -> anyhow::Result<()> {
        umari::crypto::shred("shop_id", event.data.shop_id)?;
        Ok(())
    }
}
