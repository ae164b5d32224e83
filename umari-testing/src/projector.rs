//! Projectors: events in, rows out, on real SQLite in memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use expect_test::Expect;
use umari::event::Event;
use umari::host::{AsOf, Host, QueryItem, RawEvent, Rows};
use umari::projector::{self, Projector};
use umari::sqlite::{ParamList, Params, SqliteValue};

use crate::check::{EVENT_ORDER, PROJECTOR_LAWS, event_order, projector_laws, upcast_loss};
use crate::engine::database::Change;
use crate::engine::{Engine, Role};
use crate::given::short;
use crate::panics;
use crate::report::{Report, Shown, Verdict, boundary, demand, diff, table};
use crate::world::World;

mod shredding;

const NO_PARAMS: ParamList<'static> = ParamList::Positional(&[]);

/// A projector's tables after it has handled the history.
#[derive(Clone)]
pub struct Projection {
    name: Rc<str>,
    world: World,
    query: Rc<[QueryItem]>,
    run: Rc<Run>,
    /// Runs the projector over another history.
    rebuild: fn(&World) -> Verdict<Run>,
    /// A `then_fails_at` has said that the failure is meant.
    failure_expected: bool,
}

impl std::fmt::Debug for Projection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Projection")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// One run of a projector over a history.
pub(crate) struct Run {
    engine: Rc<Engine>,
    /// Where the projector stopped, and why.
    failure: Option<(RawEvent, String)>,
    /// Which rows each event looked for and found.
    changes: Vec<Vec<Change>>,
}

impl Run {
    /// The `UPDATE`s and `DELETE`s at the event with this index in the order of delivery.
    pub(crate) fn changes(&self, index: usize) -> &[Change] {
        self.changes.get(index).map_or(&[], Vec::as_slice)
    }

    /// Every table as text, with its rows in an order that depends on nothing but them.
    pub(crate) fn dump(&self) -> String {
        let database = self.engine.sqlite();
        let names = "SELECT name FROM sqlite_schema WHERE type = 'table' \
                     AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name";
        let Ok(tables) = database.read(names, NO_PARAMS) else {
            return String::new();
        };
        let mut text = String::new();
        for name in tables.rows.iter().flatten().map(table::value) {
            let sql = format!("SELECT * FROM {}", quoted(&name));
            if let Ok(rows) = database.read(&sql, NO_PARAMS) {
                text.push_str(&dumped(&name, rows));
            }
        }
        text
    }

    pub(crate) fn failure(&self) -> Option<&(RawEvent, String)> {
        self.failure.as_ref()
    }
}

/// A table as text, with its rows in an order that depends on nothing but them.
pub(crate) fn dumped(name: &str, mut rows: Rows) -> String {
    rows.rows
        .sort_by_key(|row| row.iter().map(table::value).collect::<Vec<_>>());
    format!("{name}\n{}\n", table::rows(&rows))
}

/// When an instance of the projector ends early, and a new one goes on with its file.
///
/// A place is the index of an event; `None` stands for every event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Disturbance {
    None,
    /// After an event.
    Restart(Option<usize>),
    /// Inside an event: its savepoint is rolled back, and it is handed over again.
    Interrupt(Option<usize>),
    /// Both at the same event.
    Both(Option<usize>),
}

impl Disturbance {
    fn interrupts(self, index: usize) -> bool {
        matches!(self, Self::Interrupt(at) | Self::Both(at) if at.is_none_or(|at| at == index))
    }

    fn restarts(self, index: usize) -> bool {
        matches!(self, Self::Restart(at) | Self::Both(at) if at.is_none_or(|at| at == index))
    }
}

/// The events that a projector is handed.
pub(crate) fn delivered<P: Projector>(world: &World) -> Vec<RawEvent> {
    world
        .log
        .read(&projector::query::<P>(), AsOf::Position(world.log.head()))
}

