use std::time::Duration;

use super::*;

fn database(begin: Begin) -> (tempfile::TempDir, SqliteContext) {
    let dir = tempfile::tempdir().unwrap();
    let context = SqliteContext::open(
        &dir.path().join("m.sqlite"),
        begin,
        SqliteAllowance::default(),
    )
    .unwrap();
    context.start_call(in_time());
    (dir, context)
}

/// A deadline that no test reaches.
fn in_time() -> Instant {
    Instant::now() + Duration::from_secs(600)
}

const NONE: &wit::Params = &wit::Params::Positional(Vec::new());

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
        "CREATE TEMP TABLE other (x)",
        "CREATE TABLE temp.other (x)",
        "CREATE TEMP VIEW v AS SELECT 1",
        "CREATE VIEW temp.v AS SELECT 1",
        "CREATE TEMP TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END",
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
    context.query("PRAGMA table_info(t)", NONE, None).unwrap();
    // What SQLite itself does with its temporary schema is its own affair.
    context
        .execute_batch("ALTER TABLE t RENAME TO u; ALTER TABLE u RENAME x TO y; DROP TABLE u")
        .unwrap();
}

#[test]
fn a_statement_cached_for_the_guest_is_still_guarded() {
    let (_dir, context) = database(Begin::BeforeCall);
    refusal(context.execute("BEGIN", NONE));
    refusal(context.execute("BEGIN", NONE));
}

#[test]
fn a_statement_cached_for_the_host_is_not_the_guests() {
    const SAVEPOINT: &str = "/*umari*/ SAVEPOINT of_the_host";
    let (_dir, context) = database(Begin::BeforeCall);
    run_cached(context.host(), SAVEPOINT).unwrap();
    for sql in [SAVEPOINT.to_owned(), format!("\u{a0}\n{SAVEPOINT}  ")] {
        assert!(refusal(context.execute(&sql, NONE)).contains("is the host's"));
        assert!(refusal(context.query(&sql, NONE, None)).contains("is the host's"));
        refusal(context.execute_batch(&sql));
    }
    run_cached(context.host(), "/*umari*/ RELEASE of_the_host").unwrap();
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
        .execute("INSERT INTO t VALUES ('a', 'b', 1, NULL)", NONE)
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
        match context.execute(sql, NONE) {
            Err(wit::Error::Constraint(violation)) => assert_eq!(violation.kind, kind, "{sql}"),
            other => panic!("{sql}: {other:?}"),
        }
    }
    assert!(refusal(context.execute("INSERT INTO nowhere VALUES (1)", NONE)).contains("nowhere"));
    refusal(context.execute("SELECT ?1", NONE));
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
        .query(&numbers(limits::SQLITE_ROWS), NONE, None)
        .unwrap();
    assert_eq!(at.rows.len(), limits::SQLITE_ROWS as usize);
    let past = context.query(&numbers(limits::SQLITE_ROWS + 1), NONE, None);
    assert!(refusal(past).contains("LIMIT"));
    assert_eq!(
        context
            .query(&numbers(10), NONE, Some(3))
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
        context.query(&sql(rows), NONE, None).unwrap().rows.len(),
        rows
    );
    assert!(refusal(context.query(&sql(rows + 1), NONE, None)).contains("LIMIT"));
}

#[test]
fn an_endless_statement_ends_at_the_deadline() {
    let (_dir, context) = database(Begin::BeforeCall);
    context.start_call(Instant::now());
    let endless =
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
    assert!(refusal(context.query(endless, NONE, None)).contains("deadline"));
}

