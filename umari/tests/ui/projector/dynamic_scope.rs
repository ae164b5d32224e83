use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

#[derive(EventSet)]
enum Query {
    #[scope(shop_id)]
    ShopConnected(ShopConnected),
}

struct Shops {}

impl Projector for Shops {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        Ok(Shops {})
    }

    fn handle(&mut self, _event: StoredEvent<Query>) -> anyhow::Result<()> {
        Ok(())
    }
}

export_projector!(Shops);

fn main() {}
