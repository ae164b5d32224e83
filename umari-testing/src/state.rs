//! States: what folds, deciders and queries make of a history.

use std::any::type_name;
use std::fmt::Debug;
use std::rc::Rc;

use umari::decider::Decider;
use umari::fold::{Fold, FoldError};
use umari::host::{AsOf, Host, RawEvent};
use umari::prelude::FoldQuery;

mod past;
mod query;

pub use self::past::Past;
pub use self::query::QueryOutcome;

use crate::check::{DETERMINISM, fold, snapshot, upcast_loss};
use crate::engine::{Engine, Role};
use crate::events::chain;
use crate::given::short;
use crate::report::{Report, Verdict, boundary, diff, near_miss};
use crate::shared::Shared;
use crate::world::World;

/// What has a state over a history: a [`Fold`] or a [`Decider`].
///
/// `Kind` tells the two apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no state over a history",
    label = "neither a fold nor a decider",
    note = "implement `umari::fold::Fold` or `umari::decider::Decider` for it; for more than one \
            of them at a time, write `.query(|| FoldQuery::new().fold(..).fold(..).run())`"
)]
pub trait Reader<Kind> {
    /// What the events add up to.
    type State;

    #[doc(hidden)]
    fn read(this: &Rc<Self>, bound: Option<AsOf>) -> Result<Self::State, FoldError>;
}

/// The kind of a [`Reader`] that is a fold.
#[derive(Debug)]
pub enum AsFold {}

/// The kind of a [`Reader`] that is a decider.
#[derive(Debug)]
pub enum AsDecider {}

impl<F: Fold> Reader<AsFold> for F {
    type State = F::State;

    fn read(this: &Rc<Self>, bound: Option<AsOf>) -> Result<F::State, FoldError> {
        let query = FoldQuery::new().fold(Shared::from(this));
        match bound {
            Some(bound) => query.as_of(bound).run(),
            None => query.run(),
        }
    }
}

impl<D: Decider> Reader<AsDecider> for D {
    type State = D::State;

    fn read(this: &Rc<Self>, bound: Option<AsOf>) -> Result<D::State, FoldError> {
        let query = FoldQuery::new().decider(Shared::from(this));
        match bound {
            Some(bound) => query.as_of(bound).run(),
            None => query.run(),
        }
    }
}

/// The state of `reader`, read through the query that production uses.
pub(crate) fn state<K, R: Reader<K>>(
    world: &World,
    reader: R,
    bound: Option<AsOf>,
) -> Verdict<R::State> {
    let reader = Rc::new(reader);
    let (state, engine) = run(world, &reader, bound)?;
    snapshot::check(world, Role::Fold, &engine.traces.borrow(), &|engine| {
        // Its state need not be comparable; its JSON is.
        match read_on(engine, &reader, bound) {
            Ok(_) => String::new(),
            Err(error) => chain(&error),
        }
    })?;
    Ok(state)
}

/// Compares the state of `reader` with `expected`, and with what it is when it is read again.
pub(crate) fn check<K, R: Reader<K>>(
    world: &World,
    reader: R,
    bound: Option<AsOf>,
    expected: &R::State,
) -> Verdict
where
    R::State: PartialEq + Debug,
{
    let reader = Rc::new(reader);
    let (state, engine) = run(world, &reader, bound)?;
    if world.waivers.runs(DETERMINISM) {
        fold::determinism::<R, _>(world, &state, || {
            run(world, &reader, bound).map(|(state, _)| state)
        })?;
    }
    snapshot::check(
        world,
        Role::Fold,
        &engine.traces.borrow(),
        &|engine| match read_on(engine, &reader, bound) {
            Ok(other) if other == state => format!("{state:#?}"),
            Ok(other) => another(&state, &other),
            Err(error) => chain(&error),
        },
    )?;
    if state == *expected {
        return Ok(());
    }
    let (traces, events) = (engine.traces.borrow(), world.log.events());
    let report = Report::new(format!(
        "the state of `{}` is not as expected",
        short(type_name::<R>())
    ))
    .scenario(&world.story)
    .section("state (- expected, + actual)", difference(expected, &state));
    let report = near_miss::explain(report, &traces, events.clone(), std::iter::empty());
    let grid = boundary::grid(&traces, events);
    Err(Box::new(report.section("boundary", grid)))
}

/// Runs `reader` on an engine that remembers what it read.
pub(crate) fn run<K, R: Reader<K>>(
    world: &World,
    reader: &Rc<R>,
    bound: Option<AsOf>,
) -> Verdict<(R::State, Rc<Engine>)> {
    let engine = Engine::new(world, Role::Fold);
    let state = read_on(&engine, reader, bound);
    match state {
        Ok(state) => {
            upcast_loss::check(world, &engine.losses.borrow())?;
            Ok((state, engine))
        }
        Err(error) => {
            let name = short(type_name::<R>());
            let report = Report::new(format!("`{name}` could not be run"));
            let cause = Shared::<R>::unwrap_name(&chain(&error));
            Err(Box::new(report.scenario(&world.story).cause(cause)))
        }
    }
}

fn read_on<K, R: Reader<K>>(
    engine: &Rc<Engine>,
    reader: &Rc<R>,
    bound: Option<AsOf>,
) -> Result<R::State, FoldError> {
    let _guard = umari::host::install(Rc::clone(engine) as Rc<dyn Host>);
    R::read(reader, bound)
}

/// Two states, as the lines of their `Debug`.
fn difference<T: Debug>(expected: &T, actual: &T) -> String {
    let (expected, actual) = (format!("{expected:#?}"), format!("{actual:#?}"));
    // What is equal as text but not by `PartialEq` has a `Debug` that leaves something out.
    diff::lines(&expected, &actual)
        .unwrap_or_else(|| format!("{actual}\n(equal as text, but not by `PartialEq`)"))
}

/// A state that is not `state`, as the lines of its `Debug`.
fn another<T: Debug>(state: &T, other: &T) -> String {
    let text = format!("{other:#?}");
    if text == format!("{state:#?}") {
        return format!("{text}\n(equal as text, but not by `PartialEq`)");
    }
    text
}

/// The events that the traces of `engine` have read, in order of position.
fn read_events(engine: &Engine) -> Vec<RawEvent> {
    let traces = engine.traces.borrow();
    let log = engine.log.borrow();
    log.events()
        .filter(|event| {
            traces
                .iter()
                .any(|trace| trace.read.contains(&event.position))
        })
        .cloned()
        .collect()
}
