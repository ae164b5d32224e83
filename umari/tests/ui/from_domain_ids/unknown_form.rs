use umari::prelude::*;

#[derive(DomainIds, FromDomainIds)]
struct SoldSince {
    #[domain_id]
    shop_id: u64,
    #[from_domain_id(skip)]
    since: u64,
}

fn main() {}
