//! What commands ask of types, in traits that let the compiler say what is missing.
//!
//! They are bounds of `Command`'s methods, or written by `#[export_command]`. Not part of the public API,
//! and here rather than among the private items because messages name them.

use std::fmt::Display;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

pub use crate::boundary::slots::{IfDecider, IfFold, With, WithDecider, WithFold, WithFolds};

use super::{CommandContext, Emit, ExecuteOutput, Rejection};
use crate::__private::Never;
use crate::domain_id::{DomainIdValues, FromDomainIds, FromDomainIdsError};

/// What can be built from the domain ids of an input alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be built from domain ids",
    label = "this fold has no `FromDomainIds`",
    note = "add `FromDomainIds` to its derives, or build it yourself with `.fold_with(|input| ..)` or `.decide_with(|input| ..)`"
)]
pub trait FromInput: Sized {
    /// Builds it.
    ///
    /// # Errors
    ///
    /// As [`FromDomainIds::from_domain_id_values`].
    fn from_input(values: &DomainIdValues) -> Result<Self, FromDomainIdsError>;
}

impl<F: FromDomainIds<Args: NoArguments<F>>> FromInput for F {
    fn from_input(values: &DomainIdValues) -> Result<Self, FromDomainIdsError> {
        Self::from_domain_id_values(NoArguments::none(), values)
    }
}

/// What is asked for besides the domain ids: nothing.
#[diagnostic::on_unimplemented(
    message = "`{F}` needs more than the input's domain ids to be built",
    label = "it also needs `{Self}`",
    note = "give the rest with `.fold_args::<{F}>(..)`, or mark the fields `#[from_domain_id(default)]`"
)]
pub trait NoArguments<F> {
    /// It.
    fn none() -> Self;
}

impl<F> NoArguments<F> for () {
    fn none() -> Self {}
}

/// A decider that decides on the command's input `I`. Its own is `Expected`.
///
/// It is asked of the decider and not of the input: what a decider is may be known only once its
/// closure is, and until then nothing is concluded from it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` decides on `{Expected}`, and the command's input is `{I}`",
    label = "this decider has another input",
    note = "the input of the command is that of its decider: `type Input = {I};` in `impl Decider for {Self}`"
)]
pub trait DecidesOn<I, Expected> {
    /// The input itself.
    fn input(input: I) -> Expected;
}

#[diagnostic::do_not_recommend]
impl<D, I> DecidesOn<I, I> for D {
    fn input(input: I) -> I {
        input
    }
}

/// What decides: `FnOnce(I, States) -> anyhow::Result<Emit>`.
///
/// A closure with another number of arguments is reported before this is asked, in the compiler's
/// words; this is for functions, and for what cannot be called.
#[diagnostic::on_unimplemented(
    message = "`execute` takes a decision on the input `{I}` and the states `{States}`",
    label = "not `|input, states| -> anyhow::Result<Emit>`",
    note = "write `.execute(|input, states| Ok(emit![..]))`, or a function `fn(input: {I}, states: {States}) -> anyhow::Result<Emit>`",
    note = "the states are `()` without a fold, the state itself with one, and a tuple with more"
)]
pub trait Decision<I, States, Decided>: FnOnce(I, States) -> Decided {}

#[diagnostic::do_not_recommend]
impl<I, States, Decided, D: FnOnce(I, States) -> Decided> Decision<I, States, Decided> for D {}

#[diagnostic::do_not_recommend]
impl<I, States, Decided, D: FnOnce(I, States) -> Decided> Decision<I, States, Decided> for D
where
    for<'a> &'a (): Never,
    D: Decision<I, States, Decided>,
{
}

/// What a decision returns: `anyhow::Result<Emit>`.
///
/// As no other result has it, the compiler knows the error of `Ok(emit![..])`, of `?` and of `bail!`.
#[diagnostic::on_unimplemented(
    message = "a decision returns `anyhow::Result<Emit>`, and this one `{Self}`",
    label = "does not return `Ok(emit![..])`",
    note = "end it with `Ok(emit![..])`, which lists the events to write, or with `Ok(emit![])` for none",
    note = "what speaks against it goes out by `anyhow::ensure!`, `anyhow::bail!` or `?`"
)]
pub trait Decided {
    /// Itself.
    ///
    /// # Errors
    ///
    /// What spoke against it.
    fn into_result(self) -> anyhow::Result<Emit>;
}

impl Decided for anyhow::Result<Emit> {
    fn into_result(self) -> Self {
        self
    }
}

