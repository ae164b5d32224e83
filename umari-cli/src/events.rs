//! `umari events`: the log, one event of it, what an action led to, and what comes.

use serde_json::Value;

use crate::args::{EventsAction, EventsArgs, ServerArgs};
use crate::client::Client;
use crate::inspect::{self, plain, tags};
use crate::output;
use crate::output::fault::Fault;

mod graph;
mod tail;

pub(crate) use tail::line;

/// Does what was asked with events.
pub(crate) fn run(args: &EventsArgs) -> anyhow::Result<()> {
    match &args.action {
        None => inspect::events(&args.list),
        Some(EventsAction::List(args)) => inspect::events(args),
        Some(EventsAction::Show {
            event,
            json,
            server,
        }) => {
            let event = connect(server)?.event(event).map_err(Fault::from)?;
            print(*json, &event, show)
        }
        Some(EventsAction::Graph { id, json, server }) => {
            let graph = connect(server)?
                .correlation(&id.to_string())
                .map_err(Fault::from)?;
            print(*json, &graph, graph::render)?;
            if graph["truncated"] == true && !json {
                output::warning("the action led to more events than a server shows");
            }
            Ok(())
        }
        Some(EventsAction::Tail {
            filter,
            since,
            json,
            server,
        }) => Ok(tail::run(&connect(server)?, filter, *since, *json)?),
    }
}

fn connect(server: &ServerArgs) -> Result<Client, Fault> {
    Ok(Client::new(&server.url, server.api_key.clone())?)
}

fn print(json: bool, answer: &Value, render: impl Fn(&Value) -> String) -> anyhow::Result<()> {
    if json {
        output::json(answer);
    } else {
        output::result(&render(answer));
    }
    Ok(())
}

/// An event with everything that is known about it, and its payload over several lines.
fn show(event: &Value) -> String {
    let author = &event["author"];
    let written_by = format!(
        "{} {} (command {})",
        plain(&author["module"]),
        plain(&author["version"]),
        plain(&author["command"])
    );
    let fields = [
        ("id", plain(&event["id"])),
        ("type", plain(&event["event_type"])),
        ("tags", tags(&event["tags"])),
        ("time", plain(&event["timestamp"])),
        ("written by", written_by),
        ("correlation", plain(&event["correlation_id"])),
        ("causation", plain(&event["causation_id"])),
        ("triggered by", optional(&event["triggering_event_id"])),
        ("idempotency key", optional(&event["idempotency_key"])),
        ("encrypted for", optional(&event["encryption_scope"])),
        ("schema version", plain(&event["schema_version"])),
    ];
    let mut lines = vec![format!("event {}", event["position"])];
    lines.extend(
        fields
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("  {name:<15}  {value}")),
    );
    let data = match &event["data"] {
        Value::Null => "shredded: its data key is deleted".to_owned(),
        data => serde_json::to_string_pretty(data).unwrap_or_default(),
    };
    lines.push(data);
    lines.join("\n")
}

fn optional(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        value => plain(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    #[test]
    fn an_event_is_shown_with_its_envelope() {
        let event = json!({
            "id": "e", "position": 3, "event_type": "plan.created", "tags": ["shop_id:1", "plan_id:2"],
            "timestamp": "2026-01-01T00:00:00.000000Z", "correlation_id": "c", "causation_id": "x",
            "triggering_event_id": null, "idempotency_key": "k", "encryption_scope": null,
            "encryption_key_id": null, "schema_version": 1,
            "author": { "module": "sell", "version": "1.0.0", "command": "create-plan" },
            "data": { "title": "Two years" },
        });
        expect![[r#"
            event 3
              id               e
              type             plan.created
              tags             shop_id:1 plan_id:2
              time             2026-01-01T00:00:00.000000Z
              written by       sell 1.0.0 (command create-plan)
              correlation      c
              causation        x
              idempotency key  k
              schema version   1
            {
              "title": "Two years"
            }"#]]
        .assert_eq(&show(&event));
    }
}
