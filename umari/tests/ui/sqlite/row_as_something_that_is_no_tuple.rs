use umari::prelude::*;

fn main() {
    let row = query_one("SELECT title FROM plans", params![]);
    let _: String = row.tuple();
}
