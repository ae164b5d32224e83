use umari::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct ShopConnected {
    shop_id: u64,
}

#[derive(EventSet)]
enum Query {
    #[scope(shop_id)]
    ShopConnected(ShopConnected),
}

fn main() {}
