use umari::prelude::*;

#[derive(DomainIds, FromDomainIds)]
enum ShopExists {
    Yes,
    No,
}

fn main() {}
