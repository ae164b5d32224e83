//! Errors as the user reads them: what happened, why, and what to do.

use std::fmt::Write as _;
use std::process::ExitCode;

use super::{BAD, BUSY, paint};

/// The command did what it was asked to.
pub(crate) const EXIT_OK: u8 = 0;
/// The command failed: a build error, a refused call, an unreachable server.
pub(crate) const EXIT_FAILURE: u8 = 1;
/// The command line is wrong (clap exits with the same code).
pub(crate) const EXIT_USAGE: u8 = 2;
/// What was deployed did not come up, and what ran before runs again.
pub(crate) const EXIT_ROLLED_BACK: u8 = 3;
/// The event store failed, as `EX_IOERR` in sysexits.h; nothing that was acknowledged is lost.
pub(crate) const EXIT_STORE: u8 = 74;

/// A failure with advice. `main` prints it; anything else on the way only passes it on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Fault {
    what: String,
    why: Vec<String>,
    help: Vec<String>,
    code: u8,
    silent: bool,
}

impl Fault {
    /// A failure that ends the command with exit code 1.
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: Vec::new(),
            help: Vec::new(),
            code: EXIT_FAILURE,
            silent: false,
        }
    }

    /// A mistake in the command line or the environment, found after parsing.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self {
            code: EXIT_USAGE,
            ..Self::new(what)
        }
    }

    /// The event store failed.
    pub(crate) fn store(what: impl Into<String>) -> Self {
        Self {
            code: EXIT_STORE,
            ..Self::new(what)
        }
    }

    /// A failure that has been shown already: only the exit code is left to say.
    pub(crate) fn shown(what: impl Into<String>) -> Self {
        Self {
            silent: true,
            ..Self::new(what)
        }
    }

    /// The same failure, after everything was put back as it was.
    pub(crate) fn rolled_back(self) -> Self {
        Self {
            code: EXIT_ROLLED_BACK,
            ..self
        }
    }

    /// Adds a cause.
    pub(crate) fn why(mut self, why: impl Into<String>) -> Self {
        self.why.push(why.into());
        self
    }

    /// Adds what the user can do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Its causes.
    pub(crate) fn causes(&self) -> &[String] {
        &self.why
    }

    /// What the user can do about it.
    pub(crate) fn advice(&self) -> &[String] {
        &self.help
    }

    /// The failure as text, with styles.
    pub(crate) fn render(&self) -> String {
        let mut text = format!("{}: {}", paint(BAD, "error"), indent(&self.what, 7));
        for why in &self.why {
            let _ = write!(text, "\n  {}: {}", paint(BUSY, "why"), indent(why, 7));
        }
        for help in &self.help {
            let _ = write!(text, "\n {}: {}", paint(BUSY, "help"), indent(help, 7));
        }
        text
    }
}

/// Prints `error` and says with which code the process ends.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let fault = match error.downcast_ref::<Fault>() {
        Some(fault) => fault.clone(),
        None => error
            .chain()
            .skip(1)
            .fold(Fault::new(error.to_string()), |fault, cause| {
                fault.why(cause.to_string())
            }),
    };
    if !fault.silent {
        super::progress(&fault.render());
    }
    ExitCode::from(fault.code)
}

/// Keeps the lines of a cause that has several under each other.
fn indent(text: &str, columns: usize) -> String {
    text.trim_end()
        .replace('\n', &format!("\n{}", " ".repeat(columns)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn plain(fault: &Fault) -> String {
        anstream::adapter::strip_str(&fault.render()).to_string()
    }

    #[test]
    fn a_failure_says_what_why_and_what_to_do() {
        let fault = Fault::new("the server at http://localhost:3000 does not answer")
            .why("connection refused")
            .help("start one with `umari serve`\nor name another with `--url`");
        expect![[r#"
            error: the server at http://localhost:3000 does not answer
              why: connection refused
             help: start one with `umari serve`
                   or name another with `--url`"#]]
        .assert_eq(&plain(&fault));
    }

    #[test]
    fn exit_codes_are_the_documented_ones() {
        assert_eq!(Fault::new("").code, 1);
        assert_eq!(Fault::usage("").code, 2);
        assert_eq!(Fault::new("").rolled_back().code, 3);
        assert_eq!(Fault::store("").code, 74);
        assert_eq!(EXIT_OK, 0);
    }
}
