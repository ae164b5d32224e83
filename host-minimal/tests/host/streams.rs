//! Events over HTTP: one by one, as a causal chain, and as they come.

use std::io::{BufRead as _, BufReader};

use host_minimal::limits;
use host_minimal::modules::ModuleKind;
use serde_json::{Value, json};

use crate::server::TestServer;
use crate::support::{PATIENCE, wait_until};

/// A message of a stream.
#[derive(Debug, Default, PartialEq)]
struct Message {
    id: Option<u64>,
    event: String,
    data: Vec<String>,
}

impl Message {
    fn json(&self) -> Value {
        serde_json::from_str(&self.data.join("\n")).expect("JSON")
    }
}

/// An open stream.
struct Stream(BufReader<ureq::BodyReader<'static>>);

impl Stream {
    fn open(server: &TestServer, query: &str, headers: &[(&str, &str)]) -> Self {
        Self::try_open(server, query, headers).expect("a stream")
    }

    /// `None` where the server has as many streams as it may have.
    fn try_open(server: &TestServer, query: &str, headers: &[(&str, &str)]) -> Option<Self> {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        let mut request = agent.get(format!("{}/events/stream?{query}", server.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.call().expect("a reply");
        if response.status() == 503 {
            return None;
        }
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let reader = response.into_body().into_reader();
        Some(Self(BufReader::new(reader)))
    }

    /// The next message; `None` at the end.
    fn next(&mut self) -> Option<Message> {
        let mut message = Message::default();
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line).expect("text") == 0 {
                return None;
            }
            match line.trim_end().split_once(": ") {
                Some(("id", id)) => message.id = Some(id.parse().expect("a position")),
                Some(("event", event)) => message.event = event.to_owned(),
                Some(("data", data)) => message.data.push(data.to_owned()),
                Some(_) => {}
                None => return Some(message),
            }
        }
    }

    /// The position in the opening message.
    fn opening(&mut self) -> u64 {
        let message = self.next().expect("an opening");
        assert!(message.data.is_empty(), "{message:?}");
        message.id.expect("a position")
    }

    /// The next event.
    fn event(&mut self) -> Value {
        let message = self.next().expect("an event");
        let event = message.json();
        assert_eq!(event["position"], message.id.expect("a position"));
        event
    }
}

#[test]
fn events_arrive_as_they_are_written_and_a_client_goes_on_where_it_was() {
    let server = TestServer::with_commands();
    server.host.note("a", 1, "before");
    let mut new = Stream::open(&server, "", &[]);
    assert_eq!(new.opening(), 1);
    let mut all = Stream::open(&server, "after=0", &[]);
    assert_eq!(all.opening(), 0);
    assert_eq!(all.event()["data"]["text"], "before");
    server.host.note("b", 2, "after");
    for stream in [&mut new, &mut all] {
        let event = stream.event();
        assert_eq!(
            (&event["position"], &event["data"]["text"]),
            (&json!(2), &json!("after"))
        );
    }
    drop((new, all));
    server.host.note("c", 3, "meanwhile");
    // What the header says goes before the address, which a browser cannot change.
    let mut again = Stream::open(&server, "after=0", &[("last-event-id", "2")]);
    assert_eq!(again.opening(), 2);
    assert_eq!(again.event()["data"]["text"], "meanwhile");
}

#[test]
fn a_stream_has_only_what_meets_its_filter_and_knows_how_far_it_looked() {
    let server = TestServer::with_commands();
    let correlation = "00000000-0000-0000-0000-000000000008";
    server.host.note("a", 1, "other");
    let body = br#"{"counter":"b","note_id":2,"text":"wanted"}"#;
    let headers = [("x-correlation-id", correlation)];
    let reply = server.request("POST", "/commands/note/execute", &headers, body);
    assert_eq!(reply.status, 200);
    server.host.note("a", 3, "other");
    for query in [
        "type=noted&tag=counter:b&after=0",
        "tag=note_id:2&after=0",
        &format!("correlation_id={correlation}&after=0"),
    ] {
        let mut stream = Stream::open(&server, query, &[]);
        assert_eq!(stream.opening(), 0, "{query}");
        assert_eq!(stream.event()["data"]["text"], "wanted", "{query}");
    }
    // More events than a stream reads at once.
    let many = limits::STREAM_PAGE_EVENTS as u64 * 2 + 1;
    let note = json!({ "counter": "many", "note_id": 100, "times": many });
    server.host.execute("note", note).expect("success");
    let mut stream = Stream::open(&server, "tag=counter:many&after=0", &[]);
    stream.opening();
    for number in 0..many {
        assert_eq!(stream.event()["data"]["note_id"], 100 + number);
    }
}

#[test]
fn a_stream_that_makes_no_sense_is_refused() {
    let server = TestServer::with_commands();
    server.host.note("a", 1, "one");
    for query in [
        "limit=3",
        "after=-1",
        "after=x",
        "typ=a",
        "tag=umari.id:1",
        "tag=x",
        "type=",
        "correlation_id=7",
    ] {
        let reply = server.get(&format!("/events/stream?{query}"));
        assert_eq!(reply.problem(400), "invalid-query", "{query}");
    }
    for id in ["", "x", "-1", "1.5"] {
        let headers = [("last-event-id", id)];
        let reply = server.request("GET", "/events/stream", &headers, b"");
        assert_eq!(reply.problem(400), "invalid-header", "{id:?}");
    }
    let beyond = server.get("/events/stream?after=2");
    assert_eq!(beyond.problem(400), "beyond-head");
    assert_eq!(beyond.body["head"], 1);
    let reply = server.request("POST", "/events/stream", &[], b"");
    assert_eq!(reply.problem(405), "method-not-allowed");
}

#[test]
fn streams_are_counted_and_given_back_by_clients_that_leave() {
    let server = TestServer::with_commands();
    let mut open: Vec<Stream> = (0..limits::EVENT_STREAMS)
        .map(|_| Stream::open(&server, "", &[]))
        .collect();
    let one_more = server.get("/events/stream");
    assert_eq!(one_more.problem(503), "too-many-streams");
    drop(open.pop());
    open.push(wait_until(|| Stream::try_open(&server, "", &[])));
    // None of them has kept a writer or the others waiting.
    server.host.note("a", 1, "for all");
    for stream in &mut open {
        stream.opening();
        assert_eq!(stream.event()["data"]["text"], "for all");
    }
}

#[test]
fn a_client_that_does_not_read_holds_nobody_up() {
    let server = TestServer::with_commands();
    let mut asleep = Stream::open(&server, "", &[]);
    // Far more than sockets and buffers hold.
    let text = "x".repeat(100_000);
    for number in 0..200 {
        server.host.note("a", number, &text);
    }
    let mut awake = Stream::open(&server, "after=199", &[]);
    awake.opening();
    assert_eq!(awake.event()["position"], 200);
    asleep.opening();
    for position in 1..=200 {
        assert_eq!(asleep.event()["position"], position);
    }
}

#[test]
fn a_stream_ends_with_its_server() {
    let mut server = TestServer::with_commands();
    let mut stream = Stream::open(&server, "", &[]);
    stream.opening();
    server.host.note("a", 1, "last");
    assert_eq!(stream.event()["data"]["text"], "last");
    let host = server.stop();
    assert_eq!(stream.next(), None, "a whole body, and its end");
    assert!(host.host.shutdown(PATIENCE));
}

#[test]
fn an_event_is_found_by_its_id_and_by_its_position() {
    let server = TestServer::with_commands();
    server.host.note("a", 1, "one");
    server.host.note("a", 2, "two");
    let second = server.get("/events/2");
    assert_eq!(
        (second.status, &second.body["data"]["text"]),
        (200, &json!("two"))
    );
    let id = second.body["id"].as_str().expect("an id");
    assert_eq!(server.get(&format!("/events/{id}")).body, second.body);
    for position in ["0", "3", &u64::MAX.to_string()] {
        let reply = server.get(&format!("/events/{position}"));
        assert_eq!(reply.problem(404), "unknown-event", "{position}");
    }
    for id in ["x", "-1", "1.5", "18446744073709551616", "%20"] {
        let reply = server.get(&format!("/events/{id}"));
        assert_eq!(reply.problem(400), "invalid-id", "{id}");
    }
}

#[test]
fn a_correlation_id_leads_to_all_that_followed() {
    let server = TestServer::with_commands();
    let target = [("TARGET", "http://127.0.0.1:9")];
    server.host.deploy(ModuleKind::Effect, "relay", &target);
    let correlation = "00000000-0000-0000-0000-000000000008";
    let body = br#"{"counter":"a","note_id":1,"times":2,"text":"quiet"}"#;
    let headers = [("x-correlation-id", correlation)];
    let reply = server.request("POST", "/commands/note/execute", &headers, body);
    assert_eq!(reply.status, 200, "{reply:?}");
    server.host.note("other", 9, "quiet");
    wait_until(|| (server.host.events("note.relayed").len() == 3).then_some(()));
    let graph = server.get(&format!("/correlations/{correlation}")).body;
    assert_eq!(
        (&graph["correlation_id"], &graph["truncated"]),
        (&json!(correlation), &json!(false))
    );
    let executions = graph["executions"].as_array().expect("executions");
    assert_eq!(executions.len(), 3, "{graph:#}");
    let root = &executions[0];
    assert_eq!(root["triggering_event_id"], Value::Null);
    assert_eq!(
        root["author"],
        json!({ "module": "note", "version": "1.0.0", "command": "note" })
    );
    let noted = root["events"].as_array().expect("events");
    assert_eq!(noted.len(), 2);
    let mut triggers: Vec<&Value> = noted.iter().map(|event| &event["id"]).collect();
    for execution in &executions[1..] {
        assert_eq!(execution["author"]["module"], "relay");
        let event = &execution["events"][0];
        assert_eq!(event["event_type"], "note.relayed");
        assert_eq!(event["causation_id"], execution["causation_id"]);
        triggers.retain(|id| **id != execution["triggering_event_id"]);
    }
    assert!(triggers.is_empty(), "each led to one execution: {graph:#}");

    assert_eq!(server.get("/correlations/7").problem(400), "invalid-id");
    let unknown = server.get("/correlations/00000000-0000-0000-0000-000000000001");
    assert_eq!(unknown.problem(404), "unknown-correlation");
}

#[test]
fn a_long_chain_is_cut_and_says_so() {
    let server = TestServer::with_commands();
    let correlation = "00000000-0000-0000-0000-000000000008";
    let headers = [("x-correlation-id", correlation)];
    let note = |times: usize| {
        let body = json!({ "counter": "a", "note_id": 1, "times": times }).to_string();
        let path = "/commands/note/execute";
        let reply = server.request("POST", path, &headers, body.as_bytes());
        assert_eq!(reply.status, 200, "{reply:?}");
        server.get(&format!("/correlations/{correlation}")).body
    };
    let count = |graph: &Value| {
        let executions = graph["executions"].as_array().expect("executions");
        let events = |execution: &Value| execution["events"].as_array().map_or(0, Vec::len);
        executions.iter().map(events).sum::<usize>()
    };
    let at_limit = note(limits::CORRELATION_EVENTS);
    assert_eq!(count(&at_limit), limits::CORRELATION_EVENTS);
    assert_eq!(at_limit["truncated"], false);
    let one_past = note(1);
    assert_eq!(count(&one_past), limits::CORRELATION_EVENTS);
    assert_eq!(one_past["truncated"], true);
}
