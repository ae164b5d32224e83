//! Chapter 11: parameters on their way in, columns on their way out.

use std::fmt::Debug;

use umari::prelude::*;
use umari::sqlite::FromSqliteValue;

use crate::support::{in_a_module, traps_in_a_module};

// Parameters.

#[test]
fn params_lists_none_one_or_many_values() {
    in_a_module(|| {
        assert_eq!(query_one("SELECT 7", params![]).get::<_, i64>(0), 7);
        let id = 1;
        assert_eq!(query_one("SELECT ?1", params![id]).get::<_, i64>(0), 1);
        let three = query_one("SELECT ?3, ?1, ?2", params![1, "two", 3.0]);
        assert_eq!(
            three.tuple::<(f64, i64, String)>(),
            (3.0, 1, "two".to_owned())
        );
        // A comma at the end is accepted.
        assert_eq!(query_one("SELECT ?1", params![id,]).get::<_, i64>(0), 1);
        Ok(())
    });
}

#[test]
fn a_parameter_is_never_read_as_sql() {
    in_a_module(|| {
        let hostile = "'); DROP TABLE widgets; --";
        let row = query_one("SELECT ?1", params![hostile]);
        assert_eq!(row.get::<_, String>(0), hostile);
        Ok(())
    });
}

/// `value => SQLite's type, column`: what a parameter is stored as, and how it is read back.
macro_rules! round_trips {
    ($($value:expr => $sqlite:literal, $column:expr;)+) => {$({
        let row = query_one("SELECT typeof(?1), ?1", params![$value]);
        let stored_as: String = row.get(0);
        assert_eq!(stored_as, $sqlite, "{}", stringify!($value));
        reads_as(&row, $column);
    })+};
}

#[track_caller]
fn reads_as<T: FromSqliteValue + PartialEq + Debug>(row: &Row, expected: T) {
    let column: T = row.get(1);
    assert_eq!(column, expected);
}

#[test]
fn every_parameter_type_has_its_sqlite_type() {
    in_a_module(|| {
        round_trips! {
            true => "integer", 1_i64;
            false => "integer", 0_i64;
            i8::MIN => "integer", -128_i64;
            i16::MIN => "integer", -32_768_i64;
            i32::MIN => "integer", i64::from(i32::MIN);
            i64::MIN => "integer", i64::MIN;
            i64::MAX => "integer", i64::MAX;
            isize::MIN => "integer", isize::MIN as i64;
            u8::MAX => "integer", 255_i64;
            u16::MAX => "integer", 65_535_i64;
            u32::MAX => "integer", 4_294_967_295_i64;
            0.5_f32 => "real", 0.5_f64;
            f64::MAX => "real", f64::MAX;
            "text" => "text", "text".to_owned();
            "text".to_owned() => "text", "text".to_owned();
            vec![0_u8, 255] => "blob", vec![0_u8, 255];
            Uuid::from_u128(0xa1) => "text", "00000000-0000-0000-0000-0000000000a1".to_owned();
            Some(7) => "integer", Some(7_i64);
            Some("text") => "text", Some("text".to_owned());
            None::<i64> => "null", None::<i64>;
            None::<String> => "null", None::<String>;
            Decimal::new(49_90, 2).to_string() => "text", "49.90".to_owned();
        }
        Ok(())
    });
}

// Columns.

#[test]
fn every_column_type_is_read_from_its_sqlite_value() {
    in_a_module(|| {
        execute_batch(
            "CREATE TABLE everything (b BOOLEAN, t TEXT, i INTEGER, r REAL, x BLOB, n TEXT);
             INSERT INTO everything VALUES (TRUE, 'text', -7, 2.5, x'00ff', NULL);",
        )?;
        let row = query_one("SELECT * FROM everything", params![]);
        let flag: bool = row.get("b");
        let text: String = row.get("t");
        let integer: i64 = row.get("i");
        let real: f64 = row.get("r");
        let blob: Vec<u8> = row.get("x");
        let nothing: Option<String> = row.get("n");
        let something: Option<String> = row.get("t");
        assert!(flag);
        assert_eq!((&*text, integer, real), ("text", -7, 2.5));
        assert_eq!(blob, [0, 255]);
        assert_eq!((nothing, something), (None, Some("text".to_owned())));
        let zero = query_one("SELECT 0, FALSE", params![]);
        assert_eq!(zero.tuple::<(bool, bool)>(), (false, false));
        Ok(())
    });
}