#[test]
fn a_statement_ends_before_its_sort_fills_the_disk() {
    let dir = tempfile::tempdir().unwrap();
    let open = |begin| {
        let spill = Spill::new(u64::MAX, Duration::ZERO);
        let path = dir.path().join("m.sqlite");
        let context =
            SqliteContext::open_beside(&path, begin, SqliteAllowance::default(), spill).unwrap();
        context.start_call(in_time());
        context
    };
    let numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n";
    let sorted = format!("{numbers} ORDER BY -x");
    let said = refusal(open(Begin::AtFirstWrite).query(&sorted, NONE, None));
    assert!(said.contains("temporary files"), "{said}");

    let context = open(Begin::BeforeCall);
    let begun = context.host().execute_batch("BEGIN; CREATE TABLE t (x)");
    begun.unwrap();
    let written = context.execute(&format!("INSERT INTO t {sorted}"), NONE);
    assert!(refusal(written).contains("temporary files"));
    let undone = context.check_transaction().unwrap_err().to_string();
    assert!(undone.contains("temporary files"), "{undone}");
}

#[test]
fn an_effects_transaction_begins_at_its_first_write() {
    let (_dir, context) = database(Begin::AtFirstWrite);
    context.query("SELECT 1", NONE, None).unwrap();
    assert!(context.host().is_autocommit(), "a read takes no lock");
    context.execute_batch("CREATE TABLE t (x)").unwrap();
    assert!(!context.host().is_autocommit());
    context.host().execute_batch("ROLLBACK").unwrap();
    context.start_call(in_time());
    assert_eq!(
        context
            .query("PRAGMA table_info(t)", NONE, None)
            .unwrap()
            .rows
            .len(),
        0
    );
}

#[test]
fn a_question_writes_nothing() {
    let (_dir, context) = database(Begin::AtFirstWrite);
    context.execute_batch("CREATE TABLE t (x)").unwrap();
    context.host().execute_batch("COMMIT").unwrap();
    context.start_call(in_time());
    context.forbid_writes();
    for refused in [
        context.execute("INSERT INTO t VALUES (1)", NONE).map(drop),
        context.execute_batch("INSERT INTO t VALUES (1)"),
    ] {
        assert!(refusal(refused).contains("only `init` and `handle` write"));
    }
    context.query("SELECT x FROM t", NONE, None).unwrap();
}

#[test]
fn patterns_are_so_long() {
    let (_dir, context) = database(Begin::BeforeCall);
    let most = usize::try_from(limits::SQLITE_PATTERN_BYTES).unwrap();
    for operator in ["LIKE", "GLOB"] {
        let sql = |bytes: usize| format!("SELECT 'a' {operator} '{}'", "a".repeat(bytes));
        context.query(&sql(most), NONE, None).unwrap();
        assert!(refusal(context.query(&sql(most + 1), NONE, None)).contains("too complex"));
    }
}

#[test]
fn a_database_has_as_many_pages_as_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("m.sqlite");
    let context = SqliteContext::open(
        &path,
        Begin::BeforeCall,
        SqliteAllowance {
            pages: 16,
            ..SqliteAllowance::default()
        },
    )
    .unwrap();
    context.start_call(in_time());
    let pages = || -> u32 {
        let pages = context
            .host()
            .pragma_query_value(None, "page_count", |row| row.get(0));
        pages.unwrap()
    };
    context.execute_batch("CREATE TABLE t (x)").unwrap();
    let filled = loop {
        if let Err(error) = context.execute("INSERT INTO t VALUES (zeroblob(3000))", NONE) {
            break error;
        }
    };
    assert!(refusal(Err::<(), _>(filled)).contains("full"));
    assert_eq!(pages(), 16);
}

#[test]
fn a_transaction_that_sqlite_undid_is_noticed() {
    for begin in [Begin::BeforeCall, Begin::AtFirstWrite] {
        let (_dir, context) = database(begin);
        let table = "CREATE TABLE t (x UNIQUE ON CONFLICT ABORT); INSERT INTO t VALUES (1)";
        context.host().execute_batch(table).unwrap();
        if begin == Begin::BeforeCall {
            context.host().execute_batch("BEGIN IMMEDIATE").unwrap();
        }
        context.execute("INSERT INTO t VALUES (2)", NONE).unwrap();
        context
            .execute("INSERT INTO t VALUES (2)", NONE)
            .unwrap_err();
        context.check_transaction().unwrap();
        context
            .execute("INSERT OR ROLLBACK INTO t VALUES (2)", NONE)
            .unwrap_err();
        let undone = context.check_transaction().unwrap_err().to_string();
        assert!(undone.contains("OR ABORT"), "{undone}");
    }
}

