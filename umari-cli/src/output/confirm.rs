//! Asking before something that cannot be undone.

use std::io::{BufRead as _, IsTerminal as _};

use super::fault::Fault;

/// Has the user type `word` to go on with `what`, which is one sentence. Without a terminal there
/// is nobody to ask, and the answer is no.
pub(crate) fn confirm(what: &str, word: &str) -> Result<(), Fault> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Fault::usage(
            "nothing was done: it has to be confirmed, and there is no terminal",
        )
        .why(what)
        .help("pass --yes where that is what you want"));
    }
    super::warning(&format!("{what}\nType `{word}` to go on:"));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    if read.is_ok() && answer.trim() == word {
        return Ok(());
    }
    Err(Fault::new("nothing was done: it was not confirmed"))
}
