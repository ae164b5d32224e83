use umari::prelude::*;

struct Money {
    cents: i64,
}

fn main() {
    let price = Money { cents: 990 };
    let _ = named_params! { ":price": price };
}
