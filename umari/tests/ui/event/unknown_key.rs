use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected", revision = 2)]
struct ShopConnected {}

fn main() {}
