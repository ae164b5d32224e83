use umari::prelude::*;

struct ShopId(u64);

#[derive(DomainIds)]
struct Input {
    #[domain_id]
    shop_id: Option<ShopId>,
}

fn main() {}
