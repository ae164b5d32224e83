//! Why a command wrote nothing, and what its caller is told.

use super::{InvalidInput, Rejection};
use crate::event::SerializationError;
use crate::fold::FoldError;
use crate::host::TransactionError;
use crate::limits::CONFLICT_ATTEMPTS_MAX;

/// Why a command wrote nothing, other than by its own decision.
#[cfg_attr(not(target_family = "wasm"), derive(Debug))]
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The input is not what the command takes.
    #[error(transparent)]
    Invalid(#[from] InvalidInput),
    /// The folds could not be run.
    #[error(transparent)]
    Fold(#[from] FoldError),
    /// An event could not be serialised.
    #[error(transparent)]
    Encode(#[from] SerializationError),
    /// The host could not open or append.
    #[error(transparent)]
    Transaction(#[from] TransactionError),
}

/// What the caller of an exported command is told when it wrote nothing.
///
/// | what went wrong | class |
/// |---|---|
/// | input that is not JSON of the right shape, `validate()`, a domain id that is not bound | `Invalid` |
/// | another writer changed the boundary | `Conflict` |
/// | the store cannot be reached, or holds an event that cannot be decoded | `Failed` |
/// | a [`Rejection`] | `Rejected`, with its code and details |
/// | a reader that passes its limit | `Rejected`, with the code `too-many-events` or `too-many-values` |
/// | everything else, `ensure!` and `bail!` first | `Rejected`, with the code `rejected` |
///
/// The class survives `?`, `.context(..)` and every other wrapping by `anyhow`.
#[cfg_attr(not(target_family = "wasm"), derive(Debug))]
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The input is not what the command takes.
    #[error(transparent)]
    Invalid(InvalidInput),
    /// The command's own rules say no.
    #[error(transparent)]
    Rejected(Rejection),
    /// Another writer changed the boundary after it was read.
    #[error("{0}")]
    Conflict(String),
    /// The host could not read or append.
    #[error("{0}")]
    Failed(String),
}

impl ExecuteError {
    /// Sorts an error that a command returned.
    #[must_use]
    pub fn classify(error: &anyhow::Error) -> Self {
        let found = error.chain().find_map(Class::of);
        let text = || format!("{error:#}");
        match found {
            Some(Class::Invalid(invalid)) => Self::Invalid(invalid),
            Some(Class::Conflict) => Self::Conflict(text()),
            Some(Class::Failed) => Self::Failed(text()),
            Some(Class::Rejected(rejection)) => Self::Rejected(Rejection {
                message: text(),
                ..rejection
            }),
            None => Self::Rejected(Rejection::uncoded(text())),
        }
    }
}

/// What one of the causes of an error says about the whole.
enum Class {
    Invalid(InvalidInput),
    Rejected(Rejection),
    Conflict,
    Failed,
}

impl Class {
    fn of(cause: &(dyn std::error::Error + 'static)) -> Option<Self> {
        if let Some(invalid) = InvalidInput::find(cause) {
            return Some(Self::Invalid(invalid));
        }
        if let Some(rejection) = cause.downcast_ref::<Rejection>() {
            return Some(Self::Rejected(rejection.clone()));
        }
        match cause.downcast_ref::<CommandError>() {
            Some(CommandError::Transaction(error)) => return Self::of_transaction(error),
            Some(CommandError::Fold(error)) => return Self::of_fold(error),
            _ => {}
        }
        match cause.downcast_ref::<FoldError>() {
            Some(error) => Self::of_fold(error),
            None => Self::of_transaction(cause.downcast_ref::<TransactionError>()?),
        }
    }

    fn of_fold(error: &FoldError) -> Option<Self> {
        let code = match error {
            FoldError::Transaction(error) => return Self::of_transaction(error),
            FoldError::Decode(_) => return Some(Self::Failed),
            FoldError::TooManyEvents { .. } => "too-many-events",
            FoldError::TooManyValues { .. } => "too-many-values",
            _ => return None,
        };
        Some(Self::Rejected(Rejection::new(code, "")))
    }

    fn of_transaction(error: &TransactionError) -> Option<Self> {
        match error {
            TransactionError::Conflict(_) => Some(Self::Conflict),
            TransactionError::Unavailable(_) => Some(Self::Failed),
            TransactionError::Invalid(_) => None,
        }
    }
}

/// Calls a command again as long as it conflicts, five times at most.
///
/// For effects: the host itself re-executes an exported command that conflicts.
///
/// # Errors
///
/// What the last call returned.
///
/// # Examples
///
/// ```
/// use umari::command::retry_on_conflict;
///
/// let mut calls = 0;
/// let answer = retry_on_conflict(|| {
///     calls += 1;
///     anyhow::ensure!(calls > 1, "a rejection is final");
///     Ok(calls)
/// });
/// assert!(answer.is_err());
/// assert_eq!(calls, 1);
/// ```
pub fn retry_on_conflict<T>(mut call: impl FnMut() -> anyhow::Result<T>) -> anyhow::Result<T> {
    for _ in 1..CONFLICT_ATTEMPTS_MAX {
        match call() {
            Err(error) if matches!(ExecuteError::classify(&error), ExecuteError::Conflict(_)) => {}
            answer => return answer,
        }
    }
    call()
}
