use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

fn main() {
    let _ = EventToggle::<ShopConnected, ShopConnected>::new();
}
