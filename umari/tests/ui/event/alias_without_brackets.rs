use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected", aliases = "shop.added")]
struct ShopConnected {}

fn main() {}
