use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

enum ShopEvents {
    Connected(ShopConnected),
}

#[derive(DomainIds, FromDomainIds)]
struct ShopExists {
    #[domain_id]
    shop_id: u64,
}

impl Fold for ShopExists {
    type Events = ShopEvents;
    type State = bool;

    fn apply(&self, exists: &mut bool, event: StoredEvent<ShopEvents>) {
        match event.data {
            ShopEvents::Connected(_) => *exists = true,
        }
    }
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

#[export_command]
fn connect_shop(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<ShopExists>()
        .execute(|input, exists| {
            anyhow::ensure!(!exists, "connected already");
            Ok(emit![ShopConnected {
                shop_id: input.shop_id
            }])
        })
}

fn main() {}
