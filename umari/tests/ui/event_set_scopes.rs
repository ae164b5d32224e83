use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct Opened {
    #[domain_id]
    shop_id: u64,
}

#[derive(EventSet)]
enum Syntax {
    #[scope]
    Opened(Opened),
}

#[derive(EventSet)]
enum Values {
    #[scope(shop_id = 42)]
    Opened(Opened),
}

#[derive(EventSet)]
enum Repeated {
    #[scope(shop_id, shop_id = "42")]
    Opened(Opened),
}

#[derive(EventSet)]
enum Misspelt {
    #[scope(shopid)]
    Opened(Opened),
}

fn main() {}
