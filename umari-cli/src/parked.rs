//! `umari effects park`, `parked`, `unpark` and `drop`: events that an effect cannot handle.

use serde_json::Value;

use crate::args::{ParkedArgs, ServerArgs, SubscriptionArgs};
use crate::client::Client;
use crate::inspect::plain;
use crate::output::fault::Fault;
use crate::output::table::{Align, Table};
use crate::output::{self, BUSY, GOOD};

/// Parks an event that fails.
pub(crate) fn park(
    name: &str,
    position: Option<u64>,
    json: bool,
    server: &ServerArgs,
) -> Result<(), Fault> {
    let answer = connect(server)?.park(name, position)?;
    if json {
        output::json(&answer);
    } else if answer["outcome"] == "pending" {
        let position = &answer["position"];
        let what =
            format!("event {position} is being tried again, and is parked if that fails as well");
        output::status(BUSY, "Waiting", &what);
    } else {
        output::status(GOOD, "Parked", &about(&answer["event"]));
    }
    Ok(())
}

/// Lists what is parked.
pub(crate) fn list(args: &SubscriptionArgs) -> Result<(), Fault> {
    let answer = connect(&args.server)?.parked(&args.name)?;
    let events = answer["parked"].as_array();
    let events = events.map(Vec::as_slice).unwrap_or_default();
    if args.json {
        output::json(&answer);
    } else if events.is_empty() {
        output::progress(&format!("the effect {} has no parked events", args.name));
    } else {
        output::result(&render(events));
    }
    Ok(())
}

/// Delivers a parked event once more.
pub(crate) fn unpark(args: &ParkedArgs) -> Result<(), Fault> {
    let answer = connect(&args.server)?.unpark(&args.name, args.position)?;
    let ParkedArgs { name, position, .. } = args;
    if args.json {
        output::json(&answer);
    }
    match answer["outcome"].as_str() {
        Some("failed") => {
            let fault = Fault::new(format!("event {position} failed again and stays parked"));
            Err(fault.why(plain(&answer["event"]["last_error"])))
        }
        _ if args.json => Ok(()),
        Some("pending") => {
            let what =
                format!("event {position} waits for its turn; see `umari effects parked {name}`");
            output::status(BUSY, "Queued", &what);
            Ok(())
        }
        _ => {
            output::status(GOOD, "Handled", &format!("event {position}"));
            Ok(())
        }
    }
}

/// Drops a parked event for good.
pub(crate) fn discard(args: &ParkedArgs) -> Result<(), Fault> {
    let answer = connect(&args.server)?.drop_parked(&args.name, args.position)?;
    if args.json {
        output::json(&answer);
    } else {
        output::status(GOOD, "Dropped", &about(&answer["event"]));
    }
    Ok(())
}

fn connect(server: &ServerArgs) -> Result<Client, Fault> {
    Ok(Client::new(&server.url, server.api_key.clone())?)
}

fn about(event: &Value) -> String {
    let attempts = &event["attempts"];
    let times = if *attempts == 1 {
        "attempt"
    } else {
        "attempts"
    };
    format!(
        "event {} ({}) after {attempts} {times}",
        event["position"],
        plain(&event["event_type"])
    )
}

/// Errors stand under the table, as those of `umari modules` do.
fn render(events: &[Value]) -> String {
    let mut table = Table::new(&[
        ("POSITION", Align::Right),
        ("TYPE", Align::Left),
        ("ATTEMPTS", Align::Right),
        ("FAILED", Align::Left),
        ("STATE", Align::Left),
    ]);
    for event in events {
        let fields = ["position", "event_type", "attempts", "failed_at", "state"];
        table.row(fields.map(|field| plain(&event[field])));
    }
    let mut lines = vec![table.render("")];
    for event in events {
        let error = plain(&event["last_error"]);
        let error: Vec<&str> = error.split_whitespace().collect();
        lines.push(format!("{}: {}", event["position"], error.join(" ")));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn parked_events_are_a_table_with_errors_under_it() {
        let events = [json!({
            "position": 17, "event_id": "0190b0e4-6a5f-7cc0-9f3b-3f1c5a1d2e4f", "event_type": "noted",
            "attempts": 3, "last_error": "the target\nanswered 503",
            "failed_at": "2026-01-01T00:00:00.000Z", "state": "parked",
        })];
        expect![[r#"
            POSITION  TYPE   ATTEMPTS  FAILED                    STATE
                  17  noted         3  2026-01-01T00:00:00.000Z  parked
            17: the target answered 503"#]]
        .assert_eq(&anstream::adapter::strip_str(&render(&events)).to_string());
        assert_eq!(about(&events[0]), "event 17 (noted) after 3 attempts");
    }
}
