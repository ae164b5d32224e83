use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop\n.connected")]
struct ShopConnected {}

fn main() {}
