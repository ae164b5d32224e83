use umari::prelude::*;

#[export_command]
fn connect_shop<I: DomainIds>(input: I, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context).execute(|_, ()| Ok(emit![]))
}

fn main() {}
