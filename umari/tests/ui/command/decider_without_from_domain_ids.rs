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

#[derive(DomainIds)]
struct Connections {
    #[domain_id]
    shop_id: u64,
}

impl Decider for Connections {
    type Events = SingleEvent<ShopConnected>;
    type State = u32;
    type Input = Input;

    fn initial(&self) -> u32 {
        0
    }

    fn evolve(&self, count: u32, _event: StoredEvent<ShopConnected>) -> u32 {
        count + 1
    }

    fn decide(&self, input: Input, _count: u32) -> anyhow::Result<Emit> {
        Ok(emit![ShopConnected { shop_id: input.shop_id }])
    }
}

fn connect_shop(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context).decide::<Connections>()
}

fn main() {}
