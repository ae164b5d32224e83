//! The projector laws.

use std::sync::atomic::{AtomicU64, Ordering};

use umari::prelude::*;
use umari_testing::prelude::*;

use super::super::shop::*;
use super::super::support::fails;

/// Counts plans in its struct instead of in its table.
struct Forgetful {
    count: i64,
}

impl Projector for Forgetful {
    type Query = SingleEvent<PlanCreated>;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE IF NOT EXISTS counts (plan TEXT, number INTEGER)")?;
        Ok(Self { count: 0 })
    }

    fn handle(&mut self, event: StoredEvent<PlanCreated>) -> anyhow::Result<()> {
        self.count += 1;
        execute(
            "INSERT INTO counts VALUES (?1, ?2)",
            params![format!("plan {}", event.data.plan_id), self.count],
        )?;
        Ok(())
    }
}

#[test]
fn projector_laws_find_state_outside_of_tables() {
    let plans = given(events![plan(1), plan(2), plan(3)]);
    fails(
        || plans.project::<Forgetful>(),
        expect![[r#"
        `Forgetful` has other rows when it is restarted after event 1 (plan.created {plan_id:1, shop_id:42})

        scenario
          given    1  plan.created  plan_id:1, shop_id:42
                   2  plan.created  plan_id:2, shop_id:42
                   3  plan.created  plan_id:3, shop_id:42
          project  Forgetful

        rows (- handled once, + disturbed)
            counts
            plan    number
            ------  ------
            plan 1  1
          - plan 2  2
          - plan 3  3
          + plan 2  1
          + plan 3  2

        fix
          a new instance begins with `init` on the tables that are there: keep state in tables, not in the struct, and let `init` leave existing rows alone
          or, if it is meant, `.without(check::PROJECTOR_LAWS, "why")`
    "#]],
    );
    plans
        .without(check::PROJECTOR_LAWS, "shows the fault")
        .project::<Forgetful>()
        .then_rows("SELECT max(number) FROM counts", rows![[3]]);
}

/// Creates its table as if nobody ever restarted it.
struct Fragile {}

impl Projector for Fragile {
    type Query = SingleEvent<PlanCreated>;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE plans (plan_id TEXT)").map_err(anyhow::Error::from)?;
        Ok(Self {})
    }

    fn handle(&mut self, _event: StoredEvent<PlanCreated>) -> anyhow::Result<()> {
        Ok(())
    }
}

#[test]
fn projector_laws_find_an_init_that_works_once() {
    fails(
        || given(events![plan(1)]).project::<Fragile>(),
        expect![[r#"
            `Fragile::init` fails when the projector is restarted after event 1 (plan.created {plan_id:1, shop_id:42})

            scenario
              given    1  plan.created  plan_id:1, shop_id:42
              project  Fragile

            cause
              panicked: SQLite: table plans already exists, in `CREATE TABLE plans (plan_id TEXT)`, at projectors.rs

            fix
              `init` runs again after every restart, on the tables that are there: `CREATE TABLE IF NOT EXISTS`
        "#]],
    );
}

static REBUILDS: AtomicU64 = AtomicU64::new(0);

/// Writes something that is in no event.
struct Random {}

impl Projector for Random {
    type Query = SingleEvent<PlanCreated>;

    fn init() -> anyhow::Result<Self> {
        execute_batch("CREATE TABLE IF NOT EXISTS runs (run INTEGER)")?;
        Ok(Self {})
    }

    fn handle(&mut self, _event: StoredEvent<PlanCreated>) -> anyhow::Result<()> {
        let run = i64::try_from(REBUILDS.fetch_add(1, Ordering::Relaxed))?;
        execute("INSERT INTO runs VALUES (?1)", params![run])?;
        Ok(())
    }
}

#[test]
fn projector_laws_find_rows_that_are_in_no_event() {
    fails(
        || given(events![plan(1)]).project::<Random>(),
        expect![[r#"
            `Random` has other rows when it is rebuilt from scratch

            scenario
              given    1  plan.created  plan_id:1, shop_id:42
              project  Random

            rows (- handled once, + disturbed)
                runs
                run
                ---
              - 0
              + 3

            fix
              rows may depend on events alone: no clock, no random value, no order of a hash map
              or, if it is meant, `.without(check::PROJECTOR_LAWS, "why")`
        "#]],
    );
}

#[test]
fn projector_laws_hold_in_long_histories() {
    let plans: Events = (1..=20).map(plan).collect();
    fails(
        || given(plans.clone()).project::<Forgetful>(),
        expect![[r#"
        `Forgetful` has other rows when it is restarted after every event

        scenario
          given    1   plan.created  plan_id:1, shop_id:42
                   2   plan.created  plan_id:2, shop_id:42
                   3   plan.created  plan_id:3, shop_id:42
                   4   plan.created  plan_id:4, shop_id:42
                   5   plan.created  plan_id:5, shop_id:42
                   6   plan.created  plan_id:6, shop_id:42
                   7   plan.created  plan_id:7, shop_id:42
                   8   plan.created  plan_id:8, shop_id:42
                   9   plan.created  plan_id:9, shop_id:42
                   10  plan.created  plan_id:10, shop_id:42
                   11  plan.created  plan_id:11, shop_id:42
                   12  plan.created  plan_id:12, shop_id:42
                   13  plan.created  plan_id:13, shop_id:42
                   14  plan.created  plan_id:14, shop_id:42
                   15  plan.created  plan_id:15, shop_id:42
                   16  plan.created  plan_id:16, shop_id:42
                   17  plan.created  plan_id:17, shop_id:42
                   18  plan.created  plan_id:18, shop_id:42
                   19  plan.created  plan_id:19, shop_id:42
                   20  plan.created  plan_id:20, shop_id:42
          project  Forgetful

        rows (- handled once, + disturbed)
            counts
            plan     number
            -------  ------
            plan 1   1
          - plan 10  10
          - plan 11  11
          - plan 12  12
          - plan 13  13
          - plan 14  14
          - plan 15  15
          - plan 16  16
          - plan 17  17
          - plan 18  18
          - plan 19  19
          - plan 2   2
          - plan 20  20
          - plan 3   3
          - plan 4   4
          - plan 5   5
          - plan 6   6
          - plan 7   7
          - plan 8   8
          - plan 9   9
          + plan 10  1
          + plan 11  1
          + plan 12  1
          + plan 13  1
          + plan 14  1
          + plan 15  1
          + plan 16  1
          + plan 17  1
          + plan 18  1
          + plan 19  1
          + plan 2   1
          + plan 20  1
          + plan 3   1
          + plan 4   1
          + plan 5   1
          + plan 6   1
          + plan 7   1
          + plan 8   1
          + plan 9   1

        fix
          a new instance begins with `init` on the tables that are there: keep state in tables, not in the struct, and let `init` leave existing rows alone
          or, if it is meant, `.without(check::PROJECTOR_LAWS, "why")`
    "#]],
    );
    given(plans)
        .project::<Plans>()
        .then_rows("SELECT count(*) FROM plans", rows![[20]]);
}
