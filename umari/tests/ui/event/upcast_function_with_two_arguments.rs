use umari::prelude::*;

fn rename(_: serde_json::Value, _: u32) -> serde_json::Value {
    json!({})
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected", version = 2)]
#[upcast(version = 1, with = rename)]
struct ShopConnected {}

fn main() {}
