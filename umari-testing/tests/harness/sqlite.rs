//! The SDK's SQLite on a real database: parameters, rows, and what a trap says.

use std::cell::Cell;

use expect_test::Expect;
use umari::prelude::*;
use umari_testing::prelude::*;

use super::support::failure;

thread_local! {
    static WORK: Cell<fn()> = const { Cell::new(|| ()) };
}

/// Runs what the test says, on a table that is there.
struct Worker {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("work.given")]
struct WorkGiven {}

impl Projector for Worker {
    type Query = SingleEvent<WorkGiven>;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "CREATE TABLE IF NOT EXISTS plans (
                 plan_id INTEGER PRIMARY KEY, title TEXT UNIQUE, made_at, day, extra, price REAL
             )",
        )?;
        Ok(Self {})
    }

    fn handle(&mut self, _: StoredEvent<WorkGiven>) -> anyhow::Result<()> {
        WORK.get()();
        Ok(())
    }
}

fn run(work: fn()) -> Projection {
    WORK.set(work);
    given(events![WorkGiven {}]).project::<Worker>()
}

/// What a module that does this panics with, and the file (not the line) where.
fn trap(work: fn()) -> String {
    let report = failure(|| run(work).then_rows("SELECT 1", rows![[1]]));
    let (_, cause) = report.split_once("cause\n  panicked: ").expect("a panic");
    let (cause, _) = cause.split_once("\n\nfix").expect("a fix");
    cause.to_owned()
}

/// The traps of `work`, one to a line.
#[track_caller]
#[expect(
    clippy::needless_pass_by_value,
    reason = "`expect![..]` is written in place"
)]
fn traps(work: &[fn()], expected: Expect) {
    let said: Vec<_> = work.iter().map(|work| trap(*work) + "\n").collect();
    expected.assert_eq(&said.concat());
}

fn plan(plan_id: u64, title: &str) {
    execute(
        "INSERT INTO plans (plan_id, title) VALUES (?1, ?2)",
        params![plan_id, title],
    )
    .expect("a new plan");
}

