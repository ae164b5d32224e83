use umari::prelude::*;

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

#[export_command]
fn connect_shop(input: &Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(Input { shop_id: input.shop_id }, context).execute(|_, ()| Ok(emit![]))
}

fn main() {}