#[test]
fn a_full_database_is_no_reason_to_avoid_a_clause() {
    let (_dir, context) = database(Begin::AtFirstWrite);
    context.execute_batch("CREATE TABLE t (x)").unwrap();
    context.host().execute_batch("COMMIT").unwrap();
    context
        .host()
        .pragma_update(None, "max_page_count", 4)
        .unwrap();
    context.execute("INSERT INTO t VALUES (1)", NONE).unwrap();
    let large = "INSERT INTO t VALUES (zeroblob(1 << 16))";
    assert!(refusal(context.execute(large, NONE)).contains("full"));
    let undone = context.check_transaction();
    assert_eq!(
        undone.map_err(|undone| undone.to_string()),
        Err("database or disk is full, and SQLite undid the whole transaction".to_owned())
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
        .query(
            "SELECT ?1, ?2, ?3, ?4, ?5",
            &wit::Params::Positional(values.to_vec()),
            None,
        )
        .unwrap();
    assert_eq!(format!("{:?}", rows.rows[0]), format!("{values:?}"));
    assert_eq!(context.last_insert_rowid(), None);
}

fn positional(values: &[i64]) -> wit::Params {
    wit::Params::Positional(values.iter().copied().map(wit::Value::Integer).collect())
}

fn named(values: &[(&str, i64)]) -> wit::Params {
    let named = values.iter().map(|(name, value)| wit::NamedValue {
        name: (*name).to_owned(),
        value: wit::Value::Integer(*value),
    });
    wit::Params::Named(named.collect())
}

#[test]
fn parameters_are_bound_by_name_in_any_order() {
    let (_dir, context) = database(Begin::BeforeCall);
    let row = |sql: &str, params: &wit::Params| {
        let rows = context.query(sql, params, None).unwrap();
        format!("{:?}", rows.rows[0])
    };
    let abc = "[Value::Integer(1), Value::Integer(2), Value::Integer(3), Value::Integer(1)]";
    let sql = "SELECT :a, @b, $c, :a";
    assert_eq!(row(sql, &named(&[("$c", 3), (":a", 1), ("@b", 2)])), abc);
    // Names have numbers too, in their order.
    assert_eq!(row(sql, &positional(&[1, 2, 3])), abc);
    assert_eq!(row("SELECT 7", &named(&[])), "[Value::Integer(7)]");
    assert_eq!(
        row("SELECT ?2", &positional(&[1, 2])),
        "[Value::Integer(2)]"
    );
    context.execute_batch("CREATE TABLE t (x)").unwrap();
    let inserted = context.execute("INSERT INTO t VALUES (:x)", &named(&[(":x", 4)]));
    assert_eq!(inserted.unwrap(), 1);
    assert_eq!(row("SELECT x FROM t", NONE), "[Value::Integer(4)]");
}

#[test]
fn parameters_that_do_not_fit_are_refused_before_anything_runs() {
    let (_dir, context) = database(Begin::BeforeCall);
    context.execute_batch("CREATE TABLE t (x)").unwrap();
    let insert = "INSERT INTO t VALUES (:a + :b)";
    for (sql, params, message) in [
        (
            insert,
            named(&[("a", 1), (":b", 2)]),
            "the parameter name `a` has no prefix; write it as the statement does, with its \
             `:`, `@` or `$`",
        ),
        (
            insert,
            named(&[(":a", 1), (":c", 2)]),
            "the statement has no parameter `:c`; it has: :a, :b",
        ),
        (
            insert,
            named(&[(":a", 1)]),
            "the parameter `:b` of the statement is given no value",
        ),
        (
            insert,
            named(&[(":a", 1), (":b", 2), (":a", 3)]),
            "the parameter `:a` is given twice",
        ),
        (
            "DELETE FROM t",
            named(&[(":a", 1)]),
            "the statement has no parameter `:a`; it has: none",
        ),
        (
            "INSERT INTO t VALUES (?)",
            named(&[(":a", 1)]),
            "parameter 1 of the statement has no name; write it as `:name`, or give the values \
             by position",
        ),
        (
            "INSERT INTO t VALUES (?1)",
            named(&[("?1", 1)]),
            "parameter 1 of the statement has no name; write it as `:name`, or give the values \
             by position",
        ),
        (
            insert,
            positional(&[1]),
            "the statement has 2 parameters, but 1 value is given",
        ),
        (
            "INSERT INTO t VALUES (?1)",
            positional(&[]),
            "the statement has 1 parameter, but no value is given",
        ),
        (
            "DELETE FROM t",
            positional(&[1, 2]),
            "the statement has no parameters, but 2 values are given",
        ),
    ] {
        assert_eq!(refusal(context.execute(sql, &params)), message, "{sql}");
        assert_eq!(refusal(context.query(sql, &params, None)), message, "{sql}");
    }
    let batch = context.execute_batch("INSERT INTO t VALUES (1); INSERT INTO t VALUES (?1)");
    assert_eq!(
        refusal(batch),
        "a batch has no parameters; run the statement that has them with `execute`"
    );
    let rows = context.query("SELECT x FROM t", NONE, None).unwrap();
    assert_eq!(rows.rows.len(), 1, "the first of the batch alone has run");
}

#[test]
fn a_failure_is_in_sqlites_words_and_has_its_code() {
    let (_dir, context) = database(Begin::BeforeCall);
    for (sql, code, message) in [
        ("SELECT absent", 1, "no such column: absent"),
        ("SELEC 1", 1, "near \"SELEC\": syntax error"),
        (
            "SELECT 1; SELECT 2",
            0,
            "there is more than one statement; run them with `execute_batch`, or one at a time",
        ),
    ] {
        match context.query(sql, NONE, None) {
            Err(wit::Error::Failed(failure)) => {
                assert_eq!((failure.code, failure.message.as_str()), (code, message));
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
}

#[test]
fn a_schema_is_changed_and_indexed_as_sqlite_can() {
    let (_dir, context) = database(Begin::BeforeCall);
    for sql in [
        "CREATE TABLE t (a, b CHECK (length(b) > 0), c AS (upper(b)))",
        "CREATE INDEX i ON t (lower(b))",
        "CREATE VIEW v AS SELECT trim(b, '-') AS d FROM t",
        "INSERT INTO t (a, b) VALUES (1, 'x')",
        "ALTER TABLE t RENAME TO u",
        "ALTER TABLE u RENAME COLUMN b TO e",
        "ALTER TABLE u ADD COLUMN f AS (instr(e, 'x'))",
        "ALTER TABLE u ADD COLUMN g NOT NULL DEFAULT 1",
        "ALTER TABLE u DROP COLUMN g",
        "REINDEX",
        "ANALYZE",
        "CREATE VIRTUAL TABLE words USING fts5(x)",
        "INSERT INTO words VALUES ('a few words')",
        "INSERT INTO words (words) VALUES ('optimize')",
        "CREATE VIRTUAL TABLE places USING rtree(id, x0, x1)",
        "INSERT INTO places VALUES (1, 2, 3)",
        "DROP TABLE words",
        "DROP VIEW v",
    ] {
        if let Err(error) = context.execute(sql, NONE) {
            panic!("{sql}: {error:?}");
        }
    }
    assert!(refusal(context.query("SELECT sqlite_fail('a', 1)", NONE, None)).contains("no such"));
    assert!(refusal(context.execute("PRAGMA page_size = 512", NONE)).contains("pragmas"));
    for module in ["fts3", "fts4", "dbstat"] {
        let sql = format!("CREATE VIRTUAL TABLE w USING {module}(x)");
        assert!(refusal(context.execute(&sql, NONE)).contains("the host owns"));
    }
}