#[test]
fn a_statement_must_not_undo_the_transaction_of_its_event() {
    traps(
        &[
            || {
                plan(1, "Gold");
                let again = "INSERT OR ROLLBACK INTO plans (plan_id) VALUES (1)";
                let _ = execute(again, params![]);
            },
            || {
                let strict = "CREATE TRIGGER strict BEFORE INSERT ON plans
                              BEGIN SELECT RAISE(ROLLBACK, 'no plans today'); END";
                execute_batch(strict).expect("a trigger");
                plan(1, "Gold");
            },
        ],
        expect![[r#"
            SQLite: UNIQUE constraint failed: plans.plan_id, and SQLite undid the whole transaction; write OR ABORT in place of OR ROLLBACK, and RAISE(ABORT, ..) in triggers (code 1555), in `INSERT OR ROLLBACK INTO plans (plan_id) VALUES (1)`, at sqlite.rs
            SQLite: no plans today, and SQLite undid the whole transaction; write OR ABORT in place of OR ROLLBACK, and RAISE(ABORT, ..) in triggers (code 1811), in `INSERT INTO plans (plan_id, title) VALUES (?1, ?2)`, at sqlite.rs
        "#]],
    );
}

#[test]
fn parameters_by_name_wherever_they_can_stand() {
    run(|| {
        let insert = "INSERT INTO plans (plan_id, title) VALUES (:id, :title)";
        let (id, title) = (1_u64, "Gold");
        execute(insert, named_params! { ":title": title, ":id": id }).expect("a new plan");
        let insert = prepare(insert);
        let silver = named_params! { ":id": 2, ":title": "Silver" };
        assert_eq!(insert.execute(&silver), Ok(1));
        assert!(insert.execute(silver).is_err(), "it is there already");

        // The three prefixes, and a name that the statement repeats.
        let sql = "SELECT plan_id FROM plans
                   WHERE plan_id >= @least AND title IN (:title, $other, :title)";
        let named = named_params! { ":title": "Gold", "@least": 0, "$other": None::<String> };
        assert_eq!(query_one(sql, &named).get::<_, u64>(0), 1);
        assert_eq!(query(sql, &named).len(), 1);
        assert!(query_row(sql, named.to_vec()).is_some());
        let statement = prepare(sql);
        assert_eq!(statement.query_one(&named).get::<_, u64>(0), 1);
        assert_eq!(statement.query(&named).len(), 1);
        assert!(statement.query_row(named.as_slice()).is_some());
        assert_eq!(query("SELECT 1", named_params! {}).len(), 1);
        // Names have numbers too, in their order.
        assert_eq!(query(sql, params![0, "Gold", None::<String>]).len(), 1);
    })
    .then_query(
        "SELECT title FROM plans WHERE plan_id < :end ORDER BY title",
        named_params! { ":end": 9 },
        rows![["Gold"], ["Silver"]],
    );
}

#[test]
fn a_query_returns_every_row() {
    run(|| {
        assert!(query("SELECT * FROM plans", params![]).is_empty());
        for (plan_id, title) in [(1, "Gold"), (2, "Silver"), (3, "Tin")] {
            plan(plan_id, title);
        }
        let plans = query(
            "SELECT plan_id, title FROM plans WHERE plan_id > ?1 ORDER BY plan_id",
            params![1],
        );
        let plans: Vec<(u64, String)> = plans.iter().map(Row::tuple).collect();
        assert_eq!(plans, [(2, "Silver".to_owned()), (3, "Tin".to_owned())]);
    })
    .then_rows("SELECT count(*) FROM plans", rows![[3]]);
}

#[test]
fn every_type_survives_a_column() {
    let time: DateTime<Utc> = "2026-01-31T09:30:00.5Z".parse().expect("a time");
    let day = time.date_naive();
    run(|| {
        let time: DateTime<Utc> = "2026-01-31T09:30:00.5Z".parse().expect("a time");
        let day = time.date_naive();
        let extra = json!({ "colours": ["red"] });
        let insert = prepare("INSERT INTO plans VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        let values = params![i64::MAX as u64, "Gold", time, day, &extra, 1.5_f32];
        insert.execute(values).expect("a new plan");
        let row = query_one("SELECT * FROM plans", params![]);
        let (plan_id, title, made_at): (usize, Box<str>, DateTime<Utc>) = row.tuple();
        assert_eq!((plan_id as u64, &*title), (i64::MAX as u64, "Gold"));
        assert_eq!((made_at, row.get("day")), (time, day));
        assert_eq!(row.get::<_, serde_json::Value>("extra"), extra);
        assert_eq!(row.get::<_, f32>("price"), 1.5);
        // Text order is time order.
        let before = "SELECT count(*) FROM plans WHERE made_at < ?1";
        let counts = [time, time + Duration::from_micros(1)].map(|end| {
            let row = query_one(before, params![end]);
            row.get::<_, usize>(0)
        });
        assert_eq!(counts, [0, 1]);
        // SQLite has no NaN.
        let row = query_one("SELECT ?1", params![f64::NAN]);
        assert_eq!(row.get::<_, Option<f64>>(0), None);
    })
    .then_rows(
        "SELECT * FROM plans",
        rows![[
            i64::MAX as u64,
            "Gold",
            time,
            day,
            json!({ "colours": ["red"] }),
            1.5_f32
        ]],
    )
    .then_table("plans", expect![[r#"
        plan_id              title  made_at                      day         extra                      price
        -------------------  -----  ---------------------------  ----------  -------------------------  -----
        9223372036854775807  Gold   2026-01-31T09:30:00.500000Z  2026-01-31  "{\"colours\":[\"red\"]}"  1.5
    "#]]);
}

#[test]
fn a_batch_remembers_its_last_insert() {
    run(|| {
        let before = last_insert_rowid();
        assert!(matches!(before, None | Some(7)), "{before:?}");
        execute_batch("INSERT INTO plans (plan_id) VALUES (7); SELECT * FROM plans; ;")
            .expect("a new plan");
        assert_eq!(last_insert_rowid(), Some(7));
    })
    .then_rows("SELECT plan_id FROM plans", rows![[7]]);
}

const SELECT: &str = "SELECT title FROM plans WHERE plan_id = :plan_id AND title = :title";

#[test]
fn parameters_that_do_not_fit_are_named() {
    #[rustfmt::skip]
    let work: [fn(); 11] = [
        || drop(query(SELECT, [("plan_id", SqliteValue::Integer(1)), (":title", "Gold".into())])),
        || drop(query(SELECT, named_params! { ":plan_id": 1, ":titel": "Gold" })),
        || drop(query(SELECT, named_params! { ":plan_id": 1, "@title": "Gold" })),
        || drop(query(SELECT, named_params! { ":plan_id": 1 })),
        || drop(query(SELECT, named_params! {})),
        || drop(query(SELECT, named_params! { ":title": 1, ":plan_id": 1, ":title": 1 })),
        || drop(query("SELECT 1", named_params! { ":plan_id": 1 })),
        || drop(query("SELECT :a, ?", named_params! { ":a": 1 })),
        || drop(query("SELECT ?1", [("?1", SqliteValue::Integer(1))])),
        || drop(prepare(SELECT).query_row(named_params! { ":plan_id": 1 })),
        || drop(execute("DELETE FROM plans", named_params! { ":a": 1 })),
    ];
    traps(
        &work,
        expect![[r#"
            SQLite: the parameter name `plan_id` has no prefix; write it as the statement does, with its `:`, `@` or `$`, in `SELECT title FROM plans WHERE plan_id = :plan_id AND title = :title`, at sqlite.rs
            SQLite: the statement has no parameter `:titel`; it has: :plan_id, :title, in `SELECT title FROM plans WHERE plan_id = :plan_id AND title = :title`, at sqlite.rs
            SQLite: the statement has no parameter `@title`; it has: :plan_id, :title, in `SELECT title FROM plans WHERE plan_id = :plan_id AND title = :title`, at sqlite.rs
            SQLite: the parameter `:title` of the statement is given no value, in `SELECT title FROM plans WHERE plan_id = :plan_id AND title = :title`, at sqlite.rs
            SQLite: the parameter `:plan_id` of the statement is given no value, in `SELECT title FROM plans WHERE plan_id = :plan_id AND title = :title`, at sqlite.rs
            SQLite: the parameter `:title` is given twice, in `SELECT title FROM plans WHERE plan_id = :plan_id AND title = :title`, at sqlite.rs
            SQLite: the statement has no parameter `:plan_id`; it has: none, in `SELECT 1`, at sqlite.rs
            SQLite: parameter 2 of the statement has no name; write it as `:name`, or give the values by position, in `SELECT :a, ?`, at sqlite.rs
            SQLite: parameter 1 of the statement has no name; write it as `:name`, or give the values by position, in `SELECT ?1`, at sqlite.rs
            SQLite: the parameter `:title` of the statement is given no value, in `SELECT title FROM plans WHERE plan_id = :plan_id AND title = :title`, at sqlite.rs
            SQLite: the statement has no parameter `:a`; it has: none, in `DELETE FROM plans`, at sqlite.rs
        "#]],
    );
}

#[test]
fn a_wrong_count_of_parameters_is_told() {
    traps(
        &[
            || drop(query("SELECT ?1, ?2", params![1])),
            || drop(query("SELECT ?1", params![])),
            || drop(query_row("SELECT ?1", params![1, 2])),
            || drop(query_one("SELECT 1", params![1])),
            || drop(execute("DELETE FROM plans WHERE plan_id = ?1", params![])),
            || drop(prepare("SELECT ?3").query(params![1])),
            || drop(execute_batch("DELETE FROM plans WHERE plan_id = ?1")),
        ],
        expect![[r#"
            SQLite: the statement has 2 parameters, but 1 value is given, in `SELECT ?1, ?2`, at sqlite.rs
            SQLite: the statement has 1 parameter, but no value is given, in `SELECT ?1`, at sqlite.rs
            SQLite: the statement has 1 parameter, but 2 values are given, in `SELECT ?1`, at sqlite.rs
            SQLite: the statement has no parameters, but 1 value is given, in `SELECT 1`, at sqlite.rs
            SQLite: the statement has 1 parameter, but no value is given, in `DELETE FROM plans WHERE plan_id = ?1`, at sqlite.rs
            SQLite: the statement has 3 parameters, but 1 value is given, in `SELECT ?3`, at sqlite.rs
            SQLite: a batch has no parameters; run the statement that has them with `execute`, in `DELETE FROM plans WHERE plan_id = ?1`, at sqlite.rs
        "#]],
    );
}

#[test]
fn a_trap_says_what_sqlite_said_and_the_sql() {
    traps(
        &[
            || drop(execute("INSERT INTO nowhere VALUES (?1)", params![1])),
            || drop(execute_batch("CREATE TABLE a (b); CREATE TALBE c (d)")),
            || drop(query("SELECT absent FROM plans", params![])),
            || drop(query_one("SELECT * FROM plans", params![])),
            || drop(query_one("SELECT 1 UNION SELECT 2", params![])),
            || drop(query_row("SELECT abs(-9223372036854775807 - 1)", params![])),
            || drop(prepare("SELECT 1; SELECT 2")),
            || drop(prepare("SELECT * FROM plans").query_one(params![])),
            || {
                plan(1, "Gold");
                let sql = "INSERT INTO plans (title) VALUES ('Gold') RETURNING plan_id";
                drop(query(sql, params![]));
            },
            || drop(query_one("SELECT 1 AS a", params![]).get::<_, String>("b")),
            || {
                let _: Option<u8> = query_one("SELECT 300 AS a", params![]).get("a");
            },
            || drop(query("SELECT 1, NULL", params![])[0].tuple::<(i64, String)>()),
            || drop(prepare("SELECT 'x'").query(params![])[0].tuple::<(Uuid, String)>()),
        ],
        expect![[r#"
            SQLite: no such table: nowhere, in `INSERT INTO nowhere VALUES (?1)`, at sqlite.rs
            SQLite: near "TALBE": syntax error, in `CREATE TABLE a (b); CREATE TALBE c (d)`, at sqlite.rs
            SQLite: no such column: absent, in `SELECT absent FROM plans`, at sqlite.rs
            SQLite: `query_one` found no row, in `SELECT * FROM plans`, at sqlite.rs
            SQLite: `query_one` found more than one row, in `SELECT 1 UNION SELECT 2`, at sqlite.rs
            SQLite: integer overflow, in `SELECT abs(-9223372036854775807 - 1)`, at sqlite.rs
            SQLite: there is more than one statement; run them with `execute_batch`, or one at a time, in `SELECT 1; SELECT 2`, at sqlite.rs
            SQLite: `query_one` found no row, in `SELECT * FROM plans`, at sqlite.rs
            SQLite: UNIQUE constraint failed: plans.title, in `INSERT INTO plans (title) VALUES ('Gold') RETURNING plan_id`, at sqlite.rs
            the row has no column `b`; it has: a, in `SELECT 1 AS a`, at sqlite.rs
            column `a` is INTEGER, which cannot be read as `u8`; 300 is outside of 0 to 255; the columns are: a, in `SELECT 300 AS a`, at sqlite.rs
            column number 1 (from 0) is NULL, which cannot be read as `String`; read it as an `Option`; the columns are: 1, NULL, in `SELECT 1, NULL`, at sqlite.rs
            column number 0 (from 0) is TEXT, which cannot be read as `Uuid`; the text is not a UUID; the columns are: 'x', in `SELECT 'x'`, at sqlite.rs
        "#]],
    );
}

#[test]
fn what_the_host_does_not_run_is_no_success_in_a_test() {
    traps(
        &[
            || drop(query_one("SELECT json_patch('{}', '{}')", params![])),
            || drop(query_one("SELECT length(zeroblob(2097153))", params![])),
        ],
        expect![[r#"
            SQLite: not authorized to use function: json_patch, in `SELECT json_patch('{}', '{}')`, at sqlite.rs
            SQLite: string or blob too big (code 18), in `SELECT length(zeroblob(2097153))`, at sqlite.rs
        "#]],
    );
}

#[test]
fn long_sql_is_cut_between_characters() {
    let whole: fn() = || drop(query(&("SELEC ".to_owned() + &"ü".repeat(494)), params![]));
    run(whole).then_fails_at::<WorkGiven>(&format!("in `SELEC {}`, at ", "ü".repeat(494)));
    let longer: fn() = || drop(query(&("SELEC ".to_owned() + &"ü".repeat(500)), params![]));
    let cut = format!("in `SELEC {}.. (6 more characters)`, at ", "ü".repeat(494));
    run(longer).then_fails_at::<WorkGiven>(&cut);
}

#[test]
fn a_trap_is_at_the_line_that_asked() {
    #[rustfmt::skip]
    let places: &[(u32, fn())] = &[
        (line!(), || drop(execute("", named_params! { ":a": 1 }))),
        (line!(), || drop(execute_batch("SELECT"))),
        (line!(), || drop(query("SELECT", params![]))),
        (line!(), || drop(query_one(NONE, params![]))),
        (line!(), || drop(query_row("SELECT", params![]))),
        (line!(), || drop(prepare("SELECT"))),
        (line!(), || drop(prepare(NONE).execute(params![1]))),
        (line!(), || drop(prepare(NONE).query(params![1]))),
        (line!(), || drop(prepare(NONE).query_one(params![]))),
        (line!(), || drop(prepare(NONE).query_row(params![1]))),
        (line!(), || drop(query_one("SELECT 1", params![]).get::<_, String>(0))),
        (line!(), || drop(query_one("SELECT 1", params![]).tuple::<(String,)>())),
        (line!(), || drop(query("SELECT ?1", params![u64::MAX]))),
    ];
    for (line, work) in places {
        run(*work).then_fails_at::<WorkGiven>(&format!("harness/sqlite.rs:{line}:"));
    }
}

const NONE: &str = "SELECT * FROM plans WHERE plan_id = 0";
