use umari::prelude::*;

#[derive(Event, DomainIds, Deserialize)]
struct ShopConnected {}

fn main() {}
