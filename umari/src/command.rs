//! Commands: reading what a decision depends on, deciding, and writing what was decided.

use crate::boundary::running::{Evolving, Readers};
use crate::boundary::slots::{
    Append, IfDecider, IfFold, Many, One, Slots, With, WithFold, WithFolds,
};
use crate::boundary::{Running, replay, wanted};
use crate::decider::Decider;
use crate::domain_id::{DomainIdValues, DomainIds, FromDomainIds, FromDomainIdsError};
use crate::fold::{Fold, FoldError};
use crate::host::{self, Host, QueryItem, Transaction};
use requirements::{Decided, DecidesOn, Decision, FromInput};

mod context;
mod emit;
mod error;
mod input;
mod output;
mod rejection;
#[doc(hidden)]
pub mod requirements;

pub use context::{CommandContext, CurrentEvent};
pub use emit::Emit;
pub use error::{CommandError, ExecuteError, retry_on_conflict};
pub use input::{InvalidInput, Violation, decode_input, execute_json};
pub use output::{EmittedDomainIds, EmittedEvent, ExecuteOutput};
pub use rejection::Rejection;

/// A command in the making: its input, and the folds that its decision depends on.
///
/// Everything that the folds read is the command's consistency boundary: if any of it changes
/// before the events are written, nothing is written.
///
/// # Examples
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use umari::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("shop.connected")]
/// struct ShopConnected {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// #[derive(DomainIds, Serialize, Deserialize)]
/// struct Input {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// fn execute(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
///     Command::new(input, context)
///         .fold::<EventFold<ShopConnected>>()
///         .execute(|input, connected| {
///             anyhow::ensure!(!connected.exists(), "shop is already connected");
///             Ok(emit![ShopConnected { shop_id: input.shop_id }])
///         })
/// }
/// # let _ = execute;
/// ```
#[must_use = "a command does nothing until `execute`"]
pub struct Command<I, S = ()> {
    input: I,
    context: CommandContext,
    bindings: DomainIdValues,
    max_events: u64,
    slots: Result<S, FoldError>,
}

impl<I: DomainIds> Command<I> {
    /// A command without folds, which depends on nothing.
    pub fn new(input: I, context: CommandContext) -> Self {
        let bindings = input.domain_id_values();
        Self {
            input,
            context,
            bindings,
            max_events: u64::MAX,
            slots: Ok(()),
        }
    }
}

impl<I> Command<I> {
    /// Lets a decider decide that is built from the input's domain ids and reads the events that
    /// carry them, and writes the events that it returns.
    ///
    /// The decider has `Decider<Input = I>` and [`FromDomainIds`] without arguments.
    ///
    /// # Errors
    ///
    /// As [`Command::execute`].
    pub fn decide<D>(self) -> anyhow::Result<ExecuteOutput>
    where
        D: Decider + DecidesOn<I, <D as Decider>::Input>,
        IfDecider<D, D>: FromInput,
    {
        let decider = D::from_input(&self.bindings).map_err(not_built::<D>);
        let running =
            decider.map(|decider| Running::start(Evolving(decider), self.bindings.clone()));
        self.run_decider(running)
    }

    /// Lets a decider of your own making decide, which reads the events that carry its own domain
    /// ids, and writes the events that it returns.
    ///
    /// The decider has `Decider<Input = I>`.
    ///
    /// # Errors
    ///
    /// As [`Command::execute`].
    pub fn decide_with<D>(self, make: impl FnOnce(&I) -> D) -> anyhow::Result<ExecuteOutput>
    where
        D: Decider + DecidesOn<I, <D as Decider>::Input>,
    {
        let running = Running::start_bound(Evolving(make(&self.input)));
        self.run_decider(Ok(running))
    }

    fn run_decider<D>(
        self,
        running: Result<Running<Evolving<D>>, FoldError>,
    ) -> anyhow::Result<ExecuteOutput>
    where
        D: Decider + DecidesOn<I, <D as Decider>::Input>,
    {
        let mut running = One(running.map_err(CommandError::Fold)?);
        let read = read(
            &mut running,
            &self.context,
            std::any::type_name::<I>(),
            self.max_events,
        )?;
        match read {
            Read::Duplicate(output) => Ok(output),
            Read::Open(mut transaction) => {
                let (decider, state) = running.0.into_decider();
                let emit = decider.decide(D::input(self.input), state)?;
                Ok(emit.commit(&mut *transaction)?)
            }
        }
    }
}

fn not_built<T>(source: FromDomainIdsError) -> FoldError {
    FoldError::Build {
        fold: std::any::type_name::<T>(),
        source,
    }
}

