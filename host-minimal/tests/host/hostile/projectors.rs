//! Hostile projectors: what SQL can do, and what it costs to ask.

use super::*;

const SETTINGS: &str = r#"{"limits":{"deadline_ms":700,"memory_mb":64,"sqlite_mb":1}}"#;

fn run(title: &str, attacks: Vec<(&str, &'static [&'static str])>) {
    let host = neighbourhood(HttpPolicy::default());
    let attacks = attacks.into_iter().map(|(what, expected)| Attack {
        what: what.to_owned(),
        expected,
    });
    let rows = try_each(&host, ModuleKind::Projector, SETTINGS, attacks.collect());
    conclude(&host, title, &rows);
}

#[test]
fn a_projector_can_end_only_itself() {
    let late: &[&str] = &["did not answer before its deadline"];
    run(
        "projectors, with what they have",
        vec![
            ("init:panic", &["as announced"]),
            ("init:spin", late),
            ("init:hoard", &["ran out of memory"]),
            ("query:panic", &["could not be started: it panicked"]),
            ("query:items", &["1024"]),
            ("handle:panic", &["as announced"]),
            ("handle:exit", &["exit"]),
            ("handle:spin", late),
            ("handle:recurse", &["out of bounds memory access"]),
            ("handle:sleep", late),
            ("handle:flood", late),
            ("handle:random-much", &["exceeds limit 1048576"]),
            ("handle:huge-failure", &["xxx..."]),
            ("handle:leak-statements", &["table"]),
        ],
    );
}

const DENIED: &[&str] = &["the host owns transactions"];

#[test]
fn sql_stays_inside_its_file_and_its_time() {
    let numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)";
    let endless = format!("select:{numbers} SELECT count(*) FROM n");
    let endless_write = format!("sql:CREATE TABLE t AS {numbers} SELECT x FROM n");
    let rows = format!("select:{numbers} SELECT x FROM n LIMIT 1000000");
    let bytes = format!("select:{numbers} SELECT zeroblob(1000000) FROM n LIMIT 100");
    let sorted = format!("select:{numbers} SELECT x FROM n ORDER BY x DESC");
    let deep = format!("select:SELECT {}1", "1+".repeat(5_000));
    let nested = format!("select:SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    let joined = format!("select:{}SELECT 1", "SELECT 1 UNION ALL ".repeat(5_000));
    let pattern = format!("select:SELECT 'a' LIKE '{}'", "%a".repeat(1_000));
    let trigger = "sql:CREATE TABLE t (x); CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO u VALUES (1); END; \
                   CREATE TABLE u (x); CREATE TRIGGER s AFTER INSERT ON u BEGIN INSERT INTO t VALUES (1); END; \
                   INSERT INTO t VALUES (1)";
    let letters = |letter: char| format!("replace(hex(zeroblob(500000)), '0', '{letter}')");
    let (a, b) = (letters('a'), letters('b'));
    let trimmed = format!("select:SELECT length(trim({a}, {b} || 'a'))");
    let sought = format!("select:SELECT instr({a}, substr({a}, 500000) || 'b')");
    let replaced = format!("select:SELECT length(replace({a}, substr({a}, 500000) || 'b', ''))");
    let merged = format!("select:SELECT json_patch('[' || {a}, '[' || {b})");
    let matched = format!(
        "select:SELECT {}FALSE FROM (SELECT random() AS x)",
        "x LIKE '%a' OR ".repeat(26)
    );
    let calls = format!("select:SELECT {}0", "random() + ".repeat(501));
    let generated: String = (0..30)
        .map(|n| format!(", c{n} AS (x LIKE '%{n}')"))
        .collect();
    let hidden = format!("sql:CREATE TABLE t (x{generated}); SELECT * FROM t");
    let wide = format!(
        "select:SELECT x{} FROM (SELECT {a} AS x)",
        ", x || 1".repeat(1_900)
    );
    let snippet =
        "sql:CREATE VIRTUAL TABLE f USING fts5(x); SELECT snippet(f, 0, '', '', '', 1) FROM f('a')";
    run(
        "projectors, with SQL",
        vec![
            ("sql:ATTACH 'other.sqlite' AS other", DENIED),
            ("sql:ATTACH ':memory:' AS other", DENIED),
            ("sql:DETACH main", DENIED),
            ("sql:VACUUM INTO 'copy.sqlite'", &["VACUUM"]),
            ("sql:VACUUM", &["VACUUM"]),
            ("sql:BEGIN", DENIED),
            ("sql:COMMIT", DENIED),
            ("sql:ROLLBACK", DENIED),
            ("sql:SAVEPOINT s", DENIED),
            ("sql:RELEASE umari_event", DENIED),
            ("sql:ROLLBACK TO umari_event", DENIED),
            ("sql:PRAGMA writable_schema = ON", DENIED),
            ("sql:PRAGMA temp_store = MEMORY", DENIED),
            ("sql:PRAGMA cache_size = 1000000", DENIED),
            ("sql:PRAGMA mmap_size = 1000000000", DENIED),
            ("sql:PRAGMA max_page_count = 1000000", DENIED),
            ("sql:PRAGMA locking_mode = EXCLUSIVE", DENIED),
            ("sql:PRAGMA journal_mode = OFF", DENIED),
            ("sql:PRAGMA wal_checkpoint(TRUNCATE)", DENIED),
            ("sql:CREATE TEMP TABLE t (x)", DENIED),
            ("sql:CREATE TEMP VIEW v AS SELECT 1", DENIED),
            ("sql:CREATE TABLE temp.t (x)", DENIED),
            (
                "sql:UPDATE sqlite_schema SET sql = 'x'",
                &["may not be modified"],
            ),
            ("sql:UPDATE umari_progress SET last_position = 9", DENIED),
            ("sql:DROP TABLE umari_progress", DENIED),
            ("select:SELECT load_extension('x')", &["load_extension"]),
            (
                "select:SELECT readfile('/etc/passwd')",
                &["no such function"],
            ),
            ("select:SELECT zeroblob(2147483648)", &["too big"]),
            ("select:SELECT hex(zeroblob(16000000))", &["too big"]),
            ("select:SELECT randomblob(2000000000)", &["too big"]),
            (&endless, &["deadline"]),
            (&endless_write, &["full", "deadline"]),
            (&sorted, &["deadline"]),
            (&rows, &["rows; ask for fewer", "deadline"]),
            (&bytes, &["bytes; ask for fewer", "deadline"]),
            (&deep, &["too large"]),
            (&nested, &["Recursion limit", "overflow"]),
            (&joined, &["too many terms"]),
            (&pattern, &["pattern too complex"]),
            // Each was hours with values of 16 MiB.
            (&trimmed, &["achieved: 1 rows"]),
            (&sought, &["achieved: 1 rows"]),
            (&replaced, &["achieved: 1 rows"]),
            (&merged, &["grows with the product"]),
            (&matched, &["521 calls of functions"]),
            (&calls, &["501 calls of functions"]),
            (&hidden, &["calls of functions"]),
            (&wide, &["operations", "bytes; ask for fewer", "deadline"]),
            ("select:SELECT sqlite_log(1, 'x')", &["the log of the host"]),
            ("sql:CREATE VIRTUAL TABLE f USING fts4(x)", DENIED),
            (snippet, &["square of the matches"]),
            // Triggers do not fire themselves.
            (trigger, &["achieved"]),
            ("sql:PRAGMA recursive_triggers = ON", DENIED),
            ("handle:fill", &["full"]),
        ],
    );
}

