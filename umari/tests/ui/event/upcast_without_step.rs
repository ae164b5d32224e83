use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected", version = 2)]
#[upcast(version = 1)]
struct ShopConnected {}

fn main() {}
