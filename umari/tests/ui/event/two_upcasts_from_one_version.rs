use umari::prelude::*;

fn rename(data: serde_json::Value) -> serde_json::Value {
    data
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected", version = 2)]
#[upcast(version = 1, with = rename)]
#[upcast(version = 1, with = rename)]
struct ShopConnected {}

fn main() {}
