//! Values and rows.

use chrono::NaiveDate;
use expect_test::expect;
use umari::host::Rows;
use umari::prelude::*;
use umari::sqlite::{ColumnError, FromSqliteValue, SqliteType};

use crate::panics::panic_of;

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
fn what_cannot_be_read_is_an_error() {
    let row = row();
    assert_eq!(row.try_get::<_, u8>("sold"), Ok(1));
    assert_eq!(row.try_get::<_, Option<String>>(4), Ok(None));
    assert_eq!(row.try_tuple(), Ok((Uuid::nil(), "2 years".to_owned())));
    let error = row.try_get::<_, String>("nam").unwrap_err();
    let ColumnError::NoSuchColumn {
        column, columns, ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!((column.as_str(), columns.len()), ("`nam`", 5));
    let error = row.try_tuple::<(Uuid, i64)>().unwrap_err();
    let ColumnError::Mismatch {
        column,
        actual,
        expected,
        hint,
        ..
    } = &error
    else {
        panic!("{error:?}");
    };
    assert_eq!(column, "number 1 (from 0)");
    assert_eq!((*actual, *expected), (SqliteType::Text, "i64"));
    assert_eq!(*hint, None);
}

/// The message of a column that cannot be read as `T`, where it is read and where it traps.
fn unread<T: FromSqliteValue>(value: impl Into<SqliteValue>) -> String {
    let row = Row::all(Rows {
        columns: vec!["a".to_owned()],
        rows: vec![vec![value.into()]],
    })
    .next()
    .unwrap();
    let Err(error) = row.try_get::<_, T>("a") else {
        panic!("it can be read");
    };
    let panic = panic_of(|| row.get::<_, T>("a"));
    assert_eq!(panic.message, error.to_string());
    panic.message
}

#[test]
fn the_message_says_what_is_wrong_with_the_value() {
    let messages = [
        unread::<String>(None::<i64>),
        unread::<bool>(2),
        unread::<u8>(-1),
        unread::<i64>(1.0),
        unread::<u64>(-1),
        unread::<f32>(1e39),
        unread::<f64>(1),
        unread::<String>(1.5),
        unread::<Box<str>>(1),
        unread::<String>(vec![1_u8]),
        unread::<Vec<u8>>("x"),
        unread::<Uuid>("x"),
        unread::<DateTime<Utc>>("2026-01-31 09:30:00"),
        unread::<NaiveDate>("2026-1-31"),
        unread::<Option<NaiveDate>>("soon"),
        unread::<NaiveDate>(20_260_131),
        unread::<serde_json::Value>("{"),
    ];
    expect![[r#"
        column `a` is NULL, which cannot be read as `String`; read it as an `Option`; the columns are: a
        column `a` is INTEGER, which cannot be read as `bool`; a bool is 0 or 1, not 2; the columns are: a
        column `a` is INTEGER, which cannot be read as `u8`; -1 is outside of 0 to 255; the columns are: a
        column `a` is REAL, which cannot be read as `i64`; the columns are: a
        column `a` is INTEGER, which cannot be read as `u64`; -1 is outside of 0 to 18446744073709551615; the columns are: a
        column `a` is REAL, which cannot be read as `f32`; the value is out of range; the columns are: a
        column `a` is INTEGER, which cannot be read as `f64`; read it as an integer, or select `CAST(.. AS REAL)`; the columns are: a
        column `a` is REAL, which cannot be read as `String`; read it as a number, or select `CAST(.. AS TEXT)`; the columns are: a
        column `a` is INTEGER, which cannot be read as `Box<str>`; read it as a number, or select `CAST(.. AS TEXT)`; the columns are: a
        column `a` is BLOB, which cannot be read as `String`; the columns are: a
        column `a` is TEXT, which cannot be read as `Vec<u8>`; the columns are: a
        column `a` is TEXT, which cannot be read as `Uuid`; the text is not a UUID; the columns are: a
        column `a` is TEXT, which cannot be read as `DateTime<Utc>`; the text is not a time of RFC 3339, such as `2026-01-31T09:30:00.000000Z`; the columns are: a
        column `a` is TEXT, which cannot be read as `NaiveDate`; the text is not a date, such as `2026-01-31`; the columns are: a
        column `a` is TEXT, which cannot be read as `NaiveDate`; the text is not a date, such as `2026-01-31`; the columns are: a
        column `a` is INTEGER, which cannot be read as `NaiveDate`; the columns are: a
        column `a` is TEXT, which cannot be read as `serde_json::Value`; the text is not JSON; the columns are: a
    "#]].assert_eq(&(messages.join("\n") + "\n"));
}

#[cfg(feature = "decimal")]
#[test]
fn the_message_says_what_is_wrong_with_a_decimal() {
    expect!["column `a` is TEXT, which cannot be read as `Decimal`; the text is not a decimal number; the columns are: a"].assert_eq(&unread::<Decimal>("many"));
}

#[test]
fn a_column_that_is_not_there_names_those_that_are() {
    let row = row();
    let messages = [
        panic_of(|| row.get::<_, String>("nam")).message,
        panic_of(|| row.get::<_, String>(5)).message,
        panic_of(|| row.tuple::<(Uuid, String, f64, bool, Option<i64>, i64)>()).message,
    ];
    expect![[r#"
        the row has no column `nam`; it has: id, title, price, sold, gone
        the row has no column number 5 (from 0); it has: id, title, price, sold, gone
        the row has no column number 5 (from 0); it has: id, title, price, sold, gone
    "#]]
    .assert_eq(&(messages.join("\n") + "\n"));
}

#[test]
fn a_panic_is_at_the_line_that_asked() {
    let (row, id) = (row(), u64::MAX);
    #[rustfmt::skip]
    let places = [
        (line!(), panic_of(|| row.get::<_, i64>("id"))),
        (line!(), panic_of(|| row.tuple::<(i64,)>())),
        (line!(), panic_of(|| params![id])),
        (line!(), panic_of(|| params![&id])),
        (line!(), panic_of(|| params![Some(Some(&id))])),
        (line!(), panic_of(|| params![id as usize])),
        (line!(), panic_of(|| params![Some(DateTime::<Utc>::MAX_UTC)])),
        (line!(), panic_of(|| params![&NaiveDate::MAX])),
        (line!(), panic_of(|| named_params! { ":id": Some(id) })),
    ];
    for (line, panic) in places {
        assert_eq!((panic.file.as_str(), panic.line), (file!(), line));
    }
}

#[test]
fn rows_are_equal_by_names_and_values() {
    assert_eq!(row(), row());
    let other = Rows {
        columns: vec!["other".to_owned()],
        rows: vec![vec![]],
    };
    assert_ne!(Some(row()), Row::all(other).next());
}