/// The result of a function, by its type alone.
pub trait Returns {
    /// It.
    type Returned;
}

impl<R> Returns for fn() -> R {
    type Returned = R;
}

/// A closure that panics, or is `todo!()`, returns nothing at all. The type has no name of its own yet.
#[diagnostic::do_not_recommend]
impl Decided for <fn() -> ! as Returns>::Returned {
    fn into_result(self) -> anyhow::Result<Emit> {
        self
    }
}

/// What an exported function takes first: what can be decoded from JSON.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from JSON, so it is no input of a command",
    label = "no `Deserialize`",
    note = "add `Deserialize` to its derives: the input is a struct with `#[derive(DomainIds, Deserialize)]`"
)]
pub trait CommandInput {
    /// Mentioned by the macro.
    const READ: () = ();
}

#[diagnostic::do_not_recommend]
impl<T: DeserializeOwned> CommandInput for T {}

/// What an exported function takes second.
#[diagnostic::on_unimplemented(
    message = "the second argument of a command is its `CommandContext`, not `{Self}`",
    label = "not a `CommandContext`",
    note = "a command is `fn(input: Input, context: CommandContext) -> anyhow::Result<ExecuteOutput>`"
)]
pub trait SecondArgument: Sized {
    /// Enters an exported command, whose function has the path `function`.
    #[must_use]
    fn enter(self, name: &'static str, function: &'static str) -> Self;
}

impl SecondArgument for CommandContext {
    #[inline]
    fn enter(self, name: &'static str, function: &'static str) -> Self {
        // In a component the host knows, since it called.
        #[cfg(target_family = "wasm")]
        let _ = function;
        #[cfg(not(target_family = "wasm"))]
        crate::host::observe(|host| host.entered(name, function));
        self.named(name)
    }
}

/// What an exported function returns.
#[diagnostic::on_unimplemented(
    message = "a command cannot return `{Self}`",
    label = "not what a command returns",
    note = "a command returns `anyhow::Result<ExecuteOutput>`, or `Result<ExecuteOutput, E>` with an error of your own"
)]
pub trait CommandReturn<E> {
    /// Itself, as a result.
    ///
    /// # Errors
    ///
    /// The function's own.
    fn into_result(self) -> Result<ExecuteOutput, E>;
}

impl<E> CommandReturn<E> for Result<ExecuteOutput, E> {
    fn into_result(self) -> Self {
        self
    }
}

/// Asked for where an error says nothing; nothing has it.
#[diagnostic::on_unimplemented(
    message = "a command cannot fail with `{Self}`, which says nothing",
    label = "neither an error nor a text",
    note = "an error of your own has `std::error::Error` (with `thiserror`, for one) or at least `Display`"
)]
pub trait CommandFailure {}

/// Stands for the type of an error. The glue writes `(&&ErrorProbe::of(&error)).kind()`, and the
/// compiler takes the first trait that fits, as for domain ids.
#[derive(Debug)]
pub struct ErrorProbe<E>(PhantomData<fn(&E)>);

impl<E> ErrorProbe<E> {
    /// Stands for the type of `error`.
    #[must_use]
    pub const fn of(_: &E) -> Self {
        Self(PhantomData)
    }
}

/// An error with a class and causes.
#[derive(Debug)]
pub struct Classified;

/// An error that is only a text.
#[derive(Debug)]
pub struct Text;

/// Something that says nothing.
#[derive(Debug)]
pub struct Mute;

pub trait ClassifiedError {
    fn kind(&self) -> Classified;
}

impl<E: Into<anyhow::Error>> ClassifiedError for &&ErrorProbe<E> {
    fn kind(&self) -> Classified {
        Classified
    }
}

pub trait TextError {
    fn kind(&self) -> Text;
}

impl<E: Display> TextError for &ErrorProbe<E> {
    fn kind(&self) -> Text {
        Text
    }
}

pub trait MuteError {
    fn kind(&self) -> Mute;
}

impl<E> MuteError for ErrorProbe<E> {
    fn kind(&self) -> Mute {
        Mute
    }
}

impl Classified {
    pub fn convert<E: Into<anyhow::Error>>(self, error: E) -> anyhow::Error {
        error.into()
    }
}

impl Text {
    pub fn convert<E: Display>(self, error: E) -> anyhow::Error {
        Rejection::uncoded(error.to_string()).into()
    }
}

impl Mute {
    pub fn convert<E: CommandFailure>(self, error: E) -> anyhow::Error {
        let _ = error;
        Rejection::uncoded("").into()
    }
}
