//! Why a command wrote nothing, and what its caller is told.

use super::InvalidInput;
use crate::event::EncodeError;
use crate::fold::FoldError;
use crate::host::TransactionError;
use crate::limits::CONFLICT_ATTEMPTS_MAX;

/// Why a command wrote nothing, other than by its own decision.
#[derive(Debug, thiserror::Error)]
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
    Encode(#[from] EncodeError),
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
/// | everything else, `ensure!` and `bail!` first | `Rejected` |
///
/// The class survives `?`, `.context(..)` and every other wrapping by `anyhow`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError {
    /// The input is not what the command takes.
    #[error(transparent)]
    Invalid(InvalidInput),
    /// The command's own rules say no.
    #[error("{0}")]
    Rejected(String),
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
        let text = || format!("{error:#}");
        for cause in error.chain() {
            if let Some(invalid) = InvalidInput::find(cause) {
                return Self::Invalid(invalid);
            }
            let transaction = if let Some(error) = cause.downcast_ref::<CommandError>() {
                match error {
                    CommandError::Transaction(error)
                    | CommandError::Fold(FoldError::Transaction(error)) => Some(error),
                    CommandError::Fold(FoldError::Decode(_)) => return Self::Failed(text()),
                    _ => None,
                }
            } else if let Some(error) = cause.downcast_ref::<FoldError>() {
                match error {
                    FoldError::Transaction(error) => Some(error),
                    FoldError::Decode(_) => return Self::Failed(text()),
                    _ => None,
                }
            } else {
                cause.downcast_ref::<TransactionError>()
            };
            match transaction {
                Some(TransactionError::Conflict(_)) => return Self::Conflict(text()),
                Some(TransactionError::Unavailable(_)) => return Self::Failed(text()),
                _ => {}
            }
        }
        Self::Rejected(text())
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
