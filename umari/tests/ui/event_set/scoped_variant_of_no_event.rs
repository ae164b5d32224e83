use umari::prelude::*;

struct ShopConnected {
    shop_id: u64,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.closed")]
struct ShopClosed {
    #[domain_id]
    shop_id: u64,
}

#[derive(EventSet)]
enum Query {
    #[scope(shop_id)]
    ShopConnected(ShopConnected),
    ShopClosed(ShopClosed),
}

struct Shops {}

impl Projector for Shops {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        Ok(Shops {})
    }

    fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
        match event.data {
            Query::ShopConnected(connected) => drop(connected.shop_id),
            Query::ShopClosed(closed) => drop(closed.shop_id),
        }
        Ok(())
    }
}

fn main() {}
