use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

struct Hooks {}

impl Effect for Hooks {
    type Query = ShopConnected;

    fn init() -> anyhow::Result<Self> {
        Ok(Hooks {})
    }

    fn partition_key(&self, event: StoredEvent<ShopConnected>) -> Option<String> {
        Some(event.data.shop_id.to_string())
    }

    fn handle(&mut self, _event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        Ok(())
    }
}

export_effect!(Hooks);

fn main() {}
