//! `umari modules` and the list of `umari events`: what a server has.

use serde_json::Value;

use crate::args::{ListArgs, ModulesArgs};
use crate::client::answers::ModuleStatus;
use crate::client::replay::Replay;
use crate::client::{Client, EventFilter};
use crate::output;
use crate::output::fault::Fault;
use crate::output::table::{Align, Table};
use crate::replay;

/// Characters of a payload, or of another long cell, that a table shows.
const PAYLOAD_CHARS: usize = 80;

/// `umari modules`.
pub(crate) fn modules(args: &ModulesArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server.url, args.server.api_key.clone()).map_err(Fault::from)?;
    let modules = client.modules().map_err(Fault::from)?;
    if args.json {
        output::json(&modules.raw);
    } else if modules.modules.is_empty() {
        output::note("no module is active; build and deploy some with `umari deploy`");
    } else {
        output::result(&render_modules(&modules.modules));
    }
    Ok(())
}

/// `umari events`, the list.
pub(crate) fn events(args: &ListArgs) -> anyhow::Result<()> {
    let client = Client::new(&args.server.url, args.server.api_key.clone()).map_err(Fault::from)?;
    let filter = EventFilter {
        types: &args.filter.event_type,
        tags: &args.filter.tag,
        correlation_id: args.filter.correlation_id.map(|id| id.to_string()),
        after: args.after,
        limit: args.limit,
    };
    let answer = client.events(&filter).map_err(Fault::from)?;
    if args.json {
        output::json(&answer);
        return Ok(());
    }
    let events = answer
        .get("events")
        .unwrap_or(&answer)
        .as_array()
        .cloned()
        .unwrap_or_default();
    if events.is_empty() {
        output::note("no event matches");
    } else {
        output::result(&render_events(&events));
    }
    Ok(())
}

/// Errors stand under the table: they are long, and a table of long lines is no table.
fn render_modules(modules: &[ModuleStatus]) -> String {
    let mut table = Table::new(&[
        ("KIND", Align::Left),
        ("NAME", Align::Left),
        ("VERSION", Align::Left),
        ("STATUS", Align::Left),
        ("POSITION", Align::Right),
        ("HEAD", Align::Right),
        ("LAG", Align::Right),
        ("EVENTS/S", Align::Right),
    ]);
    let number =
        |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    for module in modules {
        table.row([
            module.kind.to_string(),
            module.name.clone(),
            text(&module.version),
            text(&module.status),
            number(module.position),
            number(module.head),
            number(module.lag),
            module
                .events_per_second
                .map_or_else(|| "-".to_owned(), |rate| rate.to_string()),
        ]);
    }
    let mut lines = vec![table.render("")];
    for module in modules {
        lines.extend(
            module
                .last_error_line()
                .map(|error| format!("{} {}: {error}", module.kind, module.name)),
        );
        let replay = module.replay.clone().map(Replay::read);
        if let Some(Ok(replay)) = replay {
            lines.push(replay::line(&replay));
        }
    }
    lines.join("\n")
}

fn render_events(events: &[Value]) -> String {
    let mut table = Table::new(&[
        ("POSITION", Align::Right),
        ("TIME", Align::Left),
        ("TYPE", Align::Left),
        ("TAGS", Align::Left),
        ("DATA", Align::Left),
    ]);
    for event in events {
        let field = |name: &str| event.get(name).filter(|value| !value.is_null());
        let text = |name: &str| field(name).map(plain).unwrap_or_default();
        let tags = field("tags")
            .or_else(|| field("domain_ids"))
            .map(tags)
            .unwrap_or_default();
        let data = field("data")
            .or_else(|| field("payload"))
            .map_or_else(|| "-".to_owned(), |data| shorten(&plain(data)));
        table.row([
            text("position"),
            text("timestamp"),
            text("event_type"),
            tags,
            data,
        ]);
    }
    table.render("")
}

/// As much of a text as a line of a table takes.
pub(crate) fn shorten(text: &str) -> String {
    let cut = text.chars().count() > PAYLOAD_CHARS;
    let shown = text.chars().take(PAYLOAD_CHARS);
    shown.chain(cut.then_some('…')).collect()
}

/// A string as its text, anything else as JSON.
pub(crate) fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// Tags on one line.
pub(crate) fn tags(value: &Value) -> String {
    match value {
        Value::Array(tags) => tags.iter().map(plain).collect::<Vec<_>>().join(" "),
        Value::Object(ids) => ids
            .iter()
            .map(|(name, id)| format!("{name}:{}", plain(id)))
            .collect::<Vec<_>>()
            .join(" "),
        other => plain(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::answers::Modules;
    use expect_test::expect;
    use serde_json::json;

    fn plain_text(text: &str) -> String {
        anstream::adapter::strip_str(text).to_string()
    }

    #[test]
    fn modules_are_a_table_with_errors_under_it() {
        let modules = Modules::read(json!({ "modules": [
            { "kind": "command", "name": "connect-shop", "version": "1.0.0", "status": "ready" },
            { "kind": "projector", "name": "plans", "version": "1.2.0", "status": "backoff", "position": 41, "head": 90,
              "lag": 49, "events_per_second": 12.5,
              "last_error": { "position": 42, "message": "no such table:\n  plan" },
              "replay": { "name": "plans", "version": "2.0.0", "replaces": "1.2.0", "state": "replaying", "position": 45,
                "head": 90, "events_per_second": 1234.5, "remaining_seconds": 0.036 } },
            { "kind": "effects", "name": "notify", "position": 90, "head": 90, "last_error": null },
        ] }));
        expect![[r#"
            KIND       NAME          VERSION  STATUS   POSITION  HEAD  LAG  EVENTS/S
            command    connect-shop  1.0.0    ready           -     -    -         -
            projector  plans         1.2.0    backoff        41    90   49      12.5
            effect     notify        -        -              90    90    -         -
            projector plans: no such table: plan
            projector plans: replaying 2.0.0 to replace 1.2.0: [##########----------] 50 %, 1234 events/s, 36 ms left"#]]
        .assert_eq(&plain_text(&render_modules(
            &modules.expect("modules").modules,
        )));
    }

    #[test]
    fn events_are_a_table_with_short_payloads() {
        let events = [
            json!({ "position": 1, "event_type": "shop.connected", "timestamp": "2026-01-01T00:00:00Z",
                "tags": ["shop_id:1"], "data": { "domain": "x".repeat(100) } }),
            json!({ "position": 20, "event_type": "shop.shredded", "domain_ids": { "shop_id": "1" }, "data": null }),
        ];
        expect![[r#"
            POSITION  TIME                  TYPE            TAGS       DATA
                   1  2026-01-01T00:00:00Z  shop.connected  shop_id:1  {"domain":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…
                  20                        shop.shredded   shop_id:1  -"#]]
        .assert_eq(&plain_text(&render_events(&events)));
    }
}
