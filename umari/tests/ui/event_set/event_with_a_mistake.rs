use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.closed")]
struct ShopClosed {
    #[domain_id]
    shop_id: u64,
}

// The mistake is in an event; the set has none of its own.
#[derive(EventSet)]
enum Query {
    #[scope(shop_id)]
    ShopConnected(ShopConnected),
    ShopClosed(ShopClosed),
}

fn main() {}
