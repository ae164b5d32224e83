use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopsMerged {
    #[domain_id("shop_id")]
    #[crypto_scope]
    shops: Vec<u64>,
}

fn main() {}
