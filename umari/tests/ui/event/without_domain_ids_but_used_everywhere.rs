use umari::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct ShopConnected {
    shop_id: u64,
}

#[derive(EventSet)]
enum Query {
    #[scope(shop_id)]
    ShopConnected(ShopConnected),
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

#[export_command]
fn connect_shop(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<EventFold<ShopConnected>>()
        .execute(|input, connected| {
            anyhow::ensure!(!connected.exists(), "connected already");
            Ok(emit![ShopConnected { shop_id: input.shop_id }])
        })
}

fn main() {}
