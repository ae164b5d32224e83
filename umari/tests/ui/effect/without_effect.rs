use umari::prelude::*;

struct Hooks {}

export_effect!(Hooks);

fn main() {}
