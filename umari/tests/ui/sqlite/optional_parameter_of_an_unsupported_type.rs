use umari::prelude::*;

struct Money {
    cents: i64,
}

fn main() {
    let price = Money { cents: 990 };
    let _ = params![Some(&price)];
}
