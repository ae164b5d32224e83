use umari::prelude::*;

struct Money {
    cents: i64,
}

fn main() {
    let row = query_one("SELECT price FROM plans", params![]);
    let _: Money = row.get("price");
}
