use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected", version = 2u8)]
struct ShopConnected {}

fn main() {}
