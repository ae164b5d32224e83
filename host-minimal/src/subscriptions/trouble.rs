//! What went wrong, as it is kept and shown.

use super::instance::SubscriptionError;
use crate::limits;
use crate::report::{chain, clip};

/// An error as text, within bounds: a guest may have written it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Trouble {
    /// What happened, with its causes.
    pub(super) message: String,
    /// The functions that the module was in where it crashed, the innermost first.
    pub(super) backtrace: Vec<String>,
}

impl Trouble {
    /// Trouble that is no crash.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: clip(message.into(), limits::FAILURE_BYTES),
            backtrace: Vec::new(),
        }
    }
}

impl From<&SubscriptionError> for Trouble {
    fn from(error: &SubscriptionError) -> Self {
        let mut trouble = Self::new(chain(error));
        if let SubscriptionError::Crashed { backtrace, .. } = error {
            trouble.backtrace.clone_from(backtrace);
        }
        trouble
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut() {
        let longest = "x".repeat(limits::FAILURE_BYTES);
        assert_eq!(Trouble::new(longest.clone()).message, longest);
        let cut = Trouble::new(format!("{longest}x"));
        assert_eq!(cut.message.len(), limits::FAILURE_BYTES);
        assert!(cut.message.ends_with("x..."));
    }
}
