//! Colour, where somebody can see it.

use std::ffi::OsString;
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
    if wanted() {
        coloured(tone, text)
    } else {
        text.to_owned()
    }
}

fn coloured(tone: Tone, text: &str) -> String {
    if text.is_empty() {
        return String::new();
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
        allowed(std::env::var_os("NO_COLOR"), std::env::var_os("TERM"))
            && std::io::stderr().is_terminal()
    })
}

fn allowed(no_color: Option<OsString>, term: Option<OsString>) -> bool {
    no_color.is_none_or(|value| value.is_empty()) && term.is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::io::IsTerminal;

    use super::{Tone, allowed, coloured, paint, wanted};

    #[test]
    fn the_environment_can_forbid_colours() {
        let set = |value: &str| Some(OsString::from(value));
        assert!(allowed(None, None));
        assert!(allowed(set(""), set("xterm-256color")));
        assert!(!allowed(set("1"), set("xterm-256color")));
        assert!(!allowed(None, set("dumb")));
    }

    #[test]
    fn text_is_plain_where_colours_are_not_wanted() {
        assert_eq!(coloured(Tone::Minus, "- 1"), "\u{1b}[31m- 1\u{1b}[0m");
        assert_eq!(coloured(Tone::Minus, ""), "");
        let expected = if wanted() {
            "\u{1b}[32m+ 2\u{1b}[0m"
        } else {
            "+ 2"
        };
        assert_eq!(paint(Tone::Plus, "+ 2"), expected);
        assert!(!wanted() || std::io::stderr().is_terminal());
    }
}
