use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected(#[domain_id] u64);

fn main() {}
