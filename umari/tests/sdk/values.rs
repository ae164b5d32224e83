//! What each type is stored as, and what it is read from.

use std::borrow::Cow;
use std::fmt::Debug;

use chrono::NaiveDate;
use umari::prelude::*;
use umari::sqlite::{FromSqliteValue, Params};

use crate::panics::panic_of;

fn read<T: FromSqliteValue>(value: impl Into<SqliteValue>) -> Option<T> {
    T::from_sqlite_value(&value.into())
}

/// The value is stored so, and comes back as it was; a reference to it, and `Some`, are the same.
#[track_caller]
fn both_ways<T>(value: T, stored: SqliteValue)
where
    T: FromSqliteValue + Into<SqliteValue> + Clone + PartialEq + Debug,
{
    let [borrowed, optional, owned] = params![&value, Some(&value), value.clone()];
    assert_eq!((&borrowed, &optional, &owned), (&stored, &stored, &stored));
    assert_eq!(params![None::<T>], [SqliteValue::Null]);
    assert_eq!(T::from_sqlite_value(&stored), Some(value.clone()));
    assert_eq!(Option::from_sqlite_value(&stored), Some(Some(value)));
    assert_eq!(T::from_sqlite_value(&SqliteValue::Null), None);
    assert_eq!(
        Option::<T>::from_sqlite_value(&SqliteValue::Null),
        Some(None)
    );
}

fn text(text: &str) -> SqliteValue {
    SqliteValue::Text(text.to_owned())
}

fn json_text(value: serde_json::Value) -> SqliteValue {
    value.into()
}

#[test]
fn booleans_are_zero_and_one() {
    both_ways(true, SqliteValue::Integer(1));
    both_ways(false, SqliteValue::Integer(0));
    assert_eq!(read::<bool>(2), None);
    assert_eq!(read::<bool>(-1), None);
    assert_eq!(read::<bool>("true"), None);
}

/// Both limits of a type come back, and what is one past them does not.
macro_rules! limits {
    ($($type:ty),+) => {$(
        both_ways(<$type>::MIN, SqliteValue::Integer(i64::from(<$type>::MIN)));
        both_ways(<$type>::MAX, SqliteValue::Integer(i64::from(<$type>::MAX)));
        assert_eq!(read::<$type>(i64::from(<$type>::MIN) - 1), None);
        assert_eq!(read::<$type>(i64::from(<$type>::MAX) + 1), None);
    )+};
}

#[test]
fn integers_are_read_within_their_limits() {
    limits!(i8, i16, i32, u8, u16, u32);
    both_ways(i64::MIN, SqliteValue::Integer(i64::MIN));
    both_ways(i64::MAX, SqliteValue::Integer(i64::MAX));
    both_ways(isize::MIN, SqliteValue::Integer(isize::MIN as i64));
    both_ways(isize::MAX, SqliteValue::Integer(isize::MAX as i64));
    assert_eq!(read::<i64>(1.0), None);
    assert_eq!(read::<i64>("1"), None);
}

#[test]
fn unsigned_integers_end_where_sqlites_do() {
    let largest = i64::MAX as u64;
    both_ways(0_u64, SqliteValue::Integer(0));
    both_ways(largest, SqliteValue::Integer(i64::MAX));
    both_ways(0_usize, SqliteValue::Integer(0));
    both_ways(largest as usize, SqliteValue::Integer(i64::MAX));
    assert_eq!(read::<u64>(-1), None);
    assert_eq!(read::<usize>(-1), None);

    let message = "SQLite: 9223372036854775808 is above 9223372036854775807, the largest integer \
                   of SQLite, whose integers are signed 64-bit; store the value as text, with \
                   `.to_string()`";
    let past = largest + 1;
    assert_eq!(panic_of(|| params![past]).message, message);
    assert_eq!(panic_of(|| params![past as usize]).message, message);
    assert_eq!(panic_of(|| params![Some(&past)]).message, message);
    assert_eq!(panic_of(|| named_params! { ":id": &past }).message, message);
    let panic = panic_of(|| params![-1_i64 as u64]);
    assert!(panic.message.contains(" 18446744073709551615 is above "));
}

