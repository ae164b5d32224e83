//! How a module that follows the log is doing, under the table of its versions.

use serde_json::Value;

use crate::inspect::plain;

/// The lines about a module, from the answer that shows it; none for one that follows nothing.
pub(super) fn render(answer: &Value) -> Vec<String> {
    let status = &answer["status"];
    let Some(word) = status["status"].as_str() else {
        return Vec::new();
    };
    let mut lines = vec![String::new(), line("status", word)];
    if status["position"].is_number() {
        lines.push(line("position", &progress(status)));
    }
    if let Some(parked) = answer["parked"].as_u64().filter(|parked| *parked > 0) {
        let events = if parked == 1 { "event" } else { "events" };
        let name = plain(&answer["name"]);
        let parked = format!("{parked} {events}; see `umari effects parked {name}`");
        lines.push(line("parked", &parked));
    }
    let (now, last) = (&status["last_error"], &status["last_failure"]);
    if now.is_object() {
        lines.extend(failure("fails", now));
    }
    let is_over = now["failed_at"] != last["failed_at"] || now["position"] != last["position"];
    if last.is_object() && is_over {
        lines.extend(failure("failed", last));
    }
    lines
}

fn progress(status: &Value) -> String {
    let mut text = format!("{} of {}", status["position"], status["head"]);
    if status["lag"].as_u64().is_some_and(|lag| lag > 0) {
        text.push_str(&format!(", {} behind", status["lag"]));
    }
    if let Some(rate) = status["events_per_second"].as_f64() {
        text.push_str(&format!(", {rate} events/s"));
    }
    text
}

/// Where and when it failed, then with what, then where in its code.
fn failure(label: &str, failure: &Value) -> Vec<String> {
    let field = |name: &str| Some(plain(&failure[name])).filter(|_| !failure[name].is_null());
    let mut place = match field("position") {
        Some(position) => format!("at event {position}"),
        None => "at its start".to_owned(),
    };
    if let (Some(event_type), Some(id)) = (field("event_type"), field("event_id")) {
        place.push_str(&format!(" ({event_type}, {id})"));
    }
    if let Some(attempts) = field("attempts") {
        let times = if attempts == "1" { "time" } else { "times" };
        place.push_str(&format!(", {attempts} {times}"));
    }
    if let Some(at) = field("failed_at") {
        place.push_str(&format!(", last at {at}"));
    }
    if let Some(at) = field("retry_at") {
        place.push_str(&format!(", again at {at}"));
    }
    let message = field("message").unwrap_or_default();
    let backtrace = failure["backtrace"].as_array();
    let backtrace = backtrace.map(Vec::as_slice).unwrap_or_default();
    let mut lines = vec![line(label, &place)];
    lines.extend(message.lines().map(|text| line("", text)));
    lines.extend(
        backtrace
            .iter()
            .map(|frame| line("", &format!("  in {}", plain(frame)))),
    );
    lines
}

fn line(label: &str, text: &str) -> String {
    format!("  {label:<9} {text}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn a_status_says_where_the_module_is_and_what_it_fails_at() {
        let answer = json!({ "name": "notify", "parked": 2, "status": {
            "status": "retrying", "position": 41, "head": 90, "lag": 49, "events_per_second": 12.5,
            "last_error": {
                "message": "the module panicked at src/lib.rs:12:9:\nno", "position": 42,
                "event_id": "0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f", "event_type": "noted",
                "attempts": 3, "failed_at": "2026-01-01T00:00:00.000Z",
                "retry_at": "2026-01-01T00:00:04.000Z", "backtrace": ["notify::handle at 0x1a2b"],
            },
            "last_failure": {
                "message": "not again", "position": null, "attempts": 1,
                "failed_at": "2026-01-01T00:00:01.000Z", "retry_at": null,
            },
        } });
        expect![[r"
            notify
              status    retrying
              position  41 of 90, 49 behind, 12.5 events/s
              parked    2 events; see `umari effects parked notify`
              fails     at event 42 (noted, 0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f), 3 times, last at 2026-01-01T00:00:00.000Z, again at 2026-01-01T00:00:04.000Z
                        the module panicked at src/lib.rs:12:9:
                        no
                          in notify::handle at 0x1a2b
              failed    at its start, 1 time, last at 2026-01-01T00:00:01.000Z
                        not again"]]
        .assert_eq(&format!("notify{}", render(&answer).join("\n")));
    }

    #[test]
    fn what_follows_nothing_and_what_goes_well_take_little_room() {
        assert!(render(&json!({ "status": null })).is_empty());
        let failure = json!({ "message": "no", "position": 3, "failed_at": "t" });
        let answer = json!({ "name": "plans", "status": {
            "status": "live", "position": 9, "head": 9, "lag": 0, "events_per_second": 0.0,
            "last_error": failure, "last_failure": failure,
        } });
        expect![[r"
            plans
              status    live
              position  9 of 9, 0 events/s
              fails     at event 3, last at t
                        no"]]
        .assert_eq(&format!("plans{}", render(&answer).join("\n")));
    }
}
