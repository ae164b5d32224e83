use umari::prelude::*;
use umari_testing::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

#[derive(DomainIds)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

fn connect(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context).execute(|input, ()| {
        Ok(emit![ShopConnected { shop_id: input.shop_id }])
    })
}

fn main() {
    given_nothing()
        .when_racing([(connect, Input { shop_id: 42 }), (connect, Input { shop_id: 43 })])
        .then_conflict();
}
