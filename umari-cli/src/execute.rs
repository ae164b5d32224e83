//! `umari execute`: one command, from the shell.

use std::fmt::Write as _;

use crate::args::ExecuteArgs;
use crate::client::answers::Receipt;
use crate::client::{Client, WaitFor};
use crate::output;
use crate::output::fault::Fault;

/// Executes the command and prints what it committed.
pub(crate) fn run(args: &ExecuteArgs) -> anyhow::Result<()> {
    let input = args.input.read()?;
    let client = Client::new(&args.server.url, args.server.api_key.clone()).map_err(Fault::from)?;
    let mut headers = Vec::new();
    headers.extend(
        args.idempotency_key
            .map(|key| ("idempotency-key", key.to_string())),
    );
    headers.extend(
        args.correlation_id
            .map(|id| ("x-correlation-id", id.to_string())),
    );
    let wait = WaitFor {
        projectors: &args.wait_for,
        timeout: args.timeout,
    };
    match client.execute(&args.name, &input, &headers, &wait) {
        Ok(receipt) if args.json => output::json(&receipt.raw),
        Ok(receipt) => {
            output::result(&render(&receipt));
            for line in late(&receipt) {
                output::warning(&line);
            }
        }
        Err(error) => {
            if let Some(problem) = error.problem().filter(|_| args.json) {
                output::json(problem.raw());
                return Err(Fault::shown(error.to_string()).into());
            }
            return Err(Fault::from(error).into());
        }
    }
    Ok(())
}

/// A receipt as lines: one for the commit, one for each event.
fn render(receipt: &Receipt) -> String {
    let Some(position) = receipt.position else {
        return "nothing to commit: the command emitted no event".to_owned();
    };
    let again = receipt.attempts.filter(|attempts| *attempts > 1);
    let again = again
        .map(|attempts| format!(" after {attempts} attempts"))
        .unwrap_or_default();
    let mut text = format!("committed at position {position}{again}");
    for event in &receipt.events {
        let ids = event
            .domain_ids
            .iter()
            .flat_map(|(name, value)| values(value).map(move |value| format!(" {name}:{value}")));
        let _ = write!(
            text,
            "\n  {} {}{}",
            event.event_type,
            event.id,
            ids.collect::<String>()
        );
    }
    text
}

/// A line for each projector that does not have what was written. It is no failure: what is
/// committed stays committed, and they get there.
fn late(receipt: &Receipt) -> Vec<String> {
    let late = receipt.projectors.iter().filter(|it| !it.reached);
    late.map(|projector| {
        let why = projector.failure.as_deref().map(|why| format!(": {why}"));
        format!(
            "{} is at position {} and does not have it yet{}",
            projector.name,
            projector.position,
            why.unwrap_or_default()
        )
    })
    .collect()
}

/// A domain id has one value or several.
fn values(value: &serde_json::Value) -> impl Iterator<Item = String> {
    let values = match value {
        serde_json::Value::Array(values) => values.clone(),
        value => vec![value.clone()],
    };
    values.into_iter().map(|value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn rendered(answer: serde_json::Value) -> String {
        render(&Receipt::read(answer).expect("a receipt"))
    }

    #[test]
    fn a_receipt_shows_each_event() {
        let text = rendered(json!({
            "position": 12, "attempts": 2,
            "events": [
                { "id": "0190-a", "event_type": "plan.archived", "domain_ids": { "plan_id": "7", "shop_id": ["1", "2"] } },
                { "id": "0190-b", "event_type": "plan.noted" },
            ],
        }));
        expect![[r#"
            committed at position 12 after 2 attempts
              plan.archived 0190-a plan_id:7 shop_id:1 shop_id:2
              plan.noted 0190-b"#]]
        .assert_eq(&text);
    }

    #[test]
    fn a_projector_that_is_late_is_named_with_its_reason() {
        let receipt = Receipt::read(json!({
            "position": 12, "events": [], "attempts": 1, "caught_up": false, "projectors": [
                { "name": "plans", "position": 12, "reached": true },
                { "name": "shops", "position": 9, "reached": false, "failure": "no such table" },
            ],
        }));
        assert_eq!(
            late(&receipt.expect("a receipt")),
            ["shops is at position 9 and does not have it yet: no such table"]
        );
    }

    #[test]
    fn a_command_may_emit_nothing() {
        let text = rendered(json!({ "position": null, "events": [], "attempts": 1 }));
        assert_eq!(text, "nothing to commit: the command emitted no event");
    }
}
