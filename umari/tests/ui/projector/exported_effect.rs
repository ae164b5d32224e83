use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

struct Hooks {}

impl Effect for Hooks {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Hooks {})
    }

    fn handle(&mut self, _event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        Ok(())
    }
}

export_projector!(Hooks);

fn main() {}
