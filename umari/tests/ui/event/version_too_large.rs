use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected", version = 4294967296)]
struct ShopConnected {}

fn main() {}
