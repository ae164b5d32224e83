//! Values and rows.

use umari::host::Rows;
use umari::prelude::*;
use umari::sqlite::Params;

fn row() -> Row {
    let columns = ["id", "title", "price", "sold", "gone"]
        .map(str::to_owned)
        .to_vec();
    let id = Uuid::nil();
    let values = params![id, "2 years", 1.5, true, None::<i64>].to_vec();
    Row::all(Rows {
        columns,
        rows: vec![values],
    })
    .next()
    .unwrap()
}

#[test]
fn columns_are_read_by_name_and_place() {
    let row = row();
    assert_eq!(row.get::<&str, Uuid>("id"), Uuid::nil());
    let title: String = row.get(1);
    let gone: Option<i64> = row.get("gone");
    assert_eq!((title.as_str(), gone), ("2 years", None));
    assert!(row.get::<_, bool>("sold"));
    assert_eq!(row.get::<_, u8>(3), 1);
    let (_, _, price, _, sold): (String, String, f64, i64, Option<String>) = row.tuple();
    assert_eq!((price, sold), (1.5, None));
}

#[test]
fn borrowed_parameters_are_copied() {
    let (name, bytes) = ("x".to_owned(), vec![1_u8]);
    let values = params![&name, &bytes, Some(&name), &7_u32];
    assert_eq!(values.values()[2], SqliteValue::Text(name));
    assert_eq!(values.values()[3], SqliteValue::Integer(7));
    assert_eq!(params![].values(), []);
}

#[test]
#[should_panic(expected = "the row has no column `nam`; it has: id, title, price, sold, gone")]
fn an_unknown_column_names_the_known_ones() {
    let _: String = row().get("nam");
}

#[test]
#[should_panic(expected = "column `title` is TEXT, which cannot be read as `i64`; the columns are")]
fn a_mismatch_names_both_types() {
    let _: i64 = row().get("title");
}

#[test]
#[should_panic(
    expected = "column number 4 (from 0) is NULL, which cannot be read as `String`; read it as an `Option`"
)]
fn null_says_option() {
    let _: String = row().get(4);
}
