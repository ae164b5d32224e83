use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type(shop_connected)]
struct ShopConnected {}

fn main() {}
