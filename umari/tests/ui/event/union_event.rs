use umari::prelude::*;

#[derive(Event, DomainIds)]
union ShopId {
    number: u64,
    bytes: [u8; 8],
}

fn main() {}
