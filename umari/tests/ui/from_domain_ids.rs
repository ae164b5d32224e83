use umari::prelude::*;

#[derive(DomainIds, FromDomainIds)]
struct Both {
    #[domain_id]
    #[from_domain_id(default)]
    shop_id: u64,
}

#[derive(DomainIds, FromDomainIds)]
struct Unknown {
    #[from_domain_id(skip)]
    since: u64,
}

struct NoDefault;

#[derive(DomainIds, FromDomainIds)]
struct Defaults {
    #[from_domain_id(default)]
    value: NoDefault,
}

fn main() {}
