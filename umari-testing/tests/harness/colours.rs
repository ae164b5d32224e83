//! What a failing test looks like in a log file.

use std::process::Command;

use umari_testing::prelude::*;

use super::shop::*;

/// Set in the process that this test starts of itself.
const INSIDE: &str = "UMARI_TESTING_FAILS_INSIDE";

/// Runs one failing scenario in a process without a terminal, once as it is and once where
/// colours are forbidden.
#[test]
fn a_failure_is_plain_text_where_no_terminal_listens() {
    if std::env::var_os(INSIDE).is_some() {
        given(events![connected(42)])
            .when(create_plan::execute, create_plan::input(1))
            .then_nothing();
    }
    for no_color in [None, Some("1")] {
        let test = std::env::current_exe().expect("a path");
        let mut process = Command::new(test);
        process
            .args(["a_failure_is_plain_text_where_no_terminal_listens"])
            .arg("--nocapture")
            .env(INSIDE, "1")
            .env_remove("NO_COLOR");
        if let Some(no_color) = no_color {
            process.env("NO_COLOR", no_color);
        }
        let output = process.output().expect("a process");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        assert!(
            stderr.contains("the emitted events are not the expected ones"),
            "{stderr}"
        );
        assert!(!stderr.contains('\u{1b}'), "{stderr}");
    }
}
