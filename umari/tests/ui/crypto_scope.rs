use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct NoDomainId {
    #[crypto_scope]
    email: String,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct Two {
    #[domain_id]
    #[crypto_scope]
    shop_id: u64,
    #[domain_id]
    #[crypto_scope]
    user_id: u64,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct Argument {
    #[domain_id]
    #[crypto_scope("shop")]
    shop_id: u64,
}

fn main() {}
