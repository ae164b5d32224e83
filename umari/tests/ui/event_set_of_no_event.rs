use umari::prelude::*;

struct Opened {}

#[derive(EventSet)]
enum Query {
    Opened(Opened),
}

fn main() {}
