//! A collector of traces on loopback, which also answers what an effect sends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use host_minimal::trace::Exporter;
use serde_json::Value;

use crate::support::wait_until;

/// Every span that was sent here.
type Spans = Arc<Mutex<Vec<Value>>>;

pub(crate) struct Collector {
    pub(crate) url: String,
    spans: Spans,
}

impl Collector {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let spans = Spans::default();
        let collected = Arc::clone(&spans);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let collected = Arc::clone(&collected);
                std::thread::spawn(move || answer(stream.expect("a connection"), &collected));
            }
        });
        Self { url, spans }
    }

    /// Waits until what has come is enough.
    pub(crate) fn wait_for_spans<T>(
        &self,
        exporter: &Exporter,
        enough: impl Fn(&[Value]) -> Option<T>,
    ) -> T {
        wait_until(|| {
            exporter.flush();
            enough(&self.spans.lock().expect("spans"))
        })
    }
}

/// Takes one request.
fn answer(stream: TcpStream, spans: &Spans) {
    let mut stream = BufReader::new(stream);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).expect("a line");
        if line.trim().is_empty() {
            break;
        }
        lines.push(line.to_ascii_lowercase());
    }
    let length = lines
        .iter()
        .find_map(|line| line.strip_prefix("content-length:"))
        .map_or(0, |length| length.trim().parse().expect("a length"));
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("a body");
    if lines
        .first()
        .is_some_and(|line| line.starts_with("post /v1/traces "))
    {
        collect(&body, spans);
    }
    let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\
        connection: close\r\n\r\n{}";
    stream.get_mut().write_all(answer).expect("an answer");
}

/// Reads an `ExportTraceServiceRequest`.
fn collect(body: &[u8], spans: &Spans) {
    let request: Value = serde_json::from_slice(body).expect("JSON");
    let list = |value: &Value, name: &str| value[name].as_array().expect("a list").clone();
    for resource in list(&request, "resourceSpans") {
        let attributes = &resource["resource"]["attributes"];
        assert!(attributes.to_string().contains("\"umari\""), "{attributes}");
        for scope in list(&resource, "scopeSpans") {
            spans.lock().expect("spans").extend(list(&scope, "spans"));
        }
    }
}
