use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

#[derive(DomainIds, FromDomainIds)]
struct ShopExists {
    #[domain_id]
    shop_id: u64,
}

impl Fold for ShopExists {
    type Events = SingleEvent<ShopConnected>;
    type State = bool;

    fn apply(&self, _exists: bool, _event: StoredEvent<ShopConnected>) -> bool {
        true
    }
}

fn main() {}
