use umari::prelude::*;

#[export_command]
fn connect_shop() -> anyhow::Result<ExecuteOutput> {
    Ok(ExecuteOutput::default())
}

fn main() {}
