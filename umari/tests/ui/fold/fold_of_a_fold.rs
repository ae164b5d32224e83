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

    fn apply(&self, exists: &mut bool, _event: StoredEvent<ShopConnected>) {
        *exists = true;
    }
}

#[derive(DomainIds, FromDomainIds)]
struct ShopIsNew {
    #[domain_id]
    shop_id: u64,
}

impl Fold for ShopIsNew {
    type Events = ShopExists;
    type State = bool;

    fn apply(&self, is_new: &mut bool, _exists: StoredEvent<ShopExists>) {
        *is_new = false;
    }
}

fn main() {}
