use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

#[derive(DomainIds, FromDomainIds)]
struct Connections {
    #[domain_id]
    shop_id: u64,
}

impl Decider for Connections {
    type Events = SingleEvent<ShopConnected>;
    type State = u64;
    type Input = ();

    const SNAPSHOT: Snapshot<Self> = Snapshot::after(100);

    fn initial(&self) -> u64 {
        0
    }

    fn evolve(&self, count: u64, _event: StoredEvent<ShopConnected>) -> u64 {
        count + 1
    }

    fn decide(&self, _input: (), _count: u64) -> anyhow::Result<Emit> {
        Ok(emit![])
    }
}

fn main() {}
