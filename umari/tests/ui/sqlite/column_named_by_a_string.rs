use umari::prelude::*;

fn main() {
    let name = "title".to_owned();
    let row = query_one("SELECT title FROM plans", params![]);
    let _: String = row.get(name);
}
