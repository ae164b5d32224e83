//! `umari events tail`: events as they are written.

use std::io::{ErrorKind, Write as _};

use serde_json::Value;

use crate::args::FilterArgs;
use crate::client::problem::Problem;
use crate::client::{Client, EventFilter};
use crate::inspect::{plain, shorten, tags};
use crate::output::fault::Fault;

/// Prints what the server sends, until it ends or nobody reads our output any more.
pub(super) fn run(
    client: &Client,
    filter: &FilterArgs,
    since: Option<u64>,
    json: bool,
) -> Result<(), Fault> {
    let filter = EventFilter {
        types: &filter.event_type,
        tags: &filter.tag,
        correlation_id: filter.correlation_id.map(|id| id.to_string()),
        after: since,
        limit: None,
    };
    let mut messages = client.stream(&filter)?;
    let mut position = since;
    loop {
        let message = match messages.next() {
            Ok(Some(message)) => message,
            Ok(None) => return Err(ended("the server ended the stream", position)),
            Err(error) => return Err(ended("the stream broke", position).why(error.to_string())),
        };
        if message.is_problem {
            let problem = Problem::read(200, message.data.as_bytes());
            return Err(ended("the server cannot go on", position).why(problem.headline()));
        }
        position = message.position.or(position);
        if message.data.is_empty() {
            continue;
        }
        let line = if json {
            message.data
        } else {
            line(&serde_json::from_str(&message.data).unwrap_or(Value::Null))
        };
        match print(&line) {
            // As when `head` has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(Fault::new("cannot print").why(error.to_string())),
            Ok(()) => {}
        }
    }
}

fn print(line: &str) -> std::io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}

/// The end of a stream, with the way to go on behind what has been printed.
fn ended(what: &str, position: Option<u64>) -> Fault {
    let fault = Fault::new(what);
    match position {
        Some(position) => fault.help(format!("go on with `umari events tail --since {position}`")),
        None => fault,
    }
}

/// An event on one line. Nothing is aligned: nobody knows how wide the next one is.
pub(crate) fn line(event: &Value) -> String {
    let data = match &event["data"] {
        Value::Null => "-".to_owned(),
        data => shorten(&plain(data)),
    };
    format!(
        "{}  {}  {}  {}  {data}",
        event["position"],
        plain(&event["timestamp"]),
        plain(&event["event_type"]),
        tags(&event["tags"])
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_event_is_one_line() {
        let event = json!({ "position": 3, "timestamp": "2026-01-01T00:00:00Z", "event_type": "noted",
            "tags": ["a:1", "b:2"], "data": { "text": "x" } });
        assert_eq!(
            line(&event),
            "3  2026-01-01T00:00:00Z  noted  a:1 b:2  {\"text\":\"x\"}"
        );
        let shredded = json!({ "position": 4, "timestamp": "t", "event_type": "noted", "data": null, "tags": [] });
        assert_eq!(line(&shredded), "4  t  noted    -");
    }
}
