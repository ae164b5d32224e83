//! A time of day that is set while the host runs.

use std::sync::mpsc::channel;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use host_minimal::WallClock;
use host_minimal::commands::ExecuteError;
use host_minimal::modules::ModuleKind;
use host_minimal::store::RecordedEvent;
use serde_json::json;

use crate::support::TestHost;

/// Notes as of a moment, in whole microseconds, as the log keeps it.
fn count_as_of(host: &TestHost, moment: DateTime<Utc>) -> String {
    let input = json!({ "counter": "a", "micros": moment.timestamp_micros() });
    match host.execute("count-as-of", input) {
        Err(ExecuteError::Rejected { message, .. }) => message,
        other => panic!("not told: {other:?}"),
    }
}

#[test]
fn a_clock_that_is_set_back_changes_dates_and_no_order() {
    let clock = WallClock::default();
    let host = TestHost::with_clock(&clock);
    host.deploy(ModuleKind::Projector, "notes", &[]);
    host.deploy(
        ModuleKind::Effect,
        "relay",
        &[("TARGET", "http://127.0.0.1:1")],
    );
    for (note_id, days) in [(1, -1), (2, 3), (3, -1), (4, 0)] {
        host.note("a", note_id, "quiet");
        clock.set(TimeDelta::days(days));
    }
    host.wait_caught_up("relay");
    host.wait_caught_up("notes");
    let notes = host.events("noted");
    let ids = |events: &[RecordedEvent]| -> Vec<u64> {
        let id = |event: &RecordedEvent| {
            let payload: serde_json::Value =
                serde_json::from_str(event.payload.as_deref().expect("a payload")).expect("JSON");
            payload["note_id"].as_u64().expect("an id")
        };
        events.iter().map(id).collect()
    };
    assert_eq!(ids(&notes), [1, 2, 3, 4], "by position");
    assert!(notes.is_sorted_by_key(|event| event.position));
    let mut by_date = notes.clone();
    by_date.sort_by_key(|event| event.timestamp);
    assert_eq!(ids(&by_date), [2, 1, 4, 3]);
    assert_eq!(host.events("note.relayed").len(), 4);
    let read_model = host.read_model("notes");
    let sql = "SELECT group_concat(note_id, ' ' ORDER BY position) FROM notes";
    let rows: String = read_model
        .query_row(sql, (), |row| row.get(0))
        .expect("rows");
    assert_eq!(rows, "1 2 3 4");

    // As of a moment means: what bears a date up to then, wherever it is.
    for (number, event) in by_date.iter().enumerate() {
        let expected = (number + 1).to_string();
        assert_eq!(count_as_of(&host, event.timestamp), expected);
    }
    let before = by_date[0].timestamp - TimeDelta::microseconds(1);
    assert_eq!(count_as_of(&host, before), "0");
}

#[test]
fn deadlines_and_pauses_do_not_go_by_the_time_of_day() {
    let clock = WallClock::default();
    let host = TestHost::with_clock(&clock);
    host.deploy(
        ModuleKind::Effect,
        "relay",
        &[("TARGET", "http://127.0.0.1:1")],
    );
    host.note("a", 1, "call");
    let mut attempts = host.wait_for_failure("relay", 1).1.attempts;
    for days in [-1, 2, -365, 365] {
        clock.set(TimeDelta::days(days));
        attempts = host.wait_for_failure("relay", attempts + 2).1.attempts;
    }

    // Set forward and back while it waits: it ends by its own deadline, and not before.
    std::thread::scope(|scope| {
        let (done, ended) = channel();
        let host = &host;
        scope.spawn(move || done.send(host.execute("doze", json!({ "counter": "a" }))));
        let patience = Duration::from_millis(1);
        let mut answer = ended.recv_timeout(patience);
        while answer.is_err() {
            clock.set(TimeDelta::days(2));
            clock.set(TimeDelta::days(-2));
            answer = ended.recv_timeout(patience);
        }
        let error = answer.expect("an answer").expect_err("it dozes for a day");
        let expected = "did not answer before its deadline";
        assert!(error.to_string().contains(expected), "{error}");
    });
}
