//! Traces at a collector: one for each user action, from the call of a command to what effects do.

use host_minimal::api::Access;
use host_minimal::modules::ModuleKind;
use host_minimal::trace::Exporter;
use serde_json::Value;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::collector::Collector;
use crate::server::TestServer;
use crate::support::TestHost;

/// A span's attribute, whichever type it has.
fn attribute(span: &Value, name: &str) -> Option<String> {
    let attributes = span["attributes"].as_array()?;
    let found = attributes.iter().find(|each| each["key"] == name)?;
    let value = found["value"].as_object()?.values().next()?;
    Some(
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    )
}

fn find<'a>(spans: &'a [Value], name: &str, with: &[(&str, &str)]) -> Option<&'a Value> {
    let fits = |span: &&Value| {
        let given = |(key, value): &(&str, &str)| attribute(span, key).as_deref() == Some(value);
        span["name"] == name && with.iter().all(given)
    };
    spans.iter().find(fits)
}

/// Runs a test in a process of its own: where spans go is the process's, and other tests have spans
/// as well.
fn is_alone(test: &str) -> bool {
    const ALONE: &str = "UMARI_TRACES_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let program = std::env::current_exe().expect("this program");
    let ended = std::process::Command::new(program)
        .args(["--exact", test, "--nocapture"])
        .env(ALONE, "1")
        .output()
        .expect("this program runs");
    let said = String::from_utf8_lossy(&ended.stdout);
    assert!(
        ended.status.success() && said.contains("1 passed"),
        "{said}\n{}",
        String::from_utf8_lossy(&ended.stderr)
    );
    false
}

#[test]
fn one_trace_runs_from_the_call_through_command_projector_and_effect() {
    if !is_alone("otlp::one_trace_runs_from_the_call_through_command_projector_and_effect") {
        return;
    }
    let collector = Collector::start();
    let exporter = Exporter::new(&collector.url).expect("an exporter");
    tracing_subscriber::registry()
        .with(exporter.layer().with_filter(LevelFilter::INFO))
        .init();
    let host = TestHost::with_commands();
    host.deploy(ModuleKind::Projector, "notes", &[]);
    let target = ("TARGET", collector.url.as_str());
    host.deploy(ModuleKind::Effect, "relay", &[target]);
    let server = TestServer::start(host, Access::open());
    let trace_id = "4bf92f3577b34da6a3ce929d0e0e4736";
    let parent = "00f067aa0ba902b7";
    let headers = [("traceparent", format!("00-{trace_id}-{parent}-01"))];
    let headers = headers
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let note = br#"{"counter":"c","note_id":1,"text":"call"}"#;
    let reply = server.request("POST", "/commands/note/execute", &headers, note);
    assert_eq!(reply.status, 200, "{reply:?}");
    let correlation = reply.headers["x-correlation-id"].to_str().expect("text");
    assert_eq!(correlation.replace('-', ""), trace_id);
    server.host.wait_caught_up("notes");
    server.host.wait_caught_up("relay");

    let (spans, batch) = collector.wait_for_spans(&exporter, |all_spans| {
        let of_trace = |span: &Value| span["traceId"] == trace_id;
        let spans: Vec<Value> = all_spans
            .iter()
            .filter(|span| of_trace(span))
            .cloned()
            .collect();
        let handled = |kind| find(&spans, "handle", &[("kind", kind), ("event_type", "noted")]);
        let done = handled("projector").is_some()
            && handled("effect").is_some()
            && find(&spans, "http", &[]).is_some()
            && find(&spans, "request", &[]).is_some();
        // A batch has events of several actions, and so a trace of its own.
        let batch = find(
            all_spans,
            "batch",
            &[("projector", "notes"), ("position", "1")],
        );
        let batch = batch.filter(|_| done)?.clone();
        Some((spans, batch))
    });
    let all = |name: &str, with: &[(&str, &str)]| {
        find(&spans, name, with).unwrap_or_else(|| panic!("no {name} {with:?} in {spans:#?}"))
    };
    let request = all("request", &[("status", "200")]);
    assert_eq!(request["parentSpanId"], parent);
    assert_eq!(
        attribute(request, "route").as_deref(),
        Some("/commands/{name}/execute")
    );
    let attempt = all("attempt", &[("command", "note"), ("attempt", "1")]);
    assert_eq!(attempt["parentSpanId"], request["spanId"]);
    let append = all("append", &[("events", "1"), ("position", "1")]);
    assert_eq!(append["parentSpanId"], attempt["spanId"]);
    let causation = attribute(attempt, "causation_id").expect("a causation id");
    for (kind, module) in [("projector", "notes"), ("effect", "relay")] {
        let handle = all("handle", &[("kind", kind), ("position", "1")]);
        assert_eq!(attribute(handle, "module").as_deref(), Some(module));
        assert_eq!(attribute(handle, "causation_id"), Some(causation.clone()));
        // Whichever came first, it is below the root of the trace.
        assert_eq!(handle["parentSpanId"], &trace_id[16..]);
    }
    assert_eq!(attribute(&batch, "events").as_deref(), Some("1"));
    let handle = all("handle", &[("kind", "projector"), ("position", "1")]);
    assert_eq!(handle["links"][0]["spanId"], batch["spanId"]);
    assert_ne!(handle["traceId"], batch["traceId"]);
    let handle = all("handle", &[("kind", "effect"), ("position", "1")]);
    let http = all("http", &[("status", "200")]);
    assert_eq!(http["parentSpanId"], handle["spanId"]);
}
