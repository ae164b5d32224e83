//! Chapter 11: the SQLite API.

use umari::prelude::*;
use umari_testing::prelude::*;

use crate::support::{in_a_module, traps_in_a_module};

const WIDGETS: &str = "CREATE TABLE IF NOT EXISTS widgets (
        widget_id TEXT PRIMARY KEY,
        name TEXT NOT NULL
    );

    CREATE INDEX IF NOT EXISTS idx_widgets_name ON widgets (name);";

fn three_widgets() -> Result<(), SqliteError> {
    execute_batch(WIDGETS)?;
    for (id, name) in [("a", "bolt"), ("b", "nut"), ("c", "nut")] {
        execute(
            "INSERT INTO widgets (widget_id, name) VALUES (?1, ?2)",
            params![id, name],
        )?;
    }
    Ok(())
}

// Free functions.

#[test]
fn execute_runs_one_statement_and_counts_the_rows_it_changed() {
    in_a_module(|| {
        three_widgets()?;
        let renamed: Result<usize, SqliteError> = execute(
            "UPDATE widgets SET name = ?1 WHERE name = ?2",
            params!["gear", "nut"],
        );
        assert_eq!(renamed?, 2);
        assert_eq!(
            execute("DELETE FROM widgets WHERE name = 'x'", params![])?,
            0
        );
        Ok(())
    })
    .then_rows(
        "SELECT name FROM widgets ORDER BY widget_id",
        rows![["bolt"], ["gear"], ["gear"]],
    );
}

#[test]
fn execute_batch_runs_every_statement_and_can_be_repeated() {
    in_a_module(|| {
        let done: Result<(), SqliteError> = execute_batch(WIDGETS);
        done?;
        // As `init` does at every start.
        execute_batch(WIDGETS)?;
        Ok(())
    })
    .then_rows(
        "SELECT type, name FROM sqlite_schema WHERE name LIKE '%widgets%' AND sql IS NOT NULL",
        rows![["table", "widgets"], ["index", "idx_widgets_name"]],
    );
}

#[test]
fn query_one_returns_the_only_row() {
    in_a_module(|| {
        three_widgets()?;
        let row: Row = query_one(
            "SELECT name, widget_id FROM widgets WHERE widget_id = ?1",
            params!["a"],
        );
        let name: String = row.get("name");
        let id: String = row.get(1); // by place
        assert_eq!((&*name, &*id), ("bolt", "a"));
        Ok(())
    });
}

#[test]
fn query_one_traps_on_no_row_and_on_more_than_one() {
    let by_name = "SELECT * FROM widgets WHERE name = ?1";
    traps_in_a_module("SQLite: `query_one` found no row", move || {
        three_widgets()?;
        let _ = query_one(by_name, params!["gear"]);
        Ok(())
    });
    traps_in_a_module("SQLite: `query_one` found more than one row", move || {
        three_widgets()?;
        let _ = query_one(by_name, params!["nut"]);
        Ok(())
    });
}

#[test]
fn query_row_returns_the_first_row_or_none() {
    in_a_module(|| {
        three_widgets()?;
        let by_name = |name: &str| -> Option<Row> {
            query_row(
                "SELECT widget_id FROM widgets WHERE name = ?1 ORDER BY widget_id",
                params![name],
            )
        };
        assert_eq!(by_name("gear"), None);
        let Some(row) = by_name("nut") else {
            panic!("there are two");
        };
        let id: String = row.get(0);
        assert_eq!(id, "b", "the other row is dropped");
        Ok(())
    });
}

#[test]
fn last_insert_rowid_is_that_of_the_last_successful_insert() {
    in_a_module(|| {
        let before: Option<i64> = last_insert_rowid();
        assert_eq!(before, None, "nothing was inserted");
        execute_batch(WIDGETS)?;
        assert_eq!(last_insert_rowid(), None, "a table is no row");
        three_widgets()?;
        assert_eq!(last_insert_rowid(), Some(3));
        execute("UPDATE widgets SET name = 'x'", params![])?;
        let again = execute("INSERT INTO widgets VALUES ('a', 'again')", params![]);
        assert!(again.is_err());
        assert_eq!(last_insert_rowid(), Some(3));
        Ok(())
    });
}

