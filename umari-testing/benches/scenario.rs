//! How long one scenario of the usual size takes: three given events, a command with two folds, every
//! check on.
//!
//!     cargo bench -p umari-testing --bench scenario
//!
//! The number is for people to read. The target is less than 1,000 microseconds, also in the `dev`
//! profile, in which tests run: `cargo bench -p umari-testing --bench scenario --profile dev`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use umari::prelude::*;
use umari_testing::prelude::*;

/// Batches, of which the fastest counts: it was disturbed the least.
const BATCHES: u32 = 20;
/// Scenarios in a batch.
const SCENARIOS: u32 = 100;

#[derive(Clone, Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
    name: String,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("plan.created")]
struct PlanCreated {
    #[domain_id]
    plan_id: u64,
    #[domain_id]
    shop_id: u64,
    title: String,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct CreatePlan {
    #[domain_id]
    plan_id: u64,
    #[domain_id]
    shop_id: u64,
    title: String,
}

fn create_plan(input: CreatePlan, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold_with(|input| EventCounter::<ShopConnected>::new().with("shop_id", input.shop_id))
        .fold_with(|input| EventCounter::<PlanCreated>::new().with("plan_id", input.plan_id))
        .execute(|input, (shops, plans)| {
            anyhow::ensure!(shops > 0, "shop does not exist");
            anyhow::ensure!(plans == 0, "plan already exists");
            let CreatePlan {
                plan_id,
                shop_id,
                title,
            } = input;
            Ok(emit![PlanCreated {
                plan_id,
                shop_id,
                title
            }])
        })
}

struct Plans;

impl Projector for Plans {
    type Query = SingleEvent<PlanCreated>;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE IF NOT EXISTS plans (plan_id TEXT PRIMARY KEY, title TEXT)")?;
        Ok(Self)
    }

    fn handle(&mut self, event: StoredEvent<PlanCreated>) -> anyhow::Result<()> {
        let plan = event.data;
        execute(
            "INSERT INTO plans VALUES (?1, ?2)",
            params![plan.plan_id.to_string(), plan.title],
        )?;
        Ok(())
    }
}

fn connected(shop_id: u64) -> ShopConnected {
    ShopConnected {
        shop_id,
        name: "Tea & Kettles".to_owned(),
    }
}

fn plan(plan_id: u64) -> PlanCreated {
    PlanCreated {
        plan_id,
        shop_id: 42,
        title: "Two years".to_owned(),
    }
}

fn input() -> CreatePlan {
    CreatePlan {
        plan_id: 2,
        shop_id: 42,
        title: "Two years".to_owned(),
    }
}

fn history() -> Given {
    given(events![connected(42), connected(43), plan(1)])
}

fn command() {
    black_box(history().when(create_plan, input()).then(events![plan(2)]));
}

fn race() {
    let race = history().when_racing([(create_plan, input()), (create_plan, input())]);
    black_box(race.then_winners(1));
}

fn projector() {
    let rows = rows![["1", "Two years"]];
    black_box(
        history()
            .project::<Plans>()
            .then_rows("SELECT * FROM plans", rows),
    );
}

/// The time of one scenario, in the fastest batch.
fn time(scenario: fn()) -> Duration {
    let batches = (0..BATCHES).map(|_| {
        let start = Instant::now();
        (0..SCENARIOS).for_each(|_| scenario());
        start.elapsed() / SCENARIOS
    });
    batches.min().unwrap_or_default()
}

fn main() {
    let scenarios: [(&str, fn()); 3] = [
        ("a command with two folds", command),
        ("a race of two commands", race),
        ("a projector", projector),
    ];
    for (name, scenario) in scenarios {
        println!("{name:<26}{:>8} us", time(scenario).as_micros());
    }
}
