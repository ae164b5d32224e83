//! What went wrong, as it is kept and shown.

use super::instance::SubscriptionError;
use crate::limits;
use crate::report::chain;

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
            message: shortened(message.into()),
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

fn shortened(mut message: String) -> String {
    if message.len() > limits::FAILURE_BYTES {
        message.truncate(message.floor_char_boundary(limits::FAILURE_BYTES));
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_message_is_cut_between_characters() {
        let longest = "é".repeat(limits::FAILURE_BYTES / 2);
        assert_eq!(Trouble::new(longest.clone()).message, longest);
        let cut = Trouble::new(format!("{longest}x"));
        assert_eq!(cut.message, format!("{longest}…"));
        let cut = Trouble::new(format!("x{longest}"));
        assert_eq!(cut.message.len(), limits::FAILURE_BYTES - 1 + "…".len());
    }
}
