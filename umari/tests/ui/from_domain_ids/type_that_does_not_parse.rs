use umari::prelude::*;

use std::fmt;

struct ShopId(u64);

impl fmt::Display for ShopId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[derive(DomainIds, FromDomainIds)]
struct ShopExists {
    #[domain_id]
    shop_id: ShopId,
}

fn main() {}
