use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

struct Count(u64);

#[derive(DomainIds, FromDomainIds)]
struct Connections {
    #[domain_id]
    shop_id: u64,
}

impl Fold for Connections {
    type Events = SingleEvent<ShopConnected>;
    type State = Count;

    fn apply(&self, count: &mut Count, _event: StoredEvent<ShopConnected>) {
        count.0 += 1;
    }
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

fn connect_shop(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<Connections>()
        .execute(|_, _| Ok(emit![]))
}

fn main() {}
