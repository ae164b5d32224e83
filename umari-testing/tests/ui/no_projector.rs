use umari::prelude::*;
use umari_testing::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

struct Shops;

fn main() {
    let shops = given(events![ShopConnected { shop_id: 42 }]).project::<Shops>();
    shops.then_rows("SELECT count(*) FROM shops", rows![[1]]);
}
