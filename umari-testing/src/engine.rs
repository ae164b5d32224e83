//! The engine under every scenario: one host for the real SDK code, all in memory.
//!
//! Nothing is folded, matched or decoded here on behalf of the code under test. The engine keeps
//! a log, a database, an HTTP target and a clock, and answers what the SDK asks of its host, in
//! the way the production host does.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use umari::crypto::{ShredError, Shredded};
use umari::host::{
    AsOf, Database, Host, HttpFailure, HttpRequest, HttpResponse, QueryItem, Reading, Transaction,
    TransactionError, Upcasting,
};
use umari::prelude::{CommandContext, DateTime, Utc, Uuid};

pub(crate) mod database;
pub(crate) mod ids;
pub(crate) mod log;
mod shredding;
pub(crate) mod snapshots;
pub(crate) mod sweep;
pub(crate) mod transaction;

use self::database::{Change, SqliteDatabase};
use self::log::{Log, Origin};
use self::shredding::Shreddings;
use self::snapshots::Snapshots;
use self::sweep::{CrashPoints, HostCall};
use self::transaction::{LogTransaction, Trace};
use crate::check::upcast_loss::Loss;
use crate::http;
use crate::world::World;

/// What the code under test is compiled to in production, and so what it may ask of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Command,
    Fold,
    Projector,
    Effect,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Command => "a command",
            Self::Fold => "a fold",
            Self::Projector => "a projector",
            Self::Effect => "an effect",
        }
    }
}

/// The host of one run.
pub(crate) struct Engine {
    /// For handing itself to transactions, which outlive the call that opens them.
    this: std::rc::Weak<Self>,
    role: Cell<Role>,
    world: World,
    pub(crate) log: RefCell<Log>,
    pub(crate) traces: RefCell<Vec<Trace>>,
    /// What the folds of the next transaction read.
    readings: RefCell<Rc<[Reading]>>,
    pub(crate) snapshots: RefCell<Snapshots>,
    pub(crate) requests: RefCell<Vec<HttpRequest>>,
    /// The status that each request was answered with; 0 where there was no answer.
    pub(crate) answers: RefCell<Vec<u16>>,
    pub(crate) shreddings: RefCell<Shreddings>,
    /// The event that the effect is handling.
    pub(crate) handling: Cell<Option<Uuid>>,
    /// The request, by its index, that is answered with 500 whatever the test scripts.
    pub(crate) refuse: Cell<Option<usize>>,
    /// Why the test must fail whatever the module makes of the answer.
    pub(crate) violation: RefCell<Option<String>>,
    /// Opened when it is first needed: most commands never do.
    database: OnceCell<SqliteDatabase>,
    in_savepoint: Cell<bool>,
    pub(crate) crash_points: Rc<CrashPoints>,
    /// The upcasts that lost something.
    pub(crate) losses: RefCell<Vec<Rc<Loss>>>,
    /// Whether the module asked for the time, which the scenario's clock told it.
    pub(crate) asked_time: Cell<bool>,
    /// The position up to which an effect has handled its events.
    pub(crate) completed: Cell<u64>,
    fresh_ids: Cell<u64>,
    /// Name and path of the first exported command that was entered.
    pub(crate) entered: Cell<Option<(&'static str, &'static str)>>,
    /// What the log has become just before the next commit, by the work of others.
    rival: RefCell<Option<Log>>,
}

