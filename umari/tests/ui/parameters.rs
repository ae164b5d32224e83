use umari::prelude::*;

fn main() {
    let shop_id: u64 = 42;
    let _ = params![shop_id];
    let _ = execute("DELETE FROM shops WHERE shop_id = ?1", 42_i64);
    let row = query_one("SELECT 1", params![]);
    let _: f32 = row.get(0);
    let _: i64 = row.get(0_i32);
}
