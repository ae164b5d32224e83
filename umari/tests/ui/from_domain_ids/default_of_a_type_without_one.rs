use umari::prelude::*;

enum Currency {
    Euro,
}

#[derive(DomainIds, FromDomainIds)]
struct Revenue {
    #[domain_id]
    shop_id: u64,
    #[from_domain_id(default)]
    currency: Currency,
}

fn main() {}
