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

mod owners {
    use super::*;

    struct Owners {}

    impl Projector for Owners {
        type Query = SingleEvent<ShopConnected>;

        fn init() -> anyhow::Result<Self> {
            Ok(Owners {})
        }

        fn handle(&mut self, _event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
            Ok(())
        }
    }

    export_projector!(Owners);
}

fn main() {}
