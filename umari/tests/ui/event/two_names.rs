use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
#[event_type("shop.added")]
struct ShopConnected {}

fn main() {}