impl Engine {
    /// A host over a copy of `world`.
    pub(crate) fn new(world: &World, role: Role) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            role: Cell::new(role),
            log: RefCell::new(world.log.clone()),
            traces: RefCell::default(),
            readings: RefCell::default(),
            snapshots: RefCell::default(),
            requests: RefCell::default(),
            answers: RefCell::default(),
            shreddings: RefCell::default(),
            handling: Cell::new(None),
            refuse: Cell::new(None),
            violation: RefCell::default(),
            database: OnceCell::new(),
            in_savepoint: Cell::new(false),
            crash_points: Rc::default(),
            losses: RefCell::default(),
            asked_time: Cell::new(false),
            completed: Cell::new(0),
            fresh_ids: Cell::new(world.fresh_ids),
            entered: Cell::default(),
            rival: RefCell::default(),
            world: world.clone(),
        })
    }

    /// The world that this run leaves behind.
    pub(crate) fn world(&self) -> World {
        let mut world = self.world.clone();
        world.log = self.log.borrow().clone();
        world.fresh_ids = self.fresh_ids.get();
        world
    }

    pub(crate) fn sqlite(&self) -> &SqliteDatabase {
        self.database.get_or_init(|| {
            let database = SqliteDatabase::open(Rc::clone(&self.crash_points));
            if self.in_savepoint.get() {
                database.begin();
            }
            database
        })
    }

    /// The module's `UPDATE`s and `DELETE`s since this was last asked.
    pub(crate) fn take_changes(&self) -> Vec<Change> {
        self.database
            .get()
            .map(SqliteDatabase::take_changes)
            .unwrap_or_default()
    }

    /// Runs `work` inside a savepoint, which an error or an unwinding module rolls back. A module
    /// that never touches its database does not get one.
    pub(crate) fn savepoint<T, E>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        if let Some(database) = self.database.get() {
            database.begin();
        }
        self.in_savepoint.set(true);
        let mut savepoint = Savepoint {
            engine: self,
            keep: false,
        };
        let result = work();
        savepoint.keep = result.is_ok();
        result
    }

    /// Lets others make `log` of this log just before the next commit.
    pub(crate) fn race_with(&self, log: Log) {
        *self.rival.borrow_mut() = Some(log);
    }

    /// Whether no commit was reached since [`race_with`](Engine::race_with).
    pub(crate) fn rival_waits(&self) -> bool {
        self.rival.borrow().is_some()
    }

    fn let_rival_commit(&self) {
        if let Some(log) = self.rival.borrow_mut().take() {
            *self.log.borrow_mut() = log;
        }
    }

    fn reach(&self, call: HostCall) {
        self.crash_points.reach(call, false);
    }

    fn passed(&self, call: HostCall) {
        self.crash_points.reach(call, true);
    }

    /// Keeps the first violation, which is the cause of the others.
    fn violate(&self, message: String) {
        self.violation.borrow_mut().get_or_insert(message);
    }

    fn only_effects(&self, what: &str) {
        let role = self.role.get();
        if role != Role::Effect {
            panic!(
                "{} has no {what}: its world does not import it, in production as in tests",
                role.name()
            );
        }
    }

    fn origin(&self, context: &CommandContext, command: &str) -> Origin {
        Origin {
            command: command.into(),
            correlation_id: context.correlation_id,
            causation_id: context.causation_id,
            triggering_event_id: context.triggering_event_id,
            idempotency_key: context.idempotency_key,
            timestamp: self.world.now,
        }
    }

    fn open_transaction(
        &self,
        query: &[QueryItem],
        bound: Option<AsOf>,
        origin: Option<Origin>,
    ) -> Result<Box<dyn Transaction>, TransactionError> {
        if self.role.get() == Role::Projector {
            self.only_effects("access to the log besides the events it is handed");
        }
        let engine = self
            .this
            .upgrade()
            .ok_or_else(|| TransactionError::Unavailable("the scenario has ended".to_owned()))?;
        Ok(Box::new(LogTransaction::open(
            &engine, query, bound, origin,
        )?))
    }
}

/// Ends a savepoint, also when a killed module unwinds through it.
struct Savepoint<'a> {
    engine: &'a Engine,
    keep: bool,
}

impl Drop for Savepoint<'_> {
    fn drop(&mut self) {
        self.engine.in_savepoint.set(false);
        match self.engine.database.get() {
            Some(database) if self.keep => database.release(),
            Some(database) => database.roll_back(),
            None => {}
        }
    }
}

impl Host for Engine {
    fn open(
        &self,
        query: &[QueryItem],
        context: &CommandContext,
        command: &str,
    ) -> Result<Box<dyn Transaction>, TransactionError> {
        self.open_transaction(query, None, Some(self.origin(context, command)))
    }

    fn open_as_of(
        &self,
        query: &[QueryItem],
        bound: AsOf,
    ) -> Result<Box<dyn Transaction>, TransactionError> {
        self.open_transaction(query, Some(bound), None)
    }

    fn database(&self) -> &dyn Database {
        if self.role.get() != Role::Projector {
            self.only_effects("database");
        }
        self.sqlite()
    }

    fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpFailure> {
        self.only_effects("HTTP client");
        self.reach(HostCall::Send);
        let refused = self.refuse.get() == Some(self.requests.borrow().len());
        let answer = if refused {
            Some(Ok(http::refusal()))
        } else {
            self.world.http.answer(&request)
        };
        let line = format!("{} {}", request.method, request.url);
        self.requests.borrow_mut().push(request);
        self.answers.borrow_mut().push(match &answer {
            Some(Ok(response)) => response.status,
            _ => 0,
        });
        self.passed(HostCall::Send);
        answer.unwrap_or_else(|| {
            self.violate(format!(
                "the effect sent `{line}`, which the test does not script"
            ));
            Err(HttpFailure {
                code: "connection-refused".to_owned(),
                message: format!("`{line}` is not scripted by this test"),
            })
        })
    }

    fn shred(&self, scope: &str, reason: &str) -> Result<Shredded, ShredError> {
        self.only_effects("data keys to delete");
        shredding::check(scope, reason)?;
        self.reach(HostCall::Shred);
        let (log, at) = (&mut self.log.borrow_mut(), self.world.now);
        let mut shreddings = self.shreddings.borrow_mut();
        let shredded = shreddings.shred(log, scope, self.handling.get(), at);
        drop(shreddings);
        self.passed(HostCall::Shred);
        Ok(shredded)
    }

    fn env(&self, name: &str) -> Option<String> {
        self.world.env.get(name).cloned()
    }

    fn reading(&self, readings: &mut dyn FnMut() -> Vec<Reading>) {
        *self.readings.borrow_mut() = readings().into();
    }

    fn new_id(&self) -> Uuid {
        self.fresh_ids.set(self.fresh_ids.get() + 1);
        ids::fresh(self.fresh_ids.get())
    }

    fn now(&self) -> DateTime<Utc> {
        self.asked_time.set(true);
        self.world.now
    }

    fn upcasting(&self, upcasting: &Upcasting<'_>) {
        let loss = self.world.upcasts.loss(upcasting);
        self.losses.borrow_mut().extend(loss);
    }

    fn entered(&self, name: &'static str, function: &'static str) {
        if self.entered.get().is_none() {
            self.entered.set(Some((name, function)));
        }
    }
}