#[test]
fn a_column_is_found_by_name_or_by_place() {
    in_a_module(|| {
        let row = query_one("SELECT 'bolt' AS name, 3 AS sold, NULL AS note", params![]);
        let name: String = row.get("name");
        let sold: i64 = row.get(1);
        let note: Option<String> = row.get("note");
        assert_eq!((&*name, sold, note), ("bolt", 3, None));
        assert_eq!(row.get::<&str, String>("name"), "bolt");
        assert_eq!(row.get::<usize, i64>(1), 3);
        Ok(())
    });
}

/// `SELECT value` read as a type that it does not have traps.
macro_rules! mismatches {
    ($($sql:literal as $type:ty, $message:literal;)+) => {$(
        traps_in_a_module($message, || {
            let _: $type = query_one(concat!("SELECT ", $sql, " AS it"), params![]).get("it");
            Ok(())
        });
    )+};
}

#[test]
fn a_value_of_another_type_traps() {
    mismatches! {
        "2" as bool, "column `it` is INTEGER, which cannot be read as `bool`";
        "-1" as bool, "column `it` is INTEGER, which cannot be read as `bool`";
        "'1'" as bool, "column `it` is TEXT, which cannot be read as `bool`";
        "1" as String, "column `it` is INTEGER, which cannot be read as `String`";
        "x'00'" as String, "column `it` is BLOB, which cannot be read as `String`";
        "'1'" as i64, "column `it` is TEXT, which cannot be read as `i64`";
        "1.0" as i64, "column `it` is REAL, which cannot be read as `i64`";
        "1" as f64, "column `it` is INTEGER, which cannot be read as `f64`";
        "'x'" as Vec<u8>, "column `it` is TEXT, which cannot be read as `Vec<u8>`";
        "NULL" as i64, "column `it` is NULL, which cannot be read as `i64`";
        "'x'" as Option<i64>, "column `it` is TEXT, which cannot be read as `i64`";
    }
}

#[test]
fn an_unknown_column_traps() {
    traps_in_a_module("the row has no column `price`", || {
        let _: String = query_one("SELECT 'bolt' AS name", params![]).get("price");
        Ok(())
    });
    traps_in_a_module("the row has no column number 1", || {
        let _: String = query_one("SELECT 'bolt' AS name", params![]).get(1);
        Ok(())
    });
}

#[test]
fn a_tuple_takes_the_first_columns_up_to_eight() {
    in_a_module(|| {
        let row = query_one("SELECT 'a1', 'bolt', '49.90'", params![]);
        let (id, name, price): (String, String, String) = row.tuple();
        assert_eq!([id, name, price], ["a1", "bolt", "49.90"]);
        let (id, name): (String, String) = row.tuple();
        assert_eq!([id, name], ["a1", "bolt"]);
        let row = query_one("SELECT 1, 2, 3, 4, 5, 6, 7, 'eight', 9", params![]);
        let (one, _, _, _, _, _, _, eight): (i64, i64, i64, i64, i64, i64, i64, String) =
            row.tuple();
        assert_eq!((one, &*eight), (1, "eight"));
        let (one,): (i64,) = row.tuple();
        assert_eq!(one, 1);
        Ok(())
    });
    traps_in_a_module("the row has no column number 1", || {
        let _: (i64, i64) = query_one("SELECT 1", params![]).tuple();
        Ok(())
    });
}
