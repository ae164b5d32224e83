use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected {
    #[domain_id]
    #[crypto_scope]
    shop_id: u64,
    #[domain_id]
    #[crypto_scope]
    user_id: u64,
}

fn main() {}
