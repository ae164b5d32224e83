use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

mod shops {
    use super::*;

    struct Shops {}

    impl Projector for Shops {
        type Query = SingleEvent<ShopConnected>;

        fn init() -> anyhow::Result<Self> {
            Ok(Shops {})
        }

        fn handle(&mut self, _event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
            Ok(())
        }
    }

    export_projector!(Shops);
}

mod hooks {
    use super::*;

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

    export_effect!(Hooks);
}

fn main() {}
