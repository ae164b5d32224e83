use umari::prelude::*;
use umari_testing::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

fn main() {
    let _ = given(vec![ShopConnected { shop_id: 42 }]);
}
