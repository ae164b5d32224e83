use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

enum Query {
    Connected(ShopConnected),
}

struct Shops {}

impl Projector for Shops {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        Ok(Shops {})
    }

    fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
        let Query::Connected(_shop) = event.data;
        Ok(())
    }
}

export_projector!(Shops);

fn main() {}