/// Runs a projector over the history, and its laws.
pub(crate) fn run<P: Projector>(world: &World) -> Verdict<Projection> {
    let name = short(std::any::type_name::<P>());
    let mut world = world.clone();
    world.story.line("project", &name);
    let events = delivered::<P>(&world);
    let run = replay::<P>(&world, &events, Disturbance::None, "started")?;
    upcast_loss::check(&world, &run.engine.losses.borrow())?;
    if run.failure.is_none() && world.waivers.runs(PROJECTOR_LAWS) {
        projector_laws::check::<P>(&world, &events, &run)?;
    }
    if run.failure.is_none() && world.waivers.runs(EVENT_ORDER) {
        event_order::check::<P>(&world, &events, &run)?;
    }
    #[cfg(feature = "component")]
    crate::component::projector::<P>(&world, &run)?;
    Ok(Projection {
        name: name.into(),
        query: projector::query::<P>().into(),
        world,
        run: Rc::new(run),
        rebuild: |world| replay::<P>(world, &delivered::<P>(world), Disturbance::None, "rebuilt"),
        failure_expected: false,
    })
}

/// Hands `events` to a projector with a database of its own; `words` say how it is disturbed.
pub(crate) fn replay<P: Projector>(
    world: &World,
    events: &[RawEvent],
    disturbance: Disturbance,
    words: &str,
) -> Verdict<Run> {
    let engine = Engine::new(world, Role::Projector);
    let guard = umari::host::install(Rc::clone(&engine) as Rc<dyn Host>);
    let mut instance = start::<P>(&engine, world, words)?;
    let mut failure = None;
    let mut changes = Vec::with_capacity(events.len());
    for (index, event) in events.iter().enumerate() {
        if disturbance.interrupts(index) {
            // Handled, but never committed: the savepoint is rolled back by an error of ours.
            let _ = attempt(&engine, || {
                projector::handle(&mut instance, event)?;
                anyhow::bail!("interrupted")
            });
            instance = start::<P>(&engine, world, words)?;
        }
        drop(engine.take_changes());
        if let Err(message) = attempt(&engine, || projector::handle(&mut instance, event)) {
            failure = Some((event.clone(), message));
            break;
        }
        changes.push(engine.take_changes());
        if disturbance.restarts(index) {
            instance = start::<P>(&engine, world, words)?;
        }
    }
    drop(guard);
    Ok(Run {
        engine,
        failure,
        changes,
    })
}

fn start<P: Projector>(engine: &Rc<Engine>, world: &World, words: &str) -> Verdict<P> {
    let mut made = None;
    let result = attempt(engine, || {
        made = Some(P::init()?);
        Ok(())
    });
    match (result, made) {
        (Ok(()), Some(projector)) => Ok(projector),
        (result, _) => Err(Box::new(
            Report::new(format!(
                "`{}::init` fails when the projector is {words}",
                short(std::any::type_name::<P>())
            ))
            .scenario(&world.story)
            .cause(result.err().unwrap_or_default())
            .fix(
                "`init` runs again after every restart, on the tables that are there: \
                     `CREATE TABLE IF NOT EXISTS`",
            ),
        )),
    }
}

/// Runs `work` in a savepoint; its error or panic as text.
pub(crate) fn attempt(
    engine: &Engine,
    work: impl FnOnce() -> anyhow::Result<()>,
) -> Result<(), String> {
    let work = || engine.savepoint(|| work().map_err(|error| format!("{error:#}")));
    match panics::catch(work) {
        Ok(result) => result,
        Err(message) => Err(format!("panicked: {message}")),
    }
}

impl Projection {
    /// A query returns exactly these rows, in this order.
    ///
    /// # Panics
    ///
    /// Panics where it returns others.
    #[track_caller]
    pub fn then_rows(&self, sql: &str, rows: Vec<Vec<SqliteValue>>) -> Self {
        demand(self.expect_rows(sql, NO_PARAMS, rows));
        self.clone()
    }

    /// As [`then_rows`](Projection::then_rows), with parameters: `params![..]` or
    /// `named_params! { .. }`.
    ///
    /// # Panics
    ///
    /// Panics where it returns others.
    #[track_caller]
    pub fn then_query(&self, sql: &str, params: impl Params, rows: Vec<Vec<SqliteValue>>) -> Self {
        demand(self.expect_rows(sql, params.list(), rows));
        self.clone()
    }

