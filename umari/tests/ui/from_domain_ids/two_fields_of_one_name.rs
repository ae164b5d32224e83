use umari::prelude::*;

#[derive(DomainIds, FromDomainIds)]
struct Renamed {
    #[domain_id("username")]
    from: String,
    #[domain_id("username")]
    to: String,
}

fn main() {}
