use umari::prelude::*;

fn main() {
    let _ = execute("DELETE FROM shops WHERE shop_id = ?1", 42_i64);
}
