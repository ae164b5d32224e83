use umari::prelude::*;

#[derive(DomainIds, FromDomainIds)]
struct ShopExists {
    #[domain_id]
    #[from_domain_id(default)]
    shop_id: u64,
}

fn main() {}
