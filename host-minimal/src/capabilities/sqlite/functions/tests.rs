//! Functions.

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};

use super::*;

const MOST: usize = 1 << 20;

fn ours() -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    install(&connection, MOST).unwrap();
    connection
}

/// SQLite has no function that nobody has looked at.
#[test]
fn every_function_of_sqlite_is_allowed_or_refused() {
    let connection = Connection::open_in_memory().unwrap();
    let mut names = connection
        .prepare("SELECT DISTINCT name FROM pragma_function_list ORDER BY name")
        .unwrap();
    let names: Vec<String> = names
        .query_map((), |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let judged = |name: &str| {
        let refused = REFUSED.iter().any(|(refused, _)| *refused == name);
        u32::from(is_allowed(name)) + u32::from(refused)
    };
    let unjudged: Vec<&String> = names.iter().filter(|name| judged(name) != 1).collect();
    assert!(unjudged.is_empty(), "{unjudged:?}");
    let known = |name: &&str| names.iter().any(|known| known == name);
    let gone: Vec<&str> = ALLOWED
        .iter()
        .copied()
        .chain(REFUSED.iter().map(|(name, _)| *name))
        .filter(|name| !known(name))
        .collect();
    assert!(gone.is_empty(), "SQLite has them no more: {gone:?}");
}

#[test]
fn a_refusal_says_why() {
    let why = |name: &str| why_refused(&format!("not authorized to use function: {name}"));
    assert!(why("JSON_PATCH").unwrap().contains("json_set"));
    assert_eq!(
        why("unheard_of"),
        Some("the host does not know what it costs")
    );
    assert_eq!(why_refused("no such table: t"), None);
}

/// What ours give is what SQLite's give, for every kind of value.
#[test]
fn own_functions_give_what_those_of_sqlite_give() {
    const PIECES: &[&str] = &[
        "a", "b", "ab", "é", "€", "😀", "-", "0", "4f", "4", "\0", " ",
    ];
    let (ours, theirs) = (ours(), Connection::open_in_memory().unwrap());
    let mut random = StdRng::seed_from_u64(7);
    let mut value = || {
        let count = random.random_range(0..6);
        let text: String = (0..count)
            .map(|_| *PIECES.choose(&mut random).unwrap())
            .collect();
        match random.random_range(0..10) {
            0 => Value::Null,
            1 => Value::Integer(random.random_range(-100..5_000)),
            2 => Value::Real(f64::from(random.random_range(-99..99)) / 8.0),
            3 => Value::Real(random.random::<f64>() * 1e30),
            4 | 5 => Value::Blob(text.into_bytes()),
            _ => Value::Text(text),
        }
    };
    for _ in 0..20_000 {
        let values = [value(), value(), value()];
        for sql in [
            "SELECT instr(?1, ?2), ?3",
            "SELECT replace(?1, ?2, ?3)",
            "SELECT trim(?1, ?2), ?3",
            "SELECT ltrim(?1, ?2), ?3",
            "SELECT rtrim(?1, ?2), ?3",
            "SELECT unhex(?1, ?2), ?3",
        ] {
            let ask = |connection: &Connection| -> Value {
                let mut statement = connection.prepare_cached(sql).unwrap();
                let params = rusqlite::params_from_iter(values.clone());
                statement.query_row(params, |row| row.get(0)).unwrap()
            };
            assert_eq!(ask(&ours), ask(&theirs), "{sql} of {values:?}");
        }
    }
}

/// Halves of characters are marked where SQLite would hand them on, and change nothing else.
#[test]
fn bytes_that_are_no_text_do_no_harm() {
    let connection = ours();
    let ask = |sql: &str| -> Value { connection.query_row(sql, (), |row| row.get(0)).unwrap() };
    assert_eq!(
        ask("SELECT instr(CAST(x'c3a961' AS TEXT), CAST(x'a961' AS TEXT))"),
        Value::Integer(0)
    );
    assert_eq!(ask("SELECT instr(x'c3a961', x'a961')"), Value::Integer(2));
    assert_eq!(
        ask("SELECT trim(CAST(x'ff61ff' AS TEXT), 'a')"),
        Value::Text("\u{fffd}a\u{fffd}".to_owned())
    );
    assert_eq!(ask("SELECT unhex('4f', x'ff')"), Value::Blob(vec![0x4f]));
}

#[test]
fn own_functions_stand_where_those_of_sqlite_can() {
    let connection = ours();
    connection
        .set_db_config(
            rusqlite::config::DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA,
            false,
        )
        .unwrap();
    connection
        .execute_batch(
            "CREATE TABLE t (x, y AS (replace(x, 'a', 'b')), CHECK (instr(x, 'z') = 0));
             CREATE INDEX i ON t (trim(x, '-'));
             CREATE VIEW v AS SELECT rtrim(x, '-') AS z FROM t;
             INSERT INTO t VALUES ('-a-')",
        )
        .unwrap();
    let row = connection
        .query_row(
            "SELECT y, (SELECT z FROM v) FROM t WHERE trim(x, '-') = 'a'",
            (),
            |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
        )
        .unwrap();
    assert_eq!(row, ("-b-".to_owned(), "-a".to_owned()));
    connection
        .execute("INSERT INTO t VALUES ('z')", ())
        .expect_err("the check");
}

/// With work that grows with the product of the lengths, each of these is an hour.
#[test]
fn long_values_take_one_pass() {
    let connection = ours();
    let half = "a".repeat(MOST / 2);
    for (sql, expected) in [
        ("SELECT instr(?1 || ?1, ?1 || 'b')", 0),
        ("SELECT length(replace(?1 || ?1, ?1 || 'b', ''))", MOST),
        (
            "SELECT length(trim(?1 || ?1, replace(?1, 'a', 'b') || 'a'))",
            0,
        ),
        (
            "SELECT length(unhex(?1 || '-', replace(?1, 'a', '.') || '-'))",
            MOST / 4,
        ),
        // At the limit, and one past it.
        ("SELECT length(replace(?1, 'a', 'bb'))", MOST),
    ] {
        let found: usize = connection
            .query_row(sql, [&half], |row| row.get(0))
            .unwrap();
        assert_eq!(found, expected, "{sql}");
    }
    let past = connection.query_row("SELECT replace(?1 || 'a', 'a', 'bb')", [&half], |_| Ok(()));
    assert_eq!(past.unwrap_err().to_string(), "string or blob too big");
    let far_past = connection.query_row("SELECT replace(?1, 'a', ?1)", [&half], |_| Ok(()));
    assert_eq!(far_past.unwrap_err().to_string(), "string or blob too big");
}
