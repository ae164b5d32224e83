use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct ShopConnected {
    #[crypto_scope]
    email: String,
}

fn main() {}
