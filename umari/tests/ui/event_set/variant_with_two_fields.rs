use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

#[derive(EventSet)]
enum Query {
    Shop(ShopConnected, ShopConnected),
}

fn main() {}
