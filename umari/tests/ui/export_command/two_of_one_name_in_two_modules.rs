use umari::prelude::*;

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

mod connect {
    use super::*;

    #[export_command(name = "connect-shop")]
    fn connect(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context).execute(|_, ()| Ok(emit![]))
    }
}

mod reconnect {
    use super::*;

    #[export_command(name = "connect-shop")]
    fn reconnect(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
        Command::new(input, context).execute(|_, ()| Ok(emit![]))
    }
}

fn main() {}
