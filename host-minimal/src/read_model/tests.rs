use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use super::*;

/// A file like a projector's.
fn file() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("plans.sqlite");
    Connection::open(&path)
        .and_then(|connection| {
            connection.execute_batch(
                "PRAGMA journal_mode = WAL;
                 CREATE TABLE umari_progress (only INTEGER, last_position INTEGER NOT NULL);
                 INSERT INTO umari_progress VALUES (0, 7);
                 CREATE TABLE plans (id INTEGER PRIMARY KEY, title TEXT);",
            )
        })
        .expect("a database");
    (directory, path)
}

fn ask(path: &Path, query: &ReadModelQuery) -> Result<ReadModelAnswer, FileError> {
    answer(path, query, 0, Instant::now() + query.timeout)
}

fn ask_with(path: &Path, sql: &str, params: Vec<Value>) -> Vec<Vec<Value>> {
    let params = QueryParams::Positional(params);
    let query = ReadModelQuery {
        params,
        ..ReadModelQuery::new(sql)
    };
    ask(path, &query).expect("an answer").rows
}

#[test]
fn values_come_back_as_they_were_given() {
    let (_directory, path) = file();
    for value in [
        json!(null),
        json!(0),
        json!(i64::MIN),
        json!(i64::MAX),
        json!(1.5),
        json!(""),
        json!("ü\u{0}"),
        json!({ "base64": "" }),
        json!({ "base64": "AP8=" }),
    ] {
        assert_eq!(ask_with(&path, "SELECT ?1", vec![value.clone()]), [[value]]);
    }
    assert_eq!(
        ask_with(&path, "SELECT ?1, ?2", vec![json!(true), json!(false)]),
        [[1, 0]]
    );
}

#[test]
fn what_json_has_no_word_for_has_an_object() {
    let (_directory, path) = file();
    let sql = "SELECT 9e999, -9e999, x'00ff', CAST(x'ff' AS TEXT), typeof(?1)";
    assert_eq!(
        ask_with(&path, sql, vec![json!({ "base64": "AA==" })]),
        [[
            json!({ "real": "Infinity" }),
            json!({ "real": "-Infinity" }),
            json!({ "base64": "AP8=" }),
            json!({ "base64": "/w==" }),
            json!("blob"),
        ]]
    );
}

#[test]
fn the_later_of_both_positions_counts() {
    let (_directory, path) = file();
    let query = ReadModelQuery::new("SELECT 1");
    let end = Instant::now() + query.timeout;
    for (reached, position) in [(0, 7), (6, 7), (9, 9)] {
        let answer = answer(&path, &query, reached, end).expect("an answer");
        assert_eq!(answer.position, position);
    }
}

#[test]
fn an_answer_is_of_one_moment() {
    let (_directory, path) = file();
    let (reader, position) = open(&path).expect("a reader");
    let writer = Connection::open(&path).expect("a writer");
    writer
        .execute_batch(
            "BEGIN; INSERT INTO plans VALUES (1, 'a'); UPDATE umari_progress SET last_position = 8; \
             COMMIT",
        )
        .expect("written");
    let rows: i64 = reader
        .query_row("SELECT count(*) FROM plans", (), |row| row.get(0))
        .expect("a count");
    assert_eq!((position, rows), (7, 0));
    let after = ask(&path, &ReadModelQuery::new("SELECT title FROM plans")).expect("an answer");
    assert_eq!((after.position, after.rows), (8, vec![vec![json!("a")]]));
}

#[test]
fn a_file_that_is_no_read_model_yet_is_told_from_a_wrong_question() {
    let (directory, path) = file();
    let query = ReadModelQuery::new("SELECT 1");
    let missing = ask(&directory.path().join("none.sqlite"), &query);
    assert!(
        matches!(missing, Err(FileError::NotReady(_))),
        "{missing:?}"
    );
    let empty = directory.path().join("empty.sqlite");
    std::fs::write(&empty, "").expect("a file");
    let empty = ask(&empty, &query);
    assert!(matches!(empty, Err(FileError::NotReady(_))), "{empty:?}");
    let garbage = directory.path().join("garbage.sqlite");
    std::fs::write(&garbage, "x".repeat(4_096)).expect("a file");
    let garbage = ask(&garbage, &query);
    assert!(
        matches!(garbage, Err(FileError::Query(QueryError::Sql { .. }))),
        "{garbage:?}"
    );
    let wrong = ask(&path, &ReadModelQuery::new("SELECT nope FROM plans"));
    match wrong {
        Err(FileError::Query(QueryError::Sql { message, offset })) => {
            assert_eq!(message, "no such column: nope");
            assert_eq!(offset, Some(7));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_question_does_no_more_at_once_than_a_module() {
    let (_directory, path) = file();
    let why = |sql: &str| match ask(&path, &ReadModelQuery::new(sql)) {
        Err(FileError::Query(QueryError::Sql { message, .. })) => message,
        other => panic!("{other:?}"),
    };
    let calls = |count: usize| format!("SELECT {}0", "random() + ".repeat(count));
    let most = limits::SQLITE_FUNCTION_CALLS as usize;
    ask(&path, &ReadModelQuery::new(calls(most))).expect("an answer");
    assert!(why(&calls(most + 1)).contains("501 calls of functions"));
    assert!(why("SELECT json_patch('{}', '{}')").contains("use json_set"));
    let long = format!("SELECT 1{}", " ".repeat(limits::SQLITE_SQL_BYTES));
    assert!(why(&long).contains("the SQL has 1048584 bytes"));
    let pattern = "a".repeat(201);
    assert!(why(&format!("SELECT 'a' LIKE '{pattern}'")).contains("too complex"));
}