#[test]
fn floats_are_real() {
    both_ways(1.5_f64, SqliteValue::Real(1.5));
    both_ways(f64::MAX, SqliteValue::Real(f64::MAX));
    both_ways(0.1_f32, SqliteValue::Real(f64::from(0.1_f32)));
    both_ways(f32::MIN, SqliteValue::Real(f64::from(f32::MIN)));
    both_ways(f32::INFINITY, SqliteValue::Real(f64::INFINITY));
    assert_eq!(read::<f32>(0.1), Some(0.1));
    assert_eq!(read::<f32>(1e39), None);
    assert_eq!(read::<f32>(-1e39), None);
    assert!(read::<f32>(f64::NAN).is_some_and(f32::is_nan));
    assert_eq!(read::<f64>(1), None);
}

#[test]
fn text_and_bytes() {
    both_ways("ü".to_owned(), text("ü"));
    both_ways(Box::<str>::from("ü"), text("ü"));
    both_ways(vec![0_u8, 255], SqliteValue::Blob(vec![0, 255]));
    let (owned, bytes) = ("x".to_owned(), vec![1_u8]);
    assert_eq!(
        params![
            "x",
            &owned,
            owned.as_str(),
            Cow::Borrowed("x"),
            &Cow::Borrowed("x"),
            Some("x")
        ],
        ["x"; 6].map(text)
    );
    assert_eq!(
        params![
            &bytes,
            bytes.as_slice(),
            [1_u8],
            &[1_u8],
            b"\x01",
            Some(bytes.as_slice())
        ],
        [1_u8; 6].map(|byte| SqliteValue::Blob(vec![byte]))
    );
    assert_eq!(read::<String>(1), None);
    assert_eq!(read::<String>(bytes), None);
    assert_eq!(read::<Vec<u8>>("x"), None);
}

#[test]
fn uuids_are_hyphenated() {
    let id = Uuid::from_u128(0x0188_b2a4_7c3e_7000_8000_0000_0000_00ff);
    both_ways(id, text("0188b2a4-7c3e-7000-8000-0000000000ff"));
    assert_eq!(read("0188B2A47C3E700080000000000000FF"), Some(id));
    assert_eq!(read::<Uuid>("0188b2a4"), None);
}

fn time(text: &str) -> DateTime<Utc> {
    text.parse().expect("a time")
}

#[test]
fn times_are_text_that_sorts() {
    both_ways(
        time("2026-01-31T09:30:00Z"),
        text("2026-01-31T09:30:00.000000Z"),
    );
    both_ways(
        time("2026-01-31T10:30:00.25+01:00"),
        text("2026-01-31T09:30:00.250000Z"),
    );
    let (first, last) = (
        time("0000-01-01T00:00:00Z"),
        time("9999-12-31T23:59:59.999999Z"),
    );
    both_ways(first, text("0000-01-01T00:00:00.000000Z"));
    both_ways(last, text("9999-12-31T23:59:59.999999Z"));
    let mut times = [
        time("2026-01-31T09:30:00.000009Z"),
        last,
        time("2026-01-31T09:30:00.1Z"),
        time("1969-12-31T23:59:59.5Z"),
        first,
        time("2026-01-31T09:30:00Z"),
    ];
    let mut texts = times.map(|time| match time.into() {
        SqliteValue::Text(text) => text,
        value => panic!("{value:?} is no text"),
    });
    times.sort();
    texts.sort();
    assert_eq!(times.map(SqliteValue::from), texts.map(SqliteValue::from));
}

