use umari::prelude::*;

struct ShopConnected {}

#[derive(EventSet)]
enum Query {
    ShopConnected(ShopConnected),
}

fn main() {}
