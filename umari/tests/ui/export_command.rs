use umari::prelude::*;

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {}

#[export_command(name = "Connect_Shop")]
fn named(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context).execute(|_, ()| Ok(emit![]))
}

#[export_command]
fn connect_2nd(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context).execute(|_, ()| Ok(emit![]))
}

#[export_command("connect-shop")]
fn positional(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    Command::new(input, context).execute(|_, ()| Ok(emit![]))
}

#[export_command]
fn no_context(_input: Input) -> anyhow::Result<ExecuteOutput> {
    unreachable!()
}

#[export_command]
async fn generic<T>(_input: T, _context: CommandContext) -> anyhow::Result<ExecuteOutput> {
    unreachable!()
}

#[export_command]
fn no_answer(_input: Input, _context: CommandContext) {}

#[export_command]
fn swapped(_context: CommandContext, _input: Input) -> anyhow::Result<ExecuteOutput> {
    unreachable!()
}

#[export_command]
struct NotAFunction;

fn main() {}
