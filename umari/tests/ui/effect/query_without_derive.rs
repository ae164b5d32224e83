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

struct Register {}

impl Effect for Register {
    type Query = Query;

    fn init() -> anyhow::Result<Self> {
        Ok(Register {})
    }

    fn handle(&mut self, event: StoredEvent<Query>) -> anyhow::Result<()> {
        let Query::Connected(_shop) = event.data;
        Ok(())
    }
}

export_effect!(Register);

fn main() {}
