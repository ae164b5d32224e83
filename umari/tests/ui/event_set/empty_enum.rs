use umari::prelude::*;

#[derive(EventSet)]
enum Query {}

fn main() {}
