use umari::prelude::*;
use umari_testing::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

fn connect(input: Input) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, CommandContext::new()).execute(|input, ()| {
        Ok(emit![ShopConnected { shop_id: input.shop_id }])
    })
}

fn main() {
    given_nothing().when(connect, Input { shop_id: 42 }).then_nothing();
}
