//! Everything that the command writes to a terminal.
//!
//! Results go to stdout and progress to stderr, so that a pipe gets results only. Colours follow
//! `NO_COLOR`, `CLICOLOR` and whether the stream is a terminal. At most one transient line (what
//! cargo is compiling just now) stands at the bottom of stderr; every permanent line clears it
//! first, whichever thread prints it.

pub(crate) mod confirm;
pub(crate) mod fault;
mod quiet;
pub(crate) mod table;
pub(crate) mod units;

use std::io::{IsTerminal as _, Write as _};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

use anstyle::{AnsiColor, Style};

use crate::signals;

/// A status verb of something that went well.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
/// A status verb of something that is under way.
pub(crate) const BUSY: Style = AnsiColor::Cyan.on_default().bold();
/// A warning's label.
pub(crate) const WARN: Style = AnsiColor::Yellow.on_default().bold();
/// An error's label.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// Headings and names.
pub(crate) const STRONG: Style = Style::new().bold();
/// What the eye may skip.
pub(crate) const FAINT: Style = Style::new().dimmed();

/// How much is said beside results.
static VOICE: AtomicU8 = AtomicU8::new(NORMAL);
const QUIET: u8 = 0;
const NORMAL: u8 = 1;
const VERBOSE: u8 = 2;

/// Width of the column of status verbs, the same as cargo's.
const VERB_WIDTH_CHARS: usize = 12;

/// Whether a transient line is on the screen.
static TRANSIENT: Mutex<bool> = Mutex::new(false);
/// Held while stdout is written, or points elsewhere. Taken before [`TRANSIENT`].
static STDOUT: Mutex<()> = Mutex::new(());

/// Says how much is said from now on.
pub(crate) fn speak(quiet: bool, verbose: bool) {
    let voice = match (quiet, verbose) {
        (true, _) => QUIET,
        (_, true) => VERBOSE,
        _ => NORMAL,
    };
    VOICE.store(voice, Ordering::Relaxed);
}

/// Whether everything is to be said.
pub(crate) fn is_verbose() -> bool {
    VOICE.load(Ordering::Relaxed) == VERBOSE
}

fn is_quiet() -> bool {
    VOICE.load(Ordering::Relaxed) == QUIET
}

/// Prints `text` in `style`, with the codes removed where the stream shows no colours.
pub(crate) fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// Prints bytes to stdout as they are. Who has read enough, such as `head`, is no failure.
pub(crate) fn raw(bytes: &[u8]) -> Result<(), fault::Fault> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(fault::Fault::new("cannot print").why(error.to_string()))
        }
        _ => Ok(()),
    }
}

/// Prints what helps to follow the work, unless that is not wanted.
pub(crate) fn note(line: &str) {
    if !is_quiet() {
        progress(line);
    }
}

/// Prints what only a close look wants to know.
pub(crate) fn detail(what: impl FnOnce() -> String) {
    if is_verbose() {
        progress(&paint(FAINT, what()));
    }
}

/// Prints one permanent line to stderr, wanted or not: an error, a warning, or what is part of one.
pub(crate) fn progress(line: &str) {
    let mut transient = lock(&TRANSIENT);
    let mut stderr = anstream::stderr().lock();
    clear(&mut transient, &mut stderr);
    let _ = writeln!(stderr, "{line}");
}

/// Prints one permanent line, or several, to stdout.
pub(crate) fn result(lines: &str) {
    let _stdout = lock(&STDOUT);
    let mut transient = lock(&TRANSIENT);
    clear(&mut transient, &mut anstream::stderr().lock());
    let mut stdout = anstream::stdout().lock();
    let _ = writeln!(stdout, "{lines}");
    let _ = stdout.flush();
}

/// Prints one JSON document on a line of its own to stdout.
pub(crate) fn json(document: &serde_json::Value) {
    result(&document.to_string());
}

