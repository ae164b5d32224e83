//! Projectors on real SQLite.

use umari::prelude::*;
use umari_testing::prelude::*;

use super::shop::*;

#[test]
fn rows_queries_and_tables() {
    given(events![
        plan(1),
        plan(2),
        sold(7),
        connected(42),
        PlanArchived { plan_id: 2 }
    ])
    .project::<Plans>()
    .then_rows(
        "SELECT plan_id, sold FROM plans ORDER BY plan_id",
        rows![["1", 1], ["2", 0]],
    )
    .then_query(
        "SELECT title FROM plans WHERE archived = ?1",
        params![1],
        rows![("Gold",)],
    )
    .then_rows("SELECT * FROM plans WHERE sold > 9", rows![])
    .then_table(
        "plans",
        expect![[r#"
                plan_id  title  archived  sold
                -------  -----  --------  ----
                "1"      Gold   0         1
                "2"      Gold   1         0
            "#]],
    );
}

#[test]
fn a_story_is_projected() {
    given(events![connected(42)])
        .when(create_plan::execute, create_plan::input(1))
        .then(events![plan(1)])
        .project::<Plans>()
        .then_rows("SELECT count(*) FROM plans", rows![[1]]);
}

#[test]
fn a_failing_event_stops_the_projector_and_keeps_what_was_before() {
    given(events![plan(1), plan(1), plan(2)])
        .project::<Plans>()
        .then_fails_at::<PlanCreated>("UNIQUE constraint failed: plans.plan_id")
        .then_rows("SELECT plan_id FROM plans", rows![["1"]]);
}

/// Runs whatever SQL the event says.
struct Sql {}

#[derive(Event, DomainIds, Serialize, Deserialize)]
#[event_type("sql.given")]
struct SqlGiven {
    sql: String,
}

impl Projector for Sql {
    type Query = SingleEvent<SqlGiven>;

    fn init() -> anyhow::Result<Self> {
        execute_batch(
            "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, note TEXT NOT NULL)",
        )?;
        Ok(Self {})
    }

    fn handle(&mut self, event: StoredEvent<SqlGiven>) -> anyhow::Result<()> {
        execute_batch(&event.data.sql)?;
        Ok(())
    }
}

#[test]
fn the_guards_of_the_host_stand() {
    let length = "INSERT INTO notes (note) VALUES (zeroblob(16 * 1024 * 1024 + 1))";
    for (sql, refusal) in [
        ("ATTACH ':memory:' AS other", "not authorized"),
        ("DETACH main", "not authorized"),
        ("BEGIN", "not authorized"),
        ("COMMIT", "not authorized"),
        ("SAVEPOINT mine", "not authorized"),
        ("RELEASE umari_event", "not authorized"),
        ("PRAGMA journal_mode = DELETE", "not authorized"),
        ("SELECT load_extension('x')", "not authorized"),
        ("VACUUM INTO 'file:x?mode=memory'", "VACUUM"),
        ("DELETE FROM sqlite_schema", "may not be modified"),
        (length, "too big"),
    ] {
        given(events![SqlGiven {
            sql: sql.to_owned()
        }])
        .project::<Sql>()
        .then_fails_at::<SqlGiven>(refusal)
        .then_rows("SELECT * FROM notes", rows![]);
    }
}

#[test]
fn a_half_handled_event_leaves_nothing() {
    let sql = "INSERT INTO notes (note) VALUES ('kept?'); INSERT INTO notes (note) VALUES (NULL)";
    given(events![SqlGiven {
        sql: sql.to_owned()
    }])
    .project::<Sql>()
    .then_fails_at::<SqlGiven>("NOT NULL constraint failed")
    .then_rows("SELECT * FROM notes", rows![]);
}

#[test]
fn values_come_back_in_their_types() {
    let sql = "INSERT INTO notes VALUES (1, 'text'), (2, 1.5), (3, x'00ff')";
    given(events![SqlGiven {
        sql: sql.to_owned()
    }])
    .project::<Sql>()
    .then_rows(
        "SELECT id, note FROM notes ORDER BY id",
        rows![[1, "text"], [2, "1.5"], [3, vec![0_u8, 0xff]]],
    )
    .then_rows(
        "SELECT 1.5, NULL, last_insert_rowid()",
        rows![[1.5, None::<i64>, 3]],
    );
}
