use umari::prelude::*;

#[derive(Deserialize)]
struct ShopConnectedV1 {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
#[upcast(version = 1, from = ShopConnectedV1)]
struct ShopConnected {}

impl From<ShopConnectedV1> for ShopConnected {
    fn from(_: ShopConnectedV1) -> Self {
        ShopConnected {}
    }
}

fn main() {}
