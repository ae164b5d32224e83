use umari::prelude::*;

#[derive(DomainIds, Serialize, Deserialize)]
struct Input {
    #[domain_id]
    shop_id: u64,
}

struct Refused;

#[export_command]
fn connect_shop(_input: Input, _context: CommandContext) -> Result<ExecuteOutput, Refused> {
    Err(Refused)
}

fn main() {}