/// No statement may end the host's transaction, but a conflict can: `INSERT OR ROLLBACK`. What is
/// written then must not be kept without the position, nor the position without it.
#[test]
fn a_transaction_that_is_left_is_a_failure_and_leaves_nothing() {
    let host = neighbourhood(HttpPolicy::default());
    let attack = "handle:leave-the-transaction";
    set_loose(&host, ModuleKind::Projector, "leaver", attack, SETTINGS).expect("it is stored");
    live_next_door(&host, 3);
    let (status, failure) = host.wait_for_failure("leaver", 2);
    assert!(
        failure
            .message
            .contains("SQLite undid the whole transaction"),
        "{}",
        failure.message
    );
    assert_eq!(failure.position, Some(1));
    assert_eq!(status.subscription.expect("a projector").position, 0);
    let tables: Vec<String> = {
        let connection = host.read_model("leaver");
        let mut names = connection
            .prepare("SELECT name FROM sqlite_schema WHERE name NOT LIKE 'umari%'")
            .expect("a schema");
        let names = names.query_map((), |row| row.get(0)).expect("rows");
        names.map(|name| name.expect("a name")).collect()
    };
    assert_eq!(tables, Vec::<String>::new());
}

/// SQLite rolls the whole batch back when a database is full. The events before the one that filled
/// it are kept all the same.
#[test]
fn a_full_database_keeps_what_was_handled_before() {
    let host = neighbourhood(HttpPolicy::default());
    live_next_door(&host, 5);
    let poison = host.note("a", 1, "poison");
    live_next_door(&host, 2);
    set_loose(
        &host,
        ModuleKind::Projector,
        "filler",
        "handle:fill-at-poison",
        SETTINGS,
    )
    .expect("it is stored");
    let status = host.wait_for("filler", |module| {
        let subscription = module.subscription.as_ref();
        subscription.is_some_and(|it| it.position == poison - 1 && it.failure.is_some())
    });
    let failure = status
        .subscription
        .expect("a projector")
        .failure
        .expect("a failure");
    assert_eq!(failure.position, Some(poison));
    assert!(failure.message.contains("full"), "{}", failure.message);
    let kept: u64 = host
        .read_model("filler")
        .query_row("SELECT count(*) FROM kept", (), |row| row.get(0))
        .expect("rows");
    assert_eq!(kept, poison - 1);
}

/// A kept instance that loses a little with each event is started anew, and gets on.
#[test]
fn a_module_that_leaks_is_started_anew_and_goes_on() {
    let host = neighbourhood(HttpPolicy::default());
    let input = json!({ "counter": "a", "note_id": 1, "times": 60, "text": "quiet" });
    host.execute("note", input).expect("notes");
    let settings = r#"{"limits":{"memory_mb":16}}"#;
    set_loose(
        &host,
        ModuleKind::Projector,
        "leaker",
        "handle:leak",
        settings,
    )
    .expect("it is stored");
    host.wait_caught_up("leaker");
}
