use umari::prelude::*;

fn main() {
    let row = query_one("SELECT count(*) FROM plans", params![]);
    let _: i64 = row.get(0_i32);
}
