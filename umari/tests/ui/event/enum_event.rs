use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
enum ShopChanged {
    Connected,
    Disconnected,
}

fn main() {}
