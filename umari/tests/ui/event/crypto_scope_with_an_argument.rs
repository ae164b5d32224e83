use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected {
    #[domain_id]
    #[crypto_scope("shop_id")]
    shop_id: u64,
}

fn main() {}
