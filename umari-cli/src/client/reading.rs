//! Events, causal chains and read models.

use std::io::{BufRead, BufReader, Read};
use std::time::Duration;

use serde_json::Value;
use ureq::http;

use super::problem::ApiError;
use super::{Client, joined, segment};

/// The longest line of a stream: an event's payload may have 1 MiB before it is escaped.
const LINE_BYTES: u64 = 16 << 20;

/// What to read from the event log.
#[derive(Debug, Default)]
pub(crate) struct EventFilter<'a> {
    pub(crate) types: &'a [String],
    pub(crate) tags: &'a [String],
    pub(crate) correlation_id: Option<String>,
    pub(crate) after: Option<u64>,
    pub(crate) limit: Option<u32>,
}

/// Which projectors a command waits for.
#[derive(Debug, Default)]
pub(crate) struct WaitFor<'a> {
    pub(crate) projectors: &'a [String],
    pub(crate) timeout: Option<Duration>,
}

/// A message of the event stream.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Message {
    /// Everything up to here has been sent.
    pub(crate) position: Option<u64>,
    /// Whether it is a problem that ends the stream, and not an event.
    pub(crate) is_problem: bool,
    /// The event or the problem; empty in a heartbeat.
    pub(crate) data: String,
}

/// The event stream of a server.
pub(crate) struct Messages<R> {
    lines: R,
}

impl EventFilter<'_> {
    /// The filter as a query, with its question mark where there is one.
    fn query(&self) -> String {
        let mut query = Vec::new();
        let types = self.types.iter();
        query.extend(types.map(|value| format!("type={}", segment(value))));
        let tags = self.tags.iter();
        query.extend(tags.map(|value| format!("tag={}", segment(value))));
        let id = self.correlation_id.iter();
        query.extend(id.map(|value| format!("correlation_id={}", segment(value))));
        query.extend(self.after.map(|value| format!("after={value}")));
        query.extend(self.limit.map(|value| format!("limit={value}")));
        joined(&query)
    }
}

impl WaitFor<'_> {
    pub(super) fn query(&self) -> String {
        let mut query = Vec::new();
        let projectors = self.projectors.iter();
        query.extend(projectors.map(|name| format!("wait_for={}", segment(name))));
        let timeout = self.timeout;
        query.extend(timeout.map(|time| format!("timeout={}ms", time.as_millis())));
        joined(&query)
    }
}

impl Client {
    /// A part of the event log, as the server shows it.
    pub(crate) fn events(&self, filter: &EventFilter<'_>) -> Result<Value, ApiError> {
        self.document("GET", &format!("/events{}", filter.query()), b"", "events")
    }

    /// One event, by its id or its position.
    pub(crate) fn event(&self, event: &str) -> Result<Value, ApiError> {
        self.document(
            "GET",
            &format!("/events/{}", segment(event)),
            b"",
            "position",
        )
    }

    /// What one action led to.
    pub(crate) fn correlation(&self, id: &str) -> Result<Value, ApiError> {
        self.document(
            "GET",
            &format!("/correlations/{}", segment(id)),
            b"",
            "executions",
        )
    }

    /// What a read model answers.
    pub(crate) fn query(&self, projector: &str, question: &Value) -> Result<Value, ApiError> {
        let path = format!("/projectors/{}/query", segment(projector));
        self.document("POST", &path, question.to_string().as_bytes(), "rows")
    }

    /// The event log as it grows. There is no limit of time: the server says something every few
    /// seconds, events or not.
    pub(crate) fn stream(
        &self,
        filter: &EventFilter<'_>,
    ) -> Result<Messages<impl BufRead + use<>>, ApiError> {
        let path = format!("/events/stream{}", filter.query());
        let answer = self.open(&path, "text/event-stream")?;
        let lines = BufReader::new(answer.into_body().into_reader());
        Ok(Messages { lines })
    }

    /// A backup as the server writes it, which may take any time.
    pub(crate) fn backup(
        &self,
        after: u64,
        after_id: Option<uuid::Uuid>,
        keys: &str,
    ) -> Result<impl Read + use<>, ApiError> {
        let mut query = vec![format!("after={after}"), format!("keys={keys}")];
        query.extend(after_id.map(|id| format!("after_id={id}")));
        let path = format!("/backup{}", joined(&query));
        let answer = self.open(&path, "application/jsonl")?;
        Ok(answer.into_body().into_reader())
    }

    /// An answer whose body is read as it comes, without a limit of time.
    pub(super) fn open(
        &self,
        path: &str,
        accept: &str,
    ) -> Result<http::Response<ureq::Body>, ApiError> {
        let mut request = http::Request::builder()
            .uri(format!("{}{path}", self.base))
            .header("accept", accept);
        if let Some(key) = &self.api_key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let request = request
            .body(())
            .map_err(|error| self.unreachable(error.into()))?;
        let request = self.agent.configure_request(request);
        let request = request.timeout_global(None).build();
        let unreachable = |error| self.unreachable(error);
        let mut answer = self.agent.run(request).map_err(unreachable)?;
        let status = answer.status().as_u16();
        if status != 200 {
            let body = answer.body_mut().read_to_vec().map_err(unreachable)?;
            return Err(self.refusal(status, &body));
        }
        Ok(answer)
    }
}

impl<R: BufRead> Messages<R> {
    /// The next message; `None` at the end. One that is cut short by the end is no message.
    pub(crate) fn next(&mut self) -> std::io::Result<Option<Message>> {
        let mut message = Message::default();
        let mut begun = false;
        loop {
            let mut line = String::new();
            let mut lines = Read::take(&mut self.lines, LINE_BYTES);
            lines.read_line(&mut line)?;
            if !line.ends_with('\n') {
                return Ok(None);
            }
            let line = line.trim_end_matches(['\r', '\n']);
            if line.is_empty() {
                if begun {
                    return Ok(Some(message));
                }
                continue;
            }
            let (name, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match name {
                "id" => message.position = value.parse().ok(),
                "event" => message.is_problem = value == "problem",
                "data" => {
                    // A line break stands between tokens of JSON, where a space does as well.
                    if !message.data.is_empty() {
                        message.data.push(' ');
                    }
                    message.data.push_str(value);
                }
                _ => continue,
            }
            begun = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<Message> {
        let mut messages = Messages {
            lines: text.as_bytes(),
        };
        std::iter::from_fn(|| messages.next().expect("text")).collect()
    }

    #[test]
    fn messages_have_a_position_and_data() {
        let text = "retry: 1000\nid: 3\n\n: heartbeat\nid: 4\n\nid: 5\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\n\
                    event: problem\ndata:{}\n\n: nothing\n\nid: 9\ndata: cut";
        let message = |position, is_problem, data: &str| Message {
            position,
            is_problem,
            data: data.to_owned(),
        };
        assert_eq!(
            messages(text),
            [
                message(Some(3), false, ""),
                message(Some(4), false, ""),
                message(Some(5), false, "{\"a\": 1}"),
                message(None, true, "{}"),
            ]
        );
    }

    #[test]
    fn projectors_to_wait_for_become_a_query() {
        assert_eq!(WaitFor::default().query(), "");
        let projectors = ["plans".to_owned(), "a/b".to_owned()];
        let wait = WaitFor {
            projectors: &projectors,
            timeout: Some(Duration::from_millis(1_500)),
        };
        assert_eq!(
            wait.query(),
            "?wait_for=plans&wait_for=a%2Fb&timeout=1500ms"
        );
    }
}
