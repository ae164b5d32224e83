use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

fn exists() -> Result<bool, FoldError> {
    let connected = FoldQuery::new().fold(ShopConnected { shop_id: 42 }).run()?;
    Ok(connected.exists())
}

fn main() {}
