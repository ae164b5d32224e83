//! Each class of errors has one status and one code, and the documentation says so.

use axum::response::IntoResponse as _;
use http::header::RETRY_AFTER;
use serde_json::json;

use super::Problem;
use crate::commands::ExecuteError;
use crate::engine::trap::Crash;

/// One error of every class, with the words of its row in the table at [`ExecuteError`].
fn classes() -> Vec<(&'static str, ExecuteError)> {
    let crashed = |crash, committed| ExecuteError::Crashed {
        command: "c".into(),
        crash,
        committed,
    };
    let all = vec![
        ("NotFound", ExecuteError::NotFound("c".into())),
        (
            "Invalid",
            ExecuteError::Invalid {
                message: "no".into(),
                violations: Vec::new(),
            },
        ),
        (
            "Rejected",
            ExecuteError::Rejected {
                code: "rejected".into(),
                message: "no".into(),
                details: None,
            },
        ),
        (
            "Conflict",
            ExecuteError::Conflict {
                attempts: 3,
                reason: "others".into(),
            },
        ),
        (
            "Overloaded",
            ExecuteError::Overloaded {
                running: 64,
                waiting: 256,
                queue_full: true,
            },
        ),
        (
            "by a panic",
            crashed(
                Crash::Panic {
                    location: "lib.rs:1:1".into(),
                    message: "no".into(),
                },
                None,
            ),
        ),
        ("at its deadline", crashed(Crash::Deadline, None)),
        (
            "for want of memory",
            crashed(Crash::Memory { limit_bytes: 1 }, None),
        ),
        (
            "in another way",
            crashed(Crash::Trap("wasm trap".into()), Some(7)),
        ),
        ("Unavailable", ExecuteError::Unavailable("no".into())),
        ("OutcomeUnknown", ExecuteError::OutcomeUnknown("no".into())),
    ];
    for (_, error) in &all {
        // A class that is added here is added to the table and to the list above.
        match error {
            ExecuteError::NotFound(_)
            | ExecuteError::Invalid { .. }
            | ExecuteError::Rejected { .. }
            | ExecuteError::Conflict { .. }
            | ExecuteError::Overloaded { .. }
            | ExecuteError::Crashed { .. }
            | ExecuteError::Unavailable(_)
            | ExecuteError::OutcomeUnknown(_) => {}
        }
    }
    all
}

#[test]
fn the_table_of_outcomes_is_what_is_answered() {
    let source = include_str!("../../commands.rs");
    let rows: Vec<&str> = source
        .lines()
        .filter_map(|line| line.strip_prefix("/// | ["))
        .collect();
    let classes = classes();
    assert_eq!(rows.len(), classes.len());
    for (row, (words, error)) in rows.iter().zip(classes) {
        let problem = Problem::from(error);
        let expected = format!("| {} | `{}`", problem.status.as_u16(), problem.code);
        assert!(row.contains(words), "{words}: {row}");
        assert!(row.contains(&expected), "{expected}: {row}");
    }
}

#[test]
fn members_and_headers_say_the_rest() {
    let answer = |wanted: &str| {
        let mut classes = classes().into_iter();
        let (_, error) = classes
            .find(|(words, _)| *words == wanted)
            .expect("a class");
        let problem = Problem::from(error);
        let body = serde_json::to_value(&problem).expect("JSON");
        (body, problem.into_response())
    };
    let (body, response) = answer("Overloaded");
    assert_eq!(
        (&body["running"], &body["waiting"]),
        (&json!(64), &json!(256))
    );
    assert_eq!(response.headers()[RETRY_AFTER], "1");
    assert_eq!(answer("Conflict").0["attempts"], 3);
    assert_eq!(answer("in another way").0["committed_position"], 7);
    let (body, response) = answer("at its deadline");
    assert_eq!(body.get("committed_position"), None);
    assert_eq!(response.headers().get(RETRY_AFTER), None);
}
