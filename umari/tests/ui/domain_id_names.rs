use umari::prelude::*;

// Several mistakes, each reported once although two derives see them.
#[derive(DomainIds, FromDomainIds)]
struct Names {
    #[domain_id("a:b")]
    colon: u64,
    #[domain_id("umari.key")]
    reserved: u64,
    #[domain_id("")]
    empty: u64,
    #[domain_id]
    shop_id: u64,
    #[domain_id("shop_id")]
    again: u64,
}

#[derive(DomainIds, FromDomainIds)]
struct Forms {
    #[domain_id = "shop_id"]
    value: u64,
    #[domain_id(shop_id)]
    unquoted: u64,
    #[domain_id]
    #[domain_id]
    twice: u64,
}

fn main() {}
