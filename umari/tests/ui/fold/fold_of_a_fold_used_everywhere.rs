use umari::prelude::*;

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("shop.connected")]
struct ShopConnected {
    #[domain_id]
    shop_id: u64,
}

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

#[derive(DomainIds, FromDomainIds)]
struct ShopExists {
    #[domain_id]
    shop_id: u64,
}

impl Fold for ShopExists {
    type Events = SingleEvent<ShopConnected>;
    type State = bool;

    fn apply(&self, exists: &mut bool, _event: StoredEvent<ShopConnected>) {
        *exists = true;
    }
}

#[derive(DomainIds, FromDomainIds)]
struct ShopIsNew {
    #[domain_id]
    shop_id: u64,
}

impl Fold for ShopIsNew {
    type Events = ShopExists;
    type State = bool;

    fn apply(&self, is_new: &mut bool, _exists: StoredEvent<ShopExists>) {
        *is_new = false;
    }
}

#[export_command]
fn connect_shop(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context)
        .fold::<ShopIsNew>()
        .fold_with(|input| ShopIsNew { shop_id: input.shop_id })
        .execute(|input, (is_new, _)| {
            anyhow::ensure!(is_new, "it exists");
            Ok(emit![ShopConnected { shop_id: input.shop_id }])
        })
}

fn is_new(shop_id: u64) -> Result<bool, umari::fold::FoldError> {
    FoldQuery::new().fold(ShopIsNew { shop_id }).run()
}

fn main() {
    use umari_testing::prelude::*;

    given_nothing().then_state(ShopIsNew { shop_id: 42 }, true);
    given_nothing().when(connect_shop, Input { shop_id: 42 }).then_nothing();
}
