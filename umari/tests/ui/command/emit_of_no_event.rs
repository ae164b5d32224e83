use umari::prelude::*;

struct ShopConnected {
    shop_id: u64,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

fn connect_shop(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .execute(|input, ()| Ok(emit![ShopConnected { shop_id: input.shop_id }]))
}

fn main() {}
