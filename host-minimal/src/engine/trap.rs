//! Why a guest stopped: from Wasmtime's error to a cause that people and clients can act on.

use wasmtime::{Store, Trap};

use super::guest::GuestState;

/// A host call ran into the deadline of the guest's call.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the call's deadline has passed")]
pub(crate) struct DeadlineExceeded;

/// Why a guest stopped without an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Crash {
    /// The guest panicked: a bug in the module.
    #[error("panicked at {location}: {message}")]
    Panic {
        /// File, line and column.
        location: String,
        /// What the panic said.
        message: String,
    },
    /// The guest did not answer in time.
    #[error("did not answer before its deadline")]
    Deadline,
    /// The guest asked for more memory than an instance may have.
    #[error("ran out of memory: an instance may have {limit_bytes} bytes")]
    Memory {
        /// The limit, in bytes.
        limit_bytes: usize,
    },
    /// Any other trap.
    #[error("trapped: {0}")]
    Trap(String),
}

impl Crash {
    /// Reads the cause from `error`, from the limits and from what the guest last printed.
    pub(crate) fn of(error: &wasmtime::Error, store: &Store<GuestState>) -> Self {
        let state = store.data();
        if error.is::<DeadlineExceeded>() || error.downcast_ref::<Trap>() == Some(&Trap::Interrupt)
        {
            return Self::Deadline;
        }
        if state.memory().exceeded() {
            return Self::Memory {
                limit_bytes: state.memory().limit_bytes(),
            };
        }
        if error.is::<Trap>()
            && let Some(panic) = state.output.tail(panic_report)
        {
            return panic;
        }
        Self::Trap(describe(error))
    }
}

/// The whole chain of causes, without the frames of the guest's stack.
fn describe(error: &wasmtime::Error) -> String {
    let mut parts = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        let first = text.lines().next().unwrap_or_default();
        if first.starts_with("error while executing at wasm backtrace") || first.is_empty() {
            continue;
        }
        if parts.last().is_none_or(|last| last != first) {
            parts.push(first.to_owned());
        }
    }
    if parts.is_empty() {
        "unknown trap".to_owned()
    } else {
        parts.join(": ")
    }
}

/// Finds the last report of Rust's panic handler in what a guest printed:
///
/// ```text
/// thread '<unnamed>' (1) panicked at src/lib.rs:12:9:
/// the message, which may have several lines
/// note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
/// ```
fn panic_report(output: &str) -> Option<Crash> {
    const MARK: &str = "panicked at ";
    let start = output.rfind(MARK)?;
    let (location, rest) = output[start + MARK.len()..].split_once('\n')?;
    let message = rest.split("\nnote: run with").next().unwrap_or(rest);
    Some(Crash::Panic {
        location: location.trim_end_matches(':').to_owned(),
        message: message.trim_end().to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_report_is_read_from_the_output() {
        let output = "hello\n\nthread '<unnamed>' (1) panicked at src/lib.rs:12:9:\n\
                      first\nsecond\nnote: run with `RUST_BACKTRACE=1` environment variable\n";
        assert_eq!(
            panic_report(output),
            Some(Crash::Panic {
                location: "src/lib.rs:12:9".into(),
                message: "first\nsecond".into()
            })
        );
    }

    #[test]
    fn other_output_is_no_panic() {
        assert_eq!(panic_report("all is well\n"), None);
        assert_eq!(panic_report("panicked at "), None);
    }
}
