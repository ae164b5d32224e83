use umari::prelude::*;

struct Money {
    cents: i64,
}

fn main() {
    let price = Money { cents: 990 };
    let _ = params![price];
    let _ = params![1, Some(&price)];
    let _ = named_params! { ":price": price };
    let _ = execute("DELETE FROM shops WHERE shop_id = ?1", 42_i64);
    let row = query_one("SELECT 1", params![]);
    let _: Money = row.get(0);
    let _: i64 = row.get(0_i32);
}
