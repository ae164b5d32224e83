use umari::prelude::*;
use umari_testing::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

struct Greet;

fn main() {
    let shop = given_nothing().when_event(ShopConnected { shop_id: 42 });
    shop.run::<Greet>().then_nothing();
}
