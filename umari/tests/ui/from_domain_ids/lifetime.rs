use umari::prelude::*;

#[derive(DomainIds, FromDomainIds)]
struct ShopExists<'a> {
    #[domain_id]
    shop_id: u64,
    name: &'a str,
}

fn main() {}
