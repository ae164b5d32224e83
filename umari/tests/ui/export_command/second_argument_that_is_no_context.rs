use umari::prelude::*;

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

struct Context {}

#[export_command]
fn connect_shop(_input: Input, _context: Context) -> anyhow::Result<ExecuteOutput> {
    Ok(ExecuteOutput::default())
}

fn main() {}
