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

struct Mails {}

impl Effect for Mails {
    type Query = SingleEvent<ShopConnected>;

    fn init() -> anyhow::Result<Self> {
        Ok(Mails {})
    }

    fn handle(&mut self, _event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
        Ok(())
    }
}

export_effect!(Hooks);
export_effect!(Mails);

fn main() {}
