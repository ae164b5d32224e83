//! Each class of errors has one status and one code, and the documentation says so.

use std::collections::BTreeSet;

use axum::response::IntoResponse as _;
use http::StatusCode;
use http::header::RETRY_AFTER;
use serde_json::json;
use umadb_dcb::DcbError;
use uuid::Uuid;

use super::Problem;
use crate::commands::ExecuteError;
use crate::engine::trap::Crash;
use crate::keys::KeyError;
use crate::read_model::QueryError;
use crate::replay::AsOfError;
use crate::store::ReadError;

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

/// Every 503: whether it passes by itself, and the answer.
fn unavailable() -> Vec<(bool, Problem)> {
    let name = || "plans".parse().expect("a name");
    let lost = KeyError::Lost {
        key_id: Uuid::nil(),
        scope: "shop_id:1".into(),
    };
    let lost = ReadError::Keys {
        id: Uuid::nil(),
        position: 1,
        source: lost,
    };
    let unreadable = || ReadError::Store(DcbError::CancelledByUser());
    vec![
        (true, classes().swap_remove(4).1.into()),
        (true, AsOfError::Busy.into()),
        (true, QueryError::Busy.into()),
        (
            true,
            QueryError::NotReady {
                name: name(),
                reason: "it has not started".into(),
            }
            .into(),
        ),
        (true, Problem::too_many_connections()),
        (true, Problem::too_many_backups()),
        (true, Problem::too_many_streams()),
        (true, Problem::no_threads("no".into())),
        (false, ExecuteError::Unavailable("no".into()).into()),
        (false, ExecuteError::OutcomeUnknown("no".into()).into()),
        (false, unreadable().into()),
        (false, lost.into()),
        (false, Problem::shutting_down()),
    ]
}

#[test]
fn who_is_refused_for_a_moment_is_told_when_to_come_again() {
    let documented = include_str!("../../api.rs");
    let mut known = BTreeSet::new();
    for (passes, problem) in unavailable() {
        assert_eq!(problem.status, StatusCode::SERVICE_UNAVAILABLE);
        let code = problem.code.to_string();
        assert!(documented.contains(&format!("`{code}`")), "{code}");
        let response = problem.into_response();
        let after = response.headers().get(RETRY_AFTER);
        assert_eq!(after.is_some(), passes, "{code}");
        known.insert(code);
    }
    // Each of them is above: a 503 that is added anywhere is found here.
    let sources = [
        include_str!("../problem.rs"),
        include_str!("errors.rs"),
        include_str!("../backup.rs"),
        include_str!("../stream.rs"),
        include_str!("../health.rs"),
        include_str!("../server.rs"),
        include_str!("../commands.rs"),
        include_str!("../as_of.rs"),
        include_str!("../access.rs"),
    ];
    let mut written = BTreeSet::new();
    for source in sources {
        assert!(!source.contains("TOO_MANY_REQUESTS"), "429 has no row yet");
        for rest in source.split("StatusCode::SERVICE_UNAVAILABLE,").skip(1) {
            let code = rest.trim_start().strip_prefix('"');
            written.extend(code.and_then(|code| code.split('"').next()));
        }
    }
    assert_eq!(written, known.iter().map(String::as_str).collect());
}
