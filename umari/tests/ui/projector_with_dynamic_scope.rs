use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct Opened {
    #[domain_id]
    shop_id: u64,
}

#[derive(EventSet)]
enum Query {
    #[scope(shop_id)]
    Opened(Opened),
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
