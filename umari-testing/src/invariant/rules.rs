//! What has to hold.

use std::any::type_name;
use std::cell::Cell;
use std::fmt::{Debug, Display};
use std::rc::Rc;

use umari::decider::Decider;
use umari::fold::{Fold, FoldError};
use umari::host::Host;
use umari::prelude::FoldQuery;

use crate::engine::{Engine, Role};
use crate::events::chain;
use crate::given::{Given, short};
use crate::panics;
use crate::shared::Shared;
use crate::world::World;

/// What a closure that judges a state may return: `true` or `Ok(())` where all is well. The
/// message of an `Err` says what is not.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no judgement",
    label = "neither `bool` nor `Result<(), E>`",
    note = "the closure says whether the invariant holds: with `true`, or with `Ok(())` or an `Err` that says what is wrong"
)]
pub trait Judgement: 'static {
    /// What is wrong, in words if there are any.
    ///
    /// # Errors
    ///
    /// Where something is.
    #[doc(hidden)]
    fn verdict(self) -> Result<(), Option<String>>;
}

impl Judgement for bool {
    fn verdict(self) -> Result<(), Option<String>> {
        if self { Ok(()) } else { Err(None) }
    }
}

impl<E: Display + 'static> Judgement for Result<(), E> {
    fn verdict(self) -> Result<(), Option<String>> {
        self.map_err(|error| Some(error.to_string()))
    }
}

/// How a rule was broken.
pub(crate) struct Broken {
    pub(crate) headline: String,
    /// The state that it was judged by, or nothing.
    pub(crate) state: String,
    /// What the judge said, if it said anything.
    pub(crate) message: Option<String>,
}

/// An invariant.
pub(crate) trait Rule {
    fn judge(&self, world: &World) -> Result<(), Broken>;

    /// The name of its fold, where that has read no event so far.
    fn idle(&self) -> Option<String>;
}

/// An invariant of a fold's state.
pub(crate) struct Always<F, J> {
    fold: Rc<F>,
    judge: J,
    has_read: Cell<bool>,
}

impl<F: Fold, J> Always<F, J> {
    pub(crate) fn new(fold: F, judge: J) -> Self {
        Self {
            fold: Rc::new(fold),
            judge,
            has_read: Cell::new(false),
        }
    }
}

impl<F, T, J> Rule for Always<F, J>
where
    F: Fold,
    F::State: Debug,
    T: Judgement,
    J: Fn(&F::State) -> T,
{
    fn judge(&self, world: &World) -> Result<(), Broken> {
        let query = || FoldQuery::new().fold(Shared::from(&self.fold)).run();
        let state = read::<F, _>(world, &self.has_read, query)?;
        judge::<F, _, _>(&state, &self.judge)
    }

    fn idle(&self) -> Option<String> {
        (!self.has_read.get()).then(|| short(type_name::<F>()))
    }
}

/// An invariant of a decider's state.
pub(crate) struct AlwaysDecider<D, J> {
    decider: Rc<D>,
    judge: J,
    has_read: Cell<bool>,
}

impl<D: Decider, J> AlwaysDecider<D, J> {
    pub(crate) fn new(decider: D, judge: J) -> Self {
        Self {
            decider: Rc::new(decider),
            judge,
            has_read: Cell::new(false),
        }
    }
}

impl<D, T, J> Rule for AlwaysDecider<D, J>
where
    D: Decider,
    D::State: Debug,
    T: Judgement,
    J: Fn(&D::State) -> T,
{
    fn judge(&self, world: &World) -> Result<(), Broken> {
        let query = || FoldQuery::new().decider(Shared::from(&self.decider)).run();
        let state = read::<D, _>(world, &self.has_read, query)?;
        judge::<D, _, _>(&state, &self.judge)
    }

    fn idle(&self) -> Option<String> {
        (!self.has_read.get()).then(|| short(type_name::<D>()))
    }
}

/// Runs the query of the reader `R` on an engine of its own.
fn read<R, S>(
    world: &World,
    has_read: &Cell<bool>,
    query: impl FnOnce() -> Result<S, FoldError>,
) -> Result<S, Broken> {
    let engine = Engine::new(world, Role::Fold);
    let guard = umari::host::install(Rc::clone(&engine) as Rc<dyn Host>);
    let result = panics::catch(query);
    drop(guard);
    let read_some = engine
        .traces
        .borrow()
        .iter()
        .any(|trace| !trace.read.is_empty());
    has_read.set(has_read.get() || read_some);
    let message = match result {
        Ok(Ok(state)) => return Ok(state),
        Ok(Err(error)) => Shared::<R>::unwrap_name(&chain(&error)),
        Err(panic) => format!("it panicked: {panic}"),
    };
    Err(Broken {
        headline: format!(
            "`{}` of an invariant could not be run",
            short(type_name::<R>())
        ),
        state: String::new(),
        message: Some(message),
    })
}

fn judge<R, S: Debug, J: Judgement>(state: &S, judge: impl Fn(&S) -> J) -> Result<(), Broken> {
    listen(|| judge(state)).map_err(|message| Broken {
        headline: format!(
            "the invariant of `{}` does not hold",
            short(type_name::<R>())
        ),
        state: format!("{state:#?}"),
        message,
    })
}

/// A judge that panics, as `assert!` does, is not content either.
fn listen<J: Judgement>(judge: impl FnOnce() -> J) -> Result<(), Option<String>> {
    match panics::catch(|| judge().verdict()) {
        Ok(verdict) => verdict,
        Err(panic) => Err(Some(panic)),
    }
}

/// An invariant that asks what it likes.
pub(crate) struct Holds<J> {
    what: String,
    judge: J,
}

impl<J> Holds<J> {
    pub(crate) fn new(what: &str, judge: J) -> Self {
        Self {
            what: what.to_owned(),
            judge,
        }
    }
}

impl<T: Judgement, J: Fn(&Given) -> T> Rule for Holds<J> {
    fn judge(&self, world: &World) -> Result<(), Broken> {
        let now = Given {
            world: world.clone(),
        };
        listen(|| (self.judge)(&now)).map_err(|message| Broken {
            headline: format!("it does not hold that {}", self.what),
            state: String::new(),
            message,
        })
    }

    /// Nobody but the judge knows what it asked.
    fn idle(&self) -> Option<String> {
        None
    }
}
