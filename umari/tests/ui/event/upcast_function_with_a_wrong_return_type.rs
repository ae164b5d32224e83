use umari::prelude::*;

fn rename(_: serde_json::Value) -> String {
    String::new()
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected", version = 2)]
#[upcast(version = 1, with = rename)]
struct ShopConnected {}

fn main() {}