impl<I, S> Command<I, S> {
    /// Registers a fold that is built from the input's domain ids, and reads the events that
    /// carry them.
    ///
    /// The fold has [`FromDomainIds`] without arguments; with arguments, use [`Command::fold_args`].
    pub fn fold<F>(self) -> Command<I, WithFold<S, F>>
    where
        F: Fold,
        IfFold<F, F>: FromInput,
        IfFold<F, S>: Append<One<F>>,
    {
        self.register(|_, inherited| {
            let fold = F::from_input(inherited).map_err(not_built::<F>)?;
            Ok(One(Running::start(fold, inherited.clone())))
        })
    }

    /// Registers a fold as [`Command::fold`] does, with what it needs besides the domain ids.
    pub fn fold_args<F>(self, args: F::Args) -> Command<I, WithFold<S, F>>
    where
        F: Fold + FromDomainIds,
        IfFold<F, S>: Append<One<F>>,
    {
        self.register(|_, inherited| {
            let fold = F::from_domain_id_values(args, inherited).map_err(not_built::<F>)?;
            Ok(One(Running::start(fold, inherited.clone())))
        })
    }

    /// Registers a fold of your own making, which reads the events that carry its own domain ids.
    pub fn fold_with<F>(self, make: impl FnOnce(&I) -> F) -> Command<I, WithFold<S, F>>
    where
        F: Fold,
        IfFold<F, S>: Append<One<F>>,
    {
        self.register(|input, _| Ok(One(Running::start_bound(make(input)))))
    }

    /// Registers one fold for each element, each reading by its own domain ids; their states come
    /// as a `Vec`.
    pub fn fold_iter<F, T>(self, make: impl FnOnce(&I) -> T) -> Command<I, WithFolds<S, F>>
    where
        F: Fold,
        T: IntoIterator<Item = F>,
        IfFold<F, S>: Append<Many<F>>,
    {
        self.register(|input, _| {
            let running = make(input).into_iter().map(Running::start_bound);
            Ok(Many(running.collect()))
        })
    }

    /// Reads at most `events` events in all; one more is a rejection with the code
    /// `too-many-events`.
    pub fn max_events(mut self, events: u64) -> Self {
        self.max_events = events;
        self
    }

    fn register<N>(
        self,
        start: impl FnOnce(&I, &DomainIdValues) -> Result<N, FoldError>,
    ) -> Command<I, With<S, N>>
    where
        S: Append<N>,
    {
        let Self {
            input,
            context,
            bindings,
            max_events,
            slots,
        } = self;
        let slots = slots.and_then(|slots| Ok(slots.append(start(&input, &bindings)?)));
        Command {
            input,
            context,
            bindings,
            max_events,
            slots,
        }
    }

    /// Reads the log, lets `decide` decide on the input and the folds' states, and writes the
    /// events that it returns.
    ///
    /// `decide` is a `FnOnce(I, S::States) -> anyhow::Result<Emit>`; the states are `()` for no fold, the
    /// state itself for one, and a tuple for more. Where the
    /// context carries an idempotency key that was used before, `decide` is not called, and the
    /// output has the position of the event with that key and no events.
    ///
    /// # Errors
    ///
    /// What `decide` returns, as it is; a [`CommandError`] for everything else.
    pub fn execute<D, R>(self, decide: D) -> anyhow::Result<ExecuteOutput>
    where
        S: Slots,
        D: Decision<I, S::States, R>,
        R: Decided,
    {
        let mut slots = self.slots.map_err(CommandError::Fold)?;
        let read = read(
            &mut slots,
            &self.context,
            std::any::type_name::<I>(),
            self.max_events,
        )?;
        match read {
            Read::Duplicate(output) => Ok(output),
            Read::Open(mut transaction) => {
                let emit = decide(self.input, slots.into_states()).into_result()?;
                Ok(emit.commit(&mut *transaction)?)
            }
        }
    }
}

/// How the read that a decision stands on went.
enum Read {
    /// The boundary that the decision may append to.
    Open(Box<dyn Transaction>),
    /// The call's idempotency key was used before.
    Duplicate(ExecuteOutput),
}

/// Reads everything that `readers` read. A command that was not entered by its exported name goes
/// by that of its input's type.
fn read(
    readers: &mut dyn Readers,
    context: &CommandContext,
    input: &'static str,
    max_events: u64,
) -> Result<Read, CommandError> {
    let name = context.command_name().unwrap_or(input);
    let query = wanted(readers).map_err(CommandError::Fold)?;
    let mut transaction = open(&query, context, name)?;
    if let Some(position) = transaction.duplicate() {
        return Ok(Read::Duplicate(ExecuteOutput {
            position: Some(position),
            events: Vec::new(),
        }));
    }
    replay(&mut *transaction, readers, "command", max_events)?;
    Ok(Read::Open(transaction))
}

fn open(
    query: &[QueryItem],
    context: &CommandContext,
    command: &str,
) -> Result<Box<dyn Transaction>, CommandError> {
    Ok(host::with(|host| {
        Host::open(host, query, context, command)
    })?)
}
