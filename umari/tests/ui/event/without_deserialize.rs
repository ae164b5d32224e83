use umari::prelude::*;

#[derive(Event, DomainIds, Serialize)]
struct ShopConnected {}

fn main() {}
