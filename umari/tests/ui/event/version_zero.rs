use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected", version = 0)]
struct ShopConnected {}

fn main() {}
