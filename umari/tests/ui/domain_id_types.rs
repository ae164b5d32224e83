use umari::prelude::*;

#[derive(DomainIds)]
struct Float {
    #[domain_id]
    price: f64,
}

#[derive(DomainIds, FromDomainIds)]
struct Unreadable {
    #[domain_id]
    topic: &'static str,
}

fn main() {}
