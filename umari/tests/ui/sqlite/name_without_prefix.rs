use umari::prelude::*;

fn main() {
    let _ = named_params! { "price": 990 };
}
