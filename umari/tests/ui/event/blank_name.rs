use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type(" \t")]
struct ShopConnected {}

fn main() {}
