use umari::prelude::*;

#[export_command]
struct ConnectShop;

fn main() {}