#[test]
fn times_are_cut_to_microseconds_and_read_with_any_offset() {
    assert_eq!(
        params![time("2026-01-31T09:30:00.123456999Z")],
        [text("2026-01-31T09:30:00.123456Z")]
    );
    for stored in [
        "2026-01-31T09:30:00Z",
        "2026-01-31T10:30:00+01:00",
        "2026-01-31T09:30:00.000000000Z",
    ] {
        assert_eq!(read(stored), Some(time("2026-01-31T09:30:00Z")));
    }
    for stored in ["2026-01-31", "2026-01-31T09:30:00", "now", ""] {
        assert_eq!(read::<DateTime<Utc>>(stored), None, "{stored}");
    }
    assert_eq!(read::<DateTime<Utc>>(1_769_851_800), None);
}

#[test]
fn dates_are_text_that_sorts() {
    let date = |year, month, day| NaiveDate::from_ymd_opt(year, month, day).expect("a date");
    both_ways(date(2026, 1, 31), text("2026-01-31"));
    both_ways(date(0, 1, 1), text("0000-01-01"));
    both_ways(date(9999, 12, 31), text("9999-12-31"));
    for stored in ["2026-1-31", " 2026-01-31", "2026-02-30", "+12026-01-31"] {
        assert_eq!(read::<NaiveDate>(stored), None, "{stored}");
    }
}

#[test]
fn a_year_that_would_not_sort_panics() {
    let message = |year| {
        format!(
            "SQLite: the year {year} is outside of 0 to 9999, so that its text would not sort by \
             time"
        )
    };
    let date = |year| NaiveDate::from_ymd_opt(year, 1, 1).expect("a date");
    for year in [-1, 10_000] {
        assert_eq!(panic_of(|| params![date(year)]).message, message(year));
        let time = date(year).and_hms_opt(0, 0, 0).expect("a time").and_utc();
        assert_eq!(panic_of(|| params![Some(time)]).message, message(year));
    }
}

#[test]
fn json_is_text() {
    both_ways(
        json!({ "b": [1, 2.5, null], "a": "ü" }),
        json_text(json!({ "b": [1, 2.5, null], "a": "ü" })),
    );
    both_ways(json!({ "a": 1 }), text(r#"{"a":1}"#));
    both_ways(json!(u64::MAX), text("18446744073709551615"));
    // JSON's null is a value.
    both_ways(serde_json::Value::Null, text("null"));
    assert_eq!(read::<serde_json::Value>("{"), None);
    assert_eq!(read::<serde_json::Value>(1), None);
}

#[cfg(feature = "decimal")]
#[test]
fn decimals_are_text() {
    let decimal = |text: &str| text.parse::<Decimal>().expect("a decimal");
    both_ways(decimal("19.90"), text("19.90"));
    both_ways(Decimal::MAX, text("79228162514264337593543950335"));
    both_ways(Decimal::MIN, text("-79228162514264337593543950335"));
    assert_eq!(read::<Decimal>("79228162514264337593543950336"), None);
    assert_eq!(read::<Decimal>("many"), None);
    assert_eq!(read::<Decimal>(1.5), None);
}

#[test]
fn a_value_is_read_as_it_is() {
    for value in params![1, 1.5, "a", [1_u8], None::<i64>] {
        let [given] = params![&value];
        assert_eq!(given, value);
        assert_eq!(read::<SqliteValue>(given), Some(value));
    }
}

#[test]
fn lists_of_parameters() {
    use umari::sqlite::ParamList;

    let values = params![1, "a"];
    let positional = ParamList::Positional(&values);
    assert_eq!(values.list(), positional);
    assert_eq!(Params::list(&&values), positional);
    assert_eq!(values.to_vec().list(), positional);
    assert_eq!(values.as_slice().list(), positional);
    assert_eq!(params![].list(), ParamList::Positional(&[]));

    let name = "b".to_owned();
    let values = named_params! { ":a": 1, "@b": &name, };
    let named = ParamList::Named(&values);
    assert_eq!(values, [(":a", 1.into()), ("@b", "b".into())]);
    assert_eq!(values.list(), named);
    assert_eq!(values.to_vec().list(), named);
    assert_eq!(values.as_slice().list(), named);
    assert_eq!(named_params! {}.list(), ParamList::Named(&[]));
}
