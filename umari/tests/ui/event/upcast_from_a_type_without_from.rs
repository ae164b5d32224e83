use umari::prelude::*;

#[derive(Deserialize)]
struct ShopConnectedV1 {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected", version = 2)]
#[upcast(version = 1, from = ShopConnectedV1)]
struct ShopConnected {}

fn main() {}
