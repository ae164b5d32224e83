use umari::prelude::*;

#[derive(Deserialize)]
struct ShopConnectedV1 {}

#[derive(Deserialize)]
struct ShopConnectedV2 {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected", version = 3)]
#[upcast(version = 1, from = ShopConnectedV1)]
#[upcast(version = 2, from = ShopConnectedV2)]
struct ShopConnected {}

impl From<ShopConnectedV2> for ShopConnected {
    fn from(_: ShopConnectedV2) -> Self {
        ShopConnected {}
    }
}

fn main() {}
