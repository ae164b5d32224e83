use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

fn count() -> Result<u64, FoldError> {
    let counter = EventCounter::<ShopConnected>::new;
    let counts = FoldQuery::new()
        .fold(counter())
        .fold(counter())
        .fold(counter())
        .fold(counter())
        .fold(counter())
        .fold(counter())
        .fold(counter())
        .fold(counter())
        .fold(counter())
        .fold(counter())
        .fold(counter())
        .fold(counter())
        .fold(counter())
        .run()?;
    Ok(counts.0)
}

fn main() {}
