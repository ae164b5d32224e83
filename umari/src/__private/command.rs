//! What `#[export_command]` asks of a function, and how it calls it.

use std::fmt::Display;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::command::{CommandContext, ExecuteOutput, Rejection};

/// Enters an exported command.
#[must_use]
pub fn enter_command(context: CommandContext, name: &'static str) -> CommandContext {
    context.named(name)
}

/// What an exported function takes: what can be decoded from JSON.
pub trait CommandInput: DeserializeOwned {}

impl<T: DeserializeOwned> CommandInput for T {}

/// What an exported function returns.
#[diagnostic::on_unimplemented(
    message = "a command cannot return `{Self}`",
    label = "not what a command returns",
    note = "a command returns `anyhow::Result<ExecuteOutput>`, or `Result<ExecuteOutput, E>` with an error of your own"
)]
pub trait CommandReturn {
    /// Its error.
    type Error;

    /// Itself, as a result.
    ///
    /// # Errors
    ///
    /// The function's own.
    fn into_result(self) -> Result<ExecuteOutput, Self::Error>;
}

impl<E> CommandReturn for Result<ExecuteOutput, E> {
    type Error = E;

    fn into_result(self) -> Self {
        self
    }
}

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

/// Asked for where an error says nothing; nothing has it.
#[diagnostic::on_unimplemented(
    message = "a command cannot fail with `{Self}`, which says nothing",
    label = "neither an error nor a text",
    note = "an error of your own has `std::error::Error` (with `thiserror`, for one) or at least `Display`"
)]
pub trait CommandFailure {}

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
