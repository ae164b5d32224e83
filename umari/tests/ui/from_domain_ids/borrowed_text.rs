use umari::prelude::*;

#[derive(DomainIds, FromDomainIds)]
struct ShopExists {
    #[domain_id]
    shop_id: &'static str,
}

fn main() {}
