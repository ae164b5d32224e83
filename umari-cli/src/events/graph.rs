//! What an action led to, as a tree: executions of commands, their events, and under each event
//! the executions that it triggered.

use std::collections::HashMap;

use serde_json::Value;

use crate::inspect::{plain, tags};

/// The answer of the server as lines.
pub(super) fn render(graph: &Value) -> String {
    let executions = graph["executions"].as_array().cloned().unwrap_or_default();
    let tree = Tree::of(&executions);
    let mut lines = vec![format!("action {}", plain(&graph["correlation_id"]))];
    let roots = tree.under.get("").map(Vec::as_slice).unwrap_or_default();
    tree.draw_executions(roots, "", &mut lines);
    lines.join("\n")
}

struct Tree<'a> {
    executions: &'a [Value],
    /// Executions by the event that triggered them; those without one are under the empty id.
    under: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Tree<'a> {
    /// An execution stands under an event that came before it, or at the root: so there is no
    /// circle, whatever the server says.
    fn of(executions: &'a [Value]) -> Self {
        let mut under: HashMap<&str, Vec<usize>> = HashMap::new();
        let mut known: HashMap<&str, ()> = HashMap::new();
        for (index, execution) in executions.iter().enumerate() {
            let trigger = execution["triggering_event_id"]
                .as_str()
                .filter(|id| known.contains_key(id));
            under
                .entry(trigger.unwrap_or_default())
                .or_default()
                .push(index);
            let ids = events(execution)
                .iter()
                .filter_map(|event| event["id"].as_str());
            known.extend(ids.map(|id| (id, ())));
        }
        Self { executions, under }
    }

    fn draw_executions(&self, indices: &[usize], indent: &str, lines: &mut Vec<String>) {
        for (place, &index) in indices.iter().enumerate() {
            let execution = &self.executions[index];
            let (branch, below) = branches(place + 1 == indices.len());
            lines.push(format!("{indent}{branch}{}", author(&execution["author"])));
            self.draw_events(events(execution), &format!("{indent}{below}"), lines);
        }
    }

    fn draw_events(&self, events: &[Value], indent: &str, lines: &mut Vec<String>) {
        for (place, event) in events.iter().enumerate() {
            let (branch, below) = branches(place + 1 == events.len());
            lines.push(format!(
                "{indent}{branch}{} {} {}",
                event["position"],
                plain(&event["event_type"]),
                tags(&event["tags"])
            ));
            let id = event["id"].as_str().unwrap_or_default();
            let triggered = self.under.get(id).map(Vec::as_slice).unwrap_or_default();
            self.draw_executions(triggered, &format!("{indent}{below}"), lines);
        }
    }
}

/// What stands before an entry, and before what is under it.
fn branches(last: bool) -> (&'static str, &'static str) {
    if last {
        ("└─ ", "   ")
    } else {
        ("├─ ", "│  ")
    }
}

fn events(execution: &Value) -> &[Value] {
    execution["events"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The command, and the module where that has another name.
fn author(author: &Value) -> String {
    let (module, command) = (plain(&author["module"]), plain(&author["command"]));
    let version = plain(&author["version"]);
    // A command within a module is called by the Rust type of its input, of which the end says most.
    let command = command.rsplit("::").next().unwrap_or_default();
    if module == command {
        format!("{command} {version}")
    } else {
        format!("{command} in {module} {version}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;
    use serde_json::json;

    fn execution(trigger: Option<&str>, command: &str, events: &[(&str, u64)]) -> Value {
        let events: Vec<Value> = events
            .iter()
            .map(|(id, position)| json!({ "id": id, "position": position, "event_type": "noted", "tags": ["a:1"] }))
            .collect();
        json!({
            "triggering_event_id": trigger, "events": events,
            "author": { "module": if trigger.is_some() { "relay" } else { command },
                        "version": "1.0.0", "command": command },
        })
    }

    #[test]
    fn executions_stand_under_the_event_that_triggered_them() {
        let graph = json!({ "correlation_id": "c", "executions": [
            execution(None, "note", &[("e1", 1), ("e2", 2)]),
            execution(Some("e1"), "relay::commands::RelayedInput", &[("e3", 3)]),
            execution(Some("e3"), "note", &[("e4", 4)]),
            execution(Some("e1"), "again", &[("e5", 5)]),
            // A trigger outside of the chain, and one that comes later.
            execution(Some("elsewhere"), "stray", &[("e6", 6)]),
            execution(Some("e7"), "circle", &[("e7", 7)]),
        ] });
        expect![[r#"
            action c
            ├─ note 1.0.0
            │  ├─ 1 noted a:1
            │  │  ├─ RelayedInput in relay 1.0.0
            │  │  │  └─ 3 noted a:1
            │  │  │     └─ note in relay 1.0.0
            │  │  │        └─ 4 noted a:1
            │  │  └─ again in relay 1.0.0
            │  │     └─ 5 noted a:1
            │  └─ 2 noted a:1
            ├─ stray in relay 1.0.0
            │  └─ 6 noted a:1
            └─ circle in relay 1.0.0
               └─ 7 noted a:1"#]]
        .assert_eq(&render(&graph));
    }
}
