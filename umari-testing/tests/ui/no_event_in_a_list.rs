use umari::prelude::*;
use umari_testing::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

struct ShopClosed {
    shop_id: u64,
}

fn main() {
    let _ = given(events![ShopConnected { shop_id: 42 }, ShopClosed { shop_id: 42 }]);
}
