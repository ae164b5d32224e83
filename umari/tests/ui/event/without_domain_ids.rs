use umari::prelude::*;

#[derive(Event, Serialize, Deserialize)]
struct ShopConnected {}

fn main() {}
