use umari::prelude::*;

fn main() {
    let _ = params![42_u128];
}
