use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

#[derive(Default, Deserialize)]
struct Count(u64);

#[derive(DomainIds, FromDomainIds, Serialize)]
struct Connections {
    #[domain_id]
    shop_id: u64,
}

impl Fold for Connections {
    type Events = SingleEvent<ShopConnected>;
    type State = Count;

    const SNAPSHOT: Snapshot<Self> = Snapshot::after(100);

    fn apply(&self, count: &mut Count, _event: StoredEvent<ShopConnected>) {
        let _ = count;
    }
}

fn main() {}
