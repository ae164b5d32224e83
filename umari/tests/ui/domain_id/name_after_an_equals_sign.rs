use umari::prelude::*;

#[derive(DomainIds)]
struct Input {
    #[domain_id = "shop_id"]
    shop: u64,
}

fn main() {}
