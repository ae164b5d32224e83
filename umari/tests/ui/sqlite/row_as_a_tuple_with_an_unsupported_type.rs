use umari::prelude::*;

struct Money {
    cents: i64,
}

fn main() {
    let row = query_one("SELECT title, price FROM plans", params![]);
    let _: (String, Money) = row.tuple();
}
