//! Programs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::super::{Begin, SqliteContext, guards, wit};
use super::*;
use crate::modules::settings::SqliteAllowance;

const NONE: &wit::Params = &wit::Params::Positional(Vec::new());

fn database() -> (TempDir, SqliteContext) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("m.sqlite");
    let context =
        SqliteContext::open(&path, Begin::BeforeCall, SqliteAllowance::default()).unwrap();
    context.start_call(Instant::now() + Duration::from_secs(600));
    (directory, context)
}

fn refusal<T: fmt::Debug>(outcome: Result<T, wit::Error>) -> String {
    match outcome {
        Err(wit::Error::Failed(failure)) => failure.message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_statement_has_so_many_calls() {
    let (_directory, context) = database();
    let calls = |count: usize| format!("SELECT {}0", "random() + ".repeat(count));
    let most = limits::SQLITE_FUNCTION_CALLS as usize;
    context.query(&calls(most), NONE, None).unwrap();
    for _ in 0..2 {
        // The second time it would come from the cache.
        let text = refusal(context.query(&calls(most + 1), NONE, None));
        assert!(text.contains("501 calls of functions"), "{text}");
    }
    let text = refusal(context.execute_batch(&format!("SELECT 1; {}", calls(most + 1))));
    assert!(text.contains("501 calls of functions"), "{text}");
    let patterns = |count: usize| {
        let like = "random() LIKE '%1' OR ".repeat(count);
        format!("SELECT {like}'b' GLOB random()")
    };
    context.query(&patterns(22), NONE, None).unwrap();
    let text = refusal(context.query(&patterns(23), NONE, None));
    assert!(text.contains("504 calls of functions"), "{text}");
}

#[test]
fn what_a_schema_adds_to_a_statement_counts() {
    let (_directory, context) = database();
    let columns: String = (0..26)
        .map(|n| format!(", c{n} AS (x LIKE '%{n}')"))
        .collect();
    context
        .execute_batch(&format!("CREATE TABLE t (x{columns}); CREATE TABLE u (x)"))
        .unwrap();
    let read = |columns: &str| context.query(&format!("SELECT {columns} FROM t"), NONE, None);
    read("c0, c24").unwrap();
    assert!(refusal(read("*")).contains("520 calls of functions"));

    // Known to be good, until its table has other indexes and triggers.
    let insert = "INSERT INTO u VALUES ('a')";
    context.execute(insert, NONE).unwrap();
    for n in 0..26 {
        let index = format!("CREATE INDEX u{n} ON u (x LIKE '%{n}')");
        context.execute(&index, NONE).unwrap();
    }
    assert!(refusal(context.execute(insert, NONE)).contains("calls of functions"));
    context
        .execute_batch(
            "CREATE TRIGGER r AFTER UPDATE ON u BEGIN
                 SELECT random(), random();
             END",
        )
        .unwrap();
}

#[test]
fn a_program_and_its_text_are_so_long() {
    let (_directory, context) = database();
    let rows = |count: usize| {
        let rows = ", (1, 2, 3)".repeat(count);
        format!("SELECT count(*) FROM (VALUES (1, 2, 3){rows})")
    };
    context.query(&rows(400), NONE, None).unwrap();
    let text = refusal(context.query(&rows(4_000), NONE, None));
    assert!(text.contains("12000 operations"), "{text}");
    let most = limits::SQLITE_SQL_BYTES;
    let long = |length: usize| format!("SELECT 1{}", " ".repeat(length - 8));
    context.query(&long(most), NONE, None).unwrap();
    context.execute_batch(&long(most)).unwrap();
    for text in [
        refusal(context.query(&long(most + 1), NONE, None)),
        refusal(context.execute_batch(&long(most + 1))),
    ] {
        assert!(text.contains("the SQL has 1048577 bytes"), "{text}");
    }
    let arguments = |count: usize| format!("SELECT max(0{})", ", 1".repeat(count - 1));
    context.query(&arguments(100), NONE, None).unwrap();
    assert!(refusal(context.query(&arguments(101), NONE, None)).contains("too many arguments"));
}

#[test]
fn explained_statements_are_no_work() {
    let (_directory, context) = database();
    let explained = format!("EXPLAIN SELECT {}0", "random() + ".repeat(600));
    assert!(
        !context
            .query(&explained, NONE, None)
            .unwrap()
            .rows
            .is_empty()
    );
}

/// In a loop, SQLite looks at the deadline after so many operations, and so after no more calls.
#[test]
fn a_loop_is_asked_between_a_few_calls() {
    let mut connection = Connection::open_in_memory().unwrap();
    guards::confine(&connection, limits::SQLITE_VALUE_BYTES).unwrap();
    let asked = Arc::new(AtomicU32::new(0));
    connection
        .progress_handler(
            limits::SQLITE_PROGRESS_STEPS,
            Some({
                let asked = Arc::clone(&asked);
                move || {
                    asked.fetch_add(1, Ordering::Relaxed);
                    false
                }
            }),
        )
        .unwrap();
    let calls = 10_000;
    connection
        .query_row(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT ?1)
             SELECT count(*) FROM n WHERE x LIKE '%7'",
            [calls],
            |_| Ok(()),
        )
        .unwrap();
    let asked = asked.load(Ordering::Relaxed);
    assert!(asked >= calls / 20, "asked {asked} times in {calls} calls");
}

#[test]
fn the_memory_of_all_databases_has_an_end() {
    let (_directory, context) = database();
    let limit: i64 = context
        .host()
        .pragma_query_value(None, "hard_heap_limit", |row| row.get(0))
        .unwrap();
    assert_eq!(limit, limits::SQLITE_HEAP_BYTES);
}
