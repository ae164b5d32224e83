//! Colour, where somebody can see it.

use std::io::IsTerminal;
use std::sync::OnceLock;

/// What a piece of text is, rather than which colour it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Expected, and not there.
    Minus,
    /// There, and not expected.
    Plus,
    /// Context.
    Dim,
    /// The one line to read.
    Bold,
    /// The name of a section.
    Title,
}

/// `text` in the colour of `tone`, or as it is where colour is not wanted.
pub(crate) fn paint(tone: Tone, text: &str) -> String {
    if !wanted() || text.is_empty() {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Minus => 31,
        Tone::Plus => 32,
        Tone::Dim => 2,
        Tone::Bold => 1,
        Tone::Title => 36,
    };
    format!("\u{1b}[{code}m{text}\u{1b}[0m")
}

/// `NO_COLOR` (<https://no-color.org>) forbids it; otherwise a terminal must be listening.
fn wanted() -> bool {
    static WANTED: OnceLock<bool> = OnceLock::new();
    *WANTED.get_or_init(|| {
        std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
            && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
            && std::io::stderr().is_terminal()
    })
}
