use umari::prelude::*;

struct Shops {}

export_projector!(Shops);

fn main() {}
