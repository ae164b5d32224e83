//! Errors as people read them.

use std::error::Error;

use crate::limits;

/// An error and its causes on one line.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// What a guest says, cut where it is longer than a message may be.
pub(crate) fn clip_message(text: String) -> String {
    clip(text, limits::GUEST_MESSAGE_BYTES)
}

/// `text`, cut to `most` bytes, the last three of which say so.
pub(crate) fn clip(mut text: String, most: usize) -> String {
    const DOTS: &str = "...";
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most.saturating_sub(DOTS.len())));
        text.push_str(DOTS);
        text.shrink_to_fit();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_guest_says_is_so_long() {
        let longest = "x".repeat(limits::GUEST_MESSAGE_BYTES);
        assert_eq!(clip_message(longest.clone()), longest);
        let cut = clip_message(format!("{longest}x"));
        assert_eq!(cut.len(), limits::GUEST_MESSAGE_BYTES);
        assert!(cut.ends_with("x..."));
        // Never within a character.
        assert_eq!(clip("üüü".to_owned(), 6), "üüü");
        assert_eq!(clip("üüüü".to_owned(), 6), "ü...");
    }
}