#[test]
fn an_insert_of_a_batch_and_one_that_returns_its_row_have_a_rowid() {
    in_a_module(|| {
        execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1);")?;
        assert_eq!(last_insert_rowid(), Some(1));
        let row = query_one("INSERT INTO t VALUES (2) RETURNING x", params![]);
        assert_eq!(row.get::<_, i64>("x"), 2);
        assert_eq!(last_insert_rowid(), Some(2));
        Ok(())
    });
}

// Prepared statements.

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("widget.created")]
struct WidgetCreated {
    #[domain_id]
    id: Uuid,
    shop_id: u32,
    name: String,
}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("widget.archived")]
struct WidgetArchived {
    #[domain_id]
    id: Uuid,
}

#[derive(EventSet)]
enum WidgetEvents {
    Created(WidgetCreated),
    Archived(WidgetArchived),
}

/// Statements that are prepared where the projector starts; each of their methods is used.
struct MyProjector {
    insert_widget: Statement,
    archive_widget: Statement,
    list_widgets: Statement,
    find_widget: Statement,
    count_widgets: Statement,
}

impl Projector for MyProjector {
    type Query = WidgetEvents;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "CREATE TABLE IF NOT EXISTS widgets (
                id TEXT PRIMARY KEY,
                shop_id INTEGER NOT NULL,
                name TEXT NOT NULL,
                archived BOOLEAN NOT NULL DEFAULT FALSE
            );
            CREATE TABLE IF NOT EXISTS reports (line TEXT NOT NULL);",
        )?;
        Ok(MyProjector {
            insert_widget: prepare("INSERT INTO widgets (id, shop_id, name) VALUES (?1, ?2, ?3)"),
            archive_widget: prepare("UPDATE widgets SET archived = TRUE WHERE id = ?1"),
            list_widgets: prepare("SELECT name FROM widgets WHERE shop_id = ?1 ORDER BY name"),
            find_widget: prepare("SELECT name, shop_id FROM widgets WHERE id = ?1"),
            count_widgets: prepare("SELECT count(*) AS number FROM widgets"),
        })
    }

    fn handle(&mut self, event: StoredEvent<WidgetEvents>) -> anyhow::Result<()> {
        match event.data {
            WidgetEvents::Created(WidgetCreated { id, shop_id, name }) => {
                self.insert_widget
                    .execute(params![id.to_string(), shop_id, name])?;
                let rows: Vec<Row> = self.list_widgets.query(params![shop_id]);
                let mut names = Vec::new();
                for row in rows {
                    let name: String = row.get("name");
                    names.push(name);
                }
                let all: Row = self.count_widgets.query_one(params![]);
                let line = format!("{} of {}", names.join("+"), all.get::<_, i64>("number"));
                execute("INSERT INTO reports VALUES (?1)", params![line])?;
            }
            WidgetEvents::Archived(WidgetArchived { id }) => {
                let archived: Result<usize, SqliteError> = self.archive_widget.execute(params![id]);
                let found: Option<Row> = self.find_widget.query_row(params![id]);
                let name = found.map(|row| row.get::<_, String>("name"));
                let line = format!("archived {} as {name:?}", archived?);
                execute("INSERT INTO reports VALUES (?1)", params![line])?;
            }
        }
        Ok(())
    }
}

