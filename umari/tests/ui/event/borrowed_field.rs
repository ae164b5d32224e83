use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected<'a> {
    #[domain_id]
    shop_id: u64,
    name: &'a str,
}

fn main() {}
