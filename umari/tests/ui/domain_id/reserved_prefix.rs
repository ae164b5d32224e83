use umari::prelude::*;

#[derive(DomainIds)]
struct Input {
    #[domain_id("umari.key")]
    key: u64,
}

fn main() {}
