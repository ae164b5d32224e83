use umari::prelude::*;

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

struct Shop {}

impl Shop {
    #[export_command]
    fn connect_shop(&self, input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context).execute(|_, ()| Ok(emit![]))
    }
}

fn main() {}
