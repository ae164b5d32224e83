//! What a failing scenario says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use expect_test::Expect;

/// Runs a scenario that must fail, and compares its message with a snapshot, without colours.
#[track_caller]
pub(crate) fn fails<T>(scenario: impl FnOnce() -> T, expected: Expect) {
    let message = failure(scenario);
    expected.assert_eq(&message);
}

/// The message of a scenario that must fail.
#[track_caller]
pub(crate) fn failure<T>(scenario: impl FnOnce() -> T) -> String {
    let Err(payload) = catch_unwind(AssertUnwindSafe(scenario)) else {
        panic!("this scenario should have failed");
    };
    let message = match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => (*payload.downcast::<&str>().expect("a message")).to_owned(),
    };
    without_lines(&plain(&message))
}

/// `text` without the line and column of places in this directory, which change with every edit.
fn without_lines(text: &str) -> String {
    text.split_inclusive(char::is_whitespace)
        .map(|word| match word.split_once(".rs:") {
            Some((path, place)) => {
                let rest = place.trim_start_matches(|c: char| c.is_ascii_digit() || c == ':');
                let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
                format!("{file}.rs{rest}")
            }
            None => word.to_owned(),
        })
        .collect()
}

/// `text` without the escape sequences that colour it on a terminal.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain + rest
}
