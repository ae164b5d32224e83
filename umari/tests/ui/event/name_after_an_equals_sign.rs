use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type = "shop.connected"]
struct ShopConnected {}

fn main() {}