#[test]
fn statements_execute_and_return_all_rows_one_or_perhaps_one() {
    let created = |id, shop_id, name: &str| WidgetCreated {
        id: Uuid::from_u128(id),
        shop_id,
        name: name.to_owned(),
    };
    let archived = |id| WidgetArchived {
        id: Uuid::from_u128(id),
    };
    given(events![
        created(1, 42, "nut"),
        created(2, 42, "bolt"),
        created(3, 43, "gear"),
        archived(1),
        archived(9),
    ])
    .project::<MyProjector>()
    .then_rows(
        "SELECT line FROM reports ORDER BY rowid",
        rows![
            ["nut of 1"],
            ["bolt+nut of 2"],
            ["gear of 3"],
            [r#"archived 1 as Some("nut")"#],
            ["archived 0 as None"]
        ],
    )
    .then_rows("SELECT name FROM widgets WHERE archived", rows![["nut"]]);
}

#[test]
fn prepare_traps_on_sql_that_cannot_be_parsed() {
    traps_in_a_module("SQLite: near \"SELEKT\": syntax error", || {
        let _: Statement = prepare("SELEKT 1");
        unreachable!("the statement is parsed where it is prepared");
    });
    traps_in_a_module("SQLite: no such table: widgets", || {
        let _ = prepare("SELECT * FROM widgets");
        unreachable!("so the table has to be there");
    });
}

#[test]
fn the_query_one_of_a_statement_traps_as_the_function_does() {
    for (name, message) in [("gear", "no row"), ("nut", "more than one row")] {
        traps_in_a_module(&format!("SQLite: `query_one` found {message}"), move || {
            three_widgets()?;
            let by_name = prepare("SELECT * FROM widgets WHERE name = ?1");
            let _ = by_name.query_one(params![name]);
            Ok(())
        });
    }
}

#[test]
fn what_is_no_constraint_traps() {
    traps_in_a_module("SQLite: near \"SELEKT\": syntax error", || {
        execute("SELEKT 1", params![])?;
        Ok(())
    });
    traps_in_a_module("SQLite: no such column: colour", || {
        three_widgets()?;
        let _ = query_row("SELECT colour FROM widgets", params![]);
        Ok(())
    });
    traps_in_a_module(
        "SQLite: the statement has 2 parameters, but 1 value is given",
        || {
            let _ = query_row("SELECT ?1, ?2", params![1]);
            Ok(())
        },
    );
}

// Errors.

fn violation(sql: &str) -> ConstraintViolation {
    match execute(sql, params![]) {
        Err(SqliteError::ConstraintViolation(violation)) => violation,
        other => panic!("`{sql}` breaks a constraint, but ended with {other:?}"),
    }
}

#[test]
fn every_kind_of_constraint_is_told_apart() {
    in_a_module(|| {
        execute_batch(
            "CREATE TABLE shops (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL);
             CREATE TABLE plans (
                 id TEXT PRIMARY KEY,
                 shop_id INTEGER REFERENCES shops (id),
                 price INTEGER CHECK (price > 0)
             );
             CREATE TRIGGER closed BEFORE DELETE ON shops
             BEGIN SELECT RAISE(ABORT, 'shops are never deleted'); END;
             INSERT INTO shops VALUES (1, 'one');
             INSERT INTO plans VALUES ('p', 1, 10);",
        )?;
        use ConstraintViolationKind::{Check, ForeignKey, NotNull, Other, PrimaryKey, Unique};
        let cases = [
            ("INSERT INTO shops VALUES (2, 'one')", Unique, "shops.name"),
            (
                "INSERT INTO plans VALUES ('p', 1, 10)",
                PrimaryKey,
                "plans.id",
            ),
            (
                "INSERT INTO shops VALUES (1, 'two')",
                PrimaryKey,
                "shops.id",
            ),
            ("INSERT INTO shops VALUES (2, NULL)", NotNull, "shops.name"),
            (
                "INSERT INTO plans VALUES ('q', 9, 10)",
                ForeignKey,
                "FOREIGN KEY",
            ),
            ("INSERT INTO plans VALUES ('q', 1, 0)", Check, "price > 0"),
            ("DELETE FROM shops", Other, "shops are never deleted"),
        ];
        for (sql, kind, message) in cases {
            let violation = violation(sql);
            assert_eq!(violation.kind, kind, "{sql}");
            let text: &String = &violation.message;
            assert!(text.contains(message), "{sql}: {text}");
        }
        Ok(())
    })
    // Each failed statement had no effect, and the handler went on.
    .then_rows(
        "SELECT (SELECT count(*) FROM shops), (SELECT count(*) FROM plans)",
        rows![[1, 1]],
    );
}

#[test]
fn a_violation_is_an_error_wherever_there_is_a_result_for_it() {
    in_a_module(|| {
        three_widgets()?;
        let again = "INSERT INTO widgets VALUES ('a', 'again')";
        assert!(execute(again, params![]).is_err());
        assert!(execute_batch(again).is_err());
        assert!(prepare(again).execute(params![]).is_err());
        Ok(())
    })
    .then_rows(
        "SELECT name FROM widgets WHERE widget_id = 'a'",
        rows![["bolt"]],
    );
    traps_in_a_module("SQLite: UNIQUE constraint failed", || {
        three_widgets()?;
        let returning = "INSERT INTO widgets VALUES ('a', 'again') RETURNING widget_id";
        let _ = query_row(returning, params![]);
        Ok(())
    });
}

/// A row that is there already is fine; everything else is not.
fn project(id: &str, name: Option<&str>) -> anyhow::Result<()> {
    match execute(
        "INSERT INTO widgets (id, name) VALUES (?1, ?2)",
        params![id, name],
    ) {
        Ok(_) => {}
        Err(SqliteError::ConstraintViolation(v)) if v.kind == ConstraintViolationKind::Unique => {}
        Err(err) => return Err(err.into()),
    }
    Ok(())
}

#[test]
fn a_unique_collision_can_mean_that_the_event_was_projected() {
    in_a_module(|| {
        execute_batch("CREATE TABLE widgets (id TEXT UNIQUE NOT NULL, name TEXT NOT NULL)")?;
        project("a", Some("bolt"))?;
        project("a", Some("bolt"))?;
        let error = project("b", None).unwrap_err();
        assert!(
            error.to_string().contains("NOT NULL"),
            "other violations pass through `?`: {error}"
        );
        Ok(())
    })
    .then_rows("SELECT id, name FROM widgets", rows![["a", "bolt"]]);
}

// Transactions.

#[derive(Event, DomainIds, Serialize, Deserialize)]
struct Counted {
    #[domain_id]
    number: u32,
}

/// Two rows for each event; every second one fails after the first of them.
struct Halves {}

impl Projector for Halves {
    type Query = SingleEvent<Counted>;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE IF NOT EXISTS halves (number INTEGER, half TEXT)")?;
        Ok(Halves {})
    }

    fn handle(&mut self, event: StoredEvent<Counted>) -> anyhow::Result<()> {
        let insert = prepare("INSERT INTO halves VALUES (?1, ?2)");
        insert.execute(params![event.data.number, "left"])?;
        anyhow::ensure!(event.data.number < 2, "two is too many");
        insert.execute(params![event.data.number, "right"])?;
        Ok(())
    }
}

#[test]
fn a_handler_that_succeeds_commits_and_one_that_fails_rolls_back() {
    given(events![Counted { number: 1 }, Counted { number: 2 }])
        .project::<Halves>()
        .then_fails_at::<Counted>("two is too many")
        .then_rows(
            "SELECT number, half FROM halves ORDER BY rowid",
            rows![[1, "left"], [1, "right"]],
        );
}

#[test]
fn a_module_neither_manages_transactions_nor_reaches_other_databases() {
    for sql in [
        "BEGIN",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT mine",
        "ATTACH 'plans.sqlite' AS plans",
    ] {
        traps_in_a_module("SQLite: not authorized", move || {
            execute_batch(sql)?;
            Ok(())
        });
    }
}
