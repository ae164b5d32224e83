use umari::prelude::*;

fn main() {
    let _ = named_params! { "?1": 990 };
}
