use umari::prelude::*;

// Three derives read the attribute; it is wrong once.
#[derive(Event, DomainIds, FromDomainIds, Serialize, Deserialize)]
struct ShopConnected {
    #[domain_id("shop:id")]
    #[crypto_scope]
    shop_id: u64,
}

#[derive(EventSet)]
enum Query {
    #[scope(shop_id)]
    ShopConnected(ShopConnected),
}

fn main() {}
