use umari::prelude::*;

#[derive(DomainIds)]
struct Input {
    #[domain_id("shop:id")]
    shop: u64,
}

fn main() {}
