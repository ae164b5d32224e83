use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

fn decide(input: Input, connected: bool) -> anyhow::Result<Emit> {
    anyhow::ensure!(!connected, "it is connected");
    Ok(emit![ShopConnected { shop_id: input.shop_id }])
}

fn connect_shop(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventCounter<ShopConnected>>()
        .execute(decide)
}

fn main() {}
