use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("")]
struct ShopConnected {}

fn main() {}