    /// A table looks like this snapshot, with its rows in the order of their rowids.
    /// `UPDATE_EXPECT=1 cargo test` writes the snapshot.
    ///
    /// # Panics
    ///
    /// Panics where it looks otherwise, or there is no such table.
    #[track_caller]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "`expect![..]` is written in place"
    )]
    pub fn then_table(&self, table: &str, expected: Expect) -> Self {
        let rows = demand(self.read(&format!("SELECT * FROM {}", quoted(table)), NO_PARAMS));
        let actual = table::rows(&rows);
        // The snapshot shows the difference itself, and unwinds with nothing that could be read.
        if catch_unwind(AssertUnwindSafe(|| expected.assert_eq(&actual))).is_err() {
            self.report(format!("the table `{table}` is not as in the snapshot"))
                .section("actual", actual)
                .section("read by the projector", self.grid())
                .fix("where it is right, `UPDATE_EXPECT=1 cargo test` writes the snapshot")
                .fail();
        }
        self.clone()
    }

    /// The projector stops at an event of type `E`, with a message that contains `text`.
    ///
    /// # Panics
    ///
    /// Panics where it does not stop, or elsewhere, or says something else.
    #[track_caller]
    pub fn then_fails_at<E: Event>(&self, text: &str) -> Self {
        demand(self.expect_failure(E::EVENT_TYPE, text));
        Self {
            failure_expected: true,
            ..self.clone()
        }
    }

    fn read(&self, sql: &str, params: ParamList<'_>) -> Verdict<Rows> {
        if let Some((event, message)) = &self.run.failure
            && !self.failure_expected
        {
            return Err(Box::new(
                self.report(format!(
                    "the projector stopped at `{}`",
                    Shown::from(event).label()
                ))
                .cause(message.clone())
                .fix("where that is meant, call `.then_fails_at::<E>(\"text\")` first"),
            ));
        }
        self.run.engine.sqlite().read(sql, params).map_err(|fault| {
            Box::new(
                self.report("the test's own query failed")
                    .section("query", sql)
                    .section("parameters", table::parameters(params))
                    .cause(fault.to_string())
                    .section("tables", self.run.dump()),
            )
        })
    }

    fn expect_rows(
        &self,
        sql: &str,
        params: ParamList<'_>,
        expected: Vec<Vec<SqliteValue>>,
    ) -> Verdict {
        let actual = self.read(sql, params)?;
        if actual.rows == expected {
            return Ok(());
        }
        let expected = Rows {
            columns: actual.columns.clone(),
            rows: expected,
        };
        let (expected, actual) = (table::rows(&expected), table::rows(&actual));
        // The same text can only hide a difference of types.
        let difference = diff::lines(&expected, &actual)
            .unwrap_or_else(|| format!("{actual}(equal as text, but of other types)\n"));
        Err(Box::new(
            self.report("the rows are not as expected")
                .section("query", sql)
                .section("parameters", table::parameters(params))
                .section("rows (- expected, + actual)", difference)
                .section("read by the projector", self.grid()),
        ))
    }

    fn expect_failure(&self, name: &str, text: &str) -> Verdict {
        let expected = format!("the projector was expected to stop at `{name}` with {text:?}");
        match &self.run.failure {
            Some((event, message)) if event.event_type == name && message.contains(text) => Ok(()),
            Some((event, message)) => Err(Box::new(
                self.report(format!(
                    "{expected}, but stopped at `{}` otherwise",
                    Shown::from(event).label()
                ))
                .cause(message.clone()),
            )),
            None => Err(Box::new(
                self.report(format!("{expected}, but handled everything"))
                    .section("read by the projector", self.grid()),
            )),
        }
    }

    fn report(&self, headline: impl Into<String>) -> Report {
        Report::new(headline).scenario(&self.world.story)
    }

    fn grid(&self) -> String {
        boundary::cells(&self.query, &self.world.log.events().collect::<Vec<_>>())
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
