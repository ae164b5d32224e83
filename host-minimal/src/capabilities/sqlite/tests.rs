use super::*;

fn database(begin: Begin) -> (tempfile::TempDir, SqliteContext) {
    let dir = tempfile::tempdir().unwrap();
    let context = SqliteContext::open(&dir.path().join("m.sqlite"), begin).unwrap();
    (dir, context)
}

fn refusal(result: Result<impl std::fmt::Debug, wit::Error>) -> String {
    match result {
        Err(wit::Error::Failed(failure)) => failure.message,
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn a_guest_stays_inside_its_database_and_transaction() {
    let (_dir, context) = database(Begin::BeforeCall);
    context
        .host()
        .execute_batch("CREATE TABLE umari_meta (x); CREATE TABLE t (x)")
        .unwrap();
    for sql in [
        "BEGIN",
        "COMMIT",
        "SAVEPOINT s",
        "ATTACH ':memory:' AS other",
        "VACUUM INTO 'copy.sqlite'",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version = 3",
        "SELECT load_extension('x')",
        "INSERT INTO umari_meta VALUES (1)",
        "UPDATE UMARI_META SET x = 1",
        "DROP TABLE umari_meta",
        "CREATE TABLE umari_other (x)",
        "CREATE TRIGGER tr AFTER INSERT ON umari_meta BEGIN SELECT 1; END",
    ] {
        let result = context.execute_batch(sql);
        assert!(
            matches!(result, Err(wit::Error::Failed(_))),
            "{sql} was allowed: {result:?}"
        );
    }
    context.query("PRAGMA table_info(t)", &[], None).unwrap();
}

#[test]
fn a_statement_cached_for_the_guest_is_still_guarded() {
    let (_dir, context) = database(Begin::BeforeCall);
    refusal(context.execute("BEGIN", &[]));
    refusal(context.execute("BEGIN", &[]));
}

#[test]
fn constraints_are_values_and_everything_else_is_a_failure() {
    let (_dir, context) = database(Begin::BeforeCall);
    context
        .execute_batch(
            "CREATE TABLE p (id INTEGER PRIMARY KEY);
             CREATE TABLE t (a TEXT UNIQUE, b TEXT NOT NULL, c CHECK (c > 0), p REFERENCES p)",
        )
        .unwrap();
    context
        .execute("INSERT INTO t VALUES ('a', 'b', 1, NULL)", &[])
        .unwrap();
    for (sql, kind) in [
        (
            "INSERT INTO t VALUES ('a', 'b', 1, NULL)",
            wit::ConstraintKind::Unique,
        ),
        (
            "INSERT INTO t VALUES ('x', NULL, 1, NULL)",
            wit::ConstraintKind::NotNull,
        ),
        (
            "INSERT INTO t VALUES ('x', 'b', 0, NULL)",
            wit::ConstraintKind::Check,
        ),
        (
            "INSERT INTO t VALUES ('x', 'b', 1, 7)",
            wit::ConstraintKind::ForeignKey,
        ),
    ] {
        match context.execute(sql, &[]) {
            Err(wit::Error::Constraint(violation)) => assert_eq!(violation.kind, kind, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    assert!(refusal(context.execute("INSERT INTO nowhere VALUES (1)", &[])).contains("nowhere"));
    refusal(context.execute("SELECT ?1", &[]));
}

#[test]
fn rows_are_bounded() {
    let (_dir, context) = database(Begin::BeforeCall);
    let numbers = |count: u32| {
        format!(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {count}) SELECT x FROM n"
        )
    };
    let at = context
        .query(&numbers(limits::SQLITE_ROWS), &[], None)
        .unwrap();
    assert_eq!(at.rows.len(), limits::SQLITE_ROWS as usize);
    let past = context.query(&numbers(limits::SQLITE_ROWS + 1), &[], None);
    assert!(refusal(past).contains("LIMIT"));
    assert_eq!(
        context
            .query(&numbers(10), &[], Some(3))
            .unwrap()
            .rows
            .len(),
        3
    );
}

#[test]
fn result_bytes_are_bounded() {
    let (_dir, context) = database(Begin::BeforeCall);
    let row = limits::SQLITE_VALUE_BYTES as usize / 2;
    let rows = limits::SQLITE_RESULT_BYTES / row;
    let sql = |count: usize| {
        format!(
            "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n LIMIT {count}) SELECT zeroblob({row}) FROM n"
        )
    };
    assert_eq!(
        context.query(&sql(rows), &[], None).unwrap().rows.len(),
        rows
    );
    assert!(refusal(context.query(&sql(rows + 1), &[], None)).contains("LIMIT"));
}

#[test]
fn an_endless_statement_ends_at_the_deadline() {
    let (_dir, context) = database(Begin::BeforeCall);
    context.set_deadline(Instant::now());
    let endless =
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
    assert!(refusal(context.query(endless, &[], None)).contains("deadline"));
}

#[test]
fn an_effects_transaction_begins_at_its_first_write() {
    let (_dir, context) = database(Begin::AtFirstWrite);
    context.query("SELECT 1", &[], None).unwrap();
    assert!(context.host().is_autocommit(), "a read takes no lock");
    context.execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(!context.host().is_autocommit());
    context.host().execute_batch("ROLLBACK").unwrap();
    assert_eq!(
        context
            .query("PRAGMA table_info(t)", &[], None)
            .unwrap()
            .rows
            .len(),
        0
    );
}

#[test]
fn values_survive_the_round_trip() {
    let (_dir, context) = database(Begin::BeforeCall);
    let values = [
        wit::Value::Null,
        wit::Value::Integer(i64::MIN),
        wit::Value::Real(1.5),
        wit::Value::Text("ü".into()),
        wit::Value::Blob(vec![0, 255]),
    ];
    let rows = context
        .query("SELECT ?1, ?2, ?3, ?4, ?5", &values, None)
        .unwrap();
    assert_eq!(format!("{:?}", rows.rows[0]), format!("{values:?}"));
    assert_eq!(context.last_insert_rowid(), None);
}