/// Prints a status line in cargo's form: a right-aligned verb and what it is about.
pub(crate) fn status(style: Style, verb: &str, what: &str) {
    // What went wrong is part of the error.
    if style == BAD || !is_quiet() {
        progress(&status_line(style, verb, what));
    }
}

/// A status line, for callers that print it elsewhere.
pub(crate) fn status_line(style: Style, verb: &str, what: &str) -> String {
    let pad = " ".repeat(VERB_WIDTH_CHARS.saturating_sub(verb.chars().count()));
    format!("{pad}{} {what}", paint(style, verb))
}

/// Prints a warning to stderr.
pub(crate) fn warning(what: &str) {
    progress(&format!("{}: {what}", paint(WARN, "warning")));
}

/// Prints an error to stderr that does not end the command.
pub(crate) fn error(what: &str) {
    progress(&format!("{}: {what}", paint(BAD, "error")));
}

/// Replaces the transient line at the bottom of stderr. Does nothing when stderr is no terminal.
pub(crate) fn transient(verb: &str, what: &str) {
    if !has_transient_line() || is_quiet() {
        return;
    }
    signals::clear_line_on_interrupt();
    let mut transient = lock(&TRANSIENT);
    let mut stderr = anstream::stderr().lock();
    clear(&mut transient, &mut stderr);
    let what: String = what.chars().take(60).collect();
    let _ = write!(stderr, "{}", status_line(BUSY, verb, &what));
    let _ = stderr.flush();
    *transient = true;
}

/// How much of something is done, for a transient line: `[=====>    ] 3/6`.
pub(crate) fn bar(done: usize, total: usize) -> String {
    const WIDTH_CHARS: usize = 16;
    let filled = match total {
        0 => WIDTH_CHARS,
        total => WIDTH_CHARS * done.min(total) / total,
    };
    let tip = if filled < WIDTH_CHARS { ">" } else { "" };
    let bar = "=".repeat(filled) + tip;
    format!("[{bar:WIDTH_CHARS$}] {done}/{total}")
}

/// Removes the transient line, if there is one.
pub(crate) fn clear_transient() {
    let mut transient = lock(&TRANSIENT);
    clear(&mut transient, &mut anstream::stderr().lock());
}

/// Removes the transient line, after which nothing is printed to stderr any more.
pub(crate) fn end() {
    let mut transient = lock(&TRANSIENT);
    clear(&mut transient, &mut anstream::stderr().lock());
    std::mem::forget(transient);
}

/// Whether stderr can show a line that is replaced in place.
pub(crate) fn has_transient_line() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether stderr shows colours.
pub(crate) fn stderr_has_colour() -> bool {
    anstream::AutoStream::choice(&std::io::stderr()) != anstream::ColorChoice::Never
}

/// Runs `act` while whatever it prints to stdout by itself is dropped: stdout is for results. Our
/// own results, from whichever thread, wait until it is done, so `act` must not print any.
pub(crate) fn without_stdout<T>(act: impl FnOnce() -> T) -> T {
    let _held = lock(&STDOUT);
    quiet::without_stdout(act)
}

/// A lock is poisoned only by a panic while printing; what it guards is then as good as before.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn clear(transient: &mut bool, stderr: &mut impl std::io::Write) {
    if std::mem::take(transient) {
        let _ = write!(stderr, "\r\x1b[2K");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_empty_partly_filled_or_full() {
        assert_eq!(bar(0, 4), "[>               ] 0/4");
        assert_eq!(bar(1, 4), "[====>           ] 1/4");
        assert_eq!(bar(4, 4), "[================] 4/4");
        assert_eq!(bar(0, 0), "[================] 0/0");
    }

    #[test]
    fn status_verbs_end_in_one_column() {
        let plain = anstream::adapter::strip_str(&status_line(GOOD, "Built", "x")).to_string();
        assert_eq!(plain, "       Built x");
        let long =
            anstream::adapter::strip_str(&status_line(GOOD, "Deactivating it", "x")).to_string();
        assert_eq!(long, "Deactivating it x");
    }
}
