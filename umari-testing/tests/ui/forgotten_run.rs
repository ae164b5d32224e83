use umari::prelude::*;
use umari_testing::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

#[deny(unused_must_use)]
fn main() {
    given_nothing().when_event(ShopConnected { shop_id: 42 });
}
