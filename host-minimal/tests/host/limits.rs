//! What a client may take its time for, and how much it may send: at the limit and one past it, on
//! raw sockets.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use host_minimal::api::{Access, ServerSettings};
use host_minimal::limits;
use serde_json::Value;

use crate::server::TestServer;
use crate::support::{PATIENCE, TestHost, wait_until};

const SHORT: std::time::Duration = std::time::Duration::from_millis(100);

fn start(host: TestHost, change: impl FnOnce(&mut ServerSettings)) -> TestServer {
    let mut settings = ServerSettings::default();
    change(&mut settings);
    TestServer::start_with(host, Access::open(), settings)
}

fn connect(server: &TestServer) -> TcpStream {
    let address = server.url.strip_prefix("http://").expect("an address");
    let stream = TcpStream::connect(address).expect("a connection");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("a read timeout");
    stream
}

fn send(server: &TestServer, bytes: &[u8]) -> TcpStream {
    let mut stream = connect(server);
    stream.write_all(bytes).expect("sent");
    stream
}

/// What comes until the server closes the connection.
fn everything(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("an end");
    String::from_utf8(answer).expect("text")
}

/// The answer up to the end of its head; the connection stays open.
fn head(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("more of an answer");
        answer.push(byte[0]);
    }
    String::from_utf8(answer).expect("text")
}

/// The code of the problem document that is the answer.
fn problem(answer: &str, status: u16) -> String {
    let expected = format!("HTTP/1.1 {status} ");
    assert!(answer.starts_with(&expected), "{answer}");
    let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
    let body: Value = serde_json::from_str(body).expect("a problem document");
    assert_eq!(body["status"], status);
    body["code"].as_str().expect("a code").to_owned()
}

#[test]
fn a_head_has_so_many_bytes_and_fields() {
    let server = start(TestHost::start(), |_| {});
    let with_bytes = |bytes: usize| {
        let fixed = [
            "/health",
            "host",
            "127.0.0.1",
            "connection",
            "close",
            "x-fill",
        ];
        let fixed: usize = fixed.iter().map(|text| text.len()).sum();
        let request = format!(
            "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\nx-fill: {}\r\n\r\n",
            "x".repeat(bytes - fixed)
        );
        everything(send(&server, request.as_bytes()))
    };
    let answer = with_bytes(limits::REQUEST_HEAD_BYTES);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = with_bytes(limits::REQUEST_HEAD_BYTES + 1);
    assert_eq!(problem(&answer, 431), "head-too-large");

    let with_fields = |fields: usize| {
        let more = "x: y\r\n".repeat(fields - 2);
        let request =
            format!("GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n{more}\r\n");
        everything(send(&server, request.as_bytes()))
    };
    let answer = with_fields(limits::REQUEST_HEADERS);
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let answer = with_fields(limits::REQUEST_HEADERS + 1);
    assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
}

#[test]
fn a_head_that_does_not_come_and_an_idle_connection_end() {
    let server = start(TestHost::start(), |settings| settings.head_deadline = SHORT);
    for begun in [
        "",
        "GET /hea",
        "GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n",
    ] {
        let answer = everything(send(&server, begun.as_bytes()));
        assert!(!answer.contains("healthy"), "{begun:?}: {answer}");
    }
    let request = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let answer = everything(send(&server, request));
    assert_eq!(answer.matches("healthy").count(), 1, "{answer}");
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let server = start(TestHost::start(), |settings| settings.body_patience = SHORT);
    let begun =
        b"POST /commands/none/execute HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 9\r\n\r\n{";
    let answer = everything(send(&server, begun));
    assert_eq!(problem(&answer, 408), "slow-body");
}

#[test]
fn a_body_that_comes_byte_by_byte_has_an_end() {
    let server = start(TestHost::start(), |settings| {
        settings.body_deadline = 3 * SHORT;
    });
    let begun = b"POST /commands/none/versions/1.0.0 HTTP/1.1\r\nhost: 127.0.0.1\r\n\
        transfer-encoding: chunked\r\n\r\n";
    let stream = send(&server, begun);
    let mut writing = stream.try_clone().expect("a second handle");
    // At this pace the body would be too large after some minutes.
    let writer = std::thread::spawn(move || while writing.write_all(b"1\r\nx\r\n").is_ok() {});
    let mut reading = stream;
    let answer = head(&mut reading);
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    drop(reading);
    drop(server);
    writer.join().expect("the connection has ended");
}

#[test]
fn a_request_has_a_deadline() {
    let server = start(TestHost::with_commands(), |settings| {
        settings.request_deadline = SHORT;
    });
    // It sleeps until the deadline of commands, which is far beyond.
    let reply = server.execute("doze", r#"{"counter":"c"}"#);
    assert_eq!(reply.problem(504), "request-deadline");
}

#[test]
fn only_so_many_connections_are_open() {
    const CONNECTIONS: usize = 2;
    let request = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let server = start(TestHost::start(), |settings| {
        settings.connections = CONNECTIONS;
    });
    let mut open = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = send(&server, request);
        assert!(head(&mut stream).starts_with("HTTP/1.1 200 "));
        open.push(stream);
    }
    let answer = everything(send(&server, request));
    assert_eq!(problem(&answer, 503), "too-many-connections");
    assert!(answer.contains("retry-after: 1\r\n"), "{answer}");
    drop(open.pop());
    wait_until(|| {
        let mut stream = send(&server, request);
        head(&mut stream).starts_with("HTTP/1.1 200 ").then_some(())
    });
}

#[test]
fn a_client_that_takes_no_answer_loses_its_connection() {
    const EVENTS: usize = 1_000;
    let host = TestHost::with_commands();
    let text = "x".repeat(8_000);
    let notes = serde_json::json!({ "counter": "c", "note_id": 1, "times": EVENTS, "text": text });
    host.execute("note", notes).expect("many notes");
    let server = start(host, |settings| {
        settings.answer_patience = SHORT;
        settings.connections = 1;
    });
    // More than the buffers on the way hold.
    let request = b"GET /events?limit=1000 HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    let mut hog = send(&server, request);
    assert!(head(&mut hog).starts_with("HTTP/1.1 200 "));
    let request = b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";
    wait_until(|| {
        let mut stream = send(&server, request);
        head(&mut stream).starts_with("HTTP/1.1 200 ").then_some(())
    });
    let mut rest = Vec::new();
    // An end, or a reset: in both cases the answer is not complete.
    let _ = hog.read_to_end(&mut rest);
    assert!(rest.len() < EVENTS * text.len(), "{}", rest.len());
}

#[test]
fn web_pages_of_others_are_not_answered_without_a_key() {
    let server = start(TestHost::start(), |_| {});
    let page = [("origin", "http://evil.example")];
    let reply = server.request("GET", "/modules", &page, b"");
    assert_eq!(reply.problem(403), "foreign-host");
    let rebound = b"GET /modules HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n";
    let answer = everything(send(&server, rebound));
    assert_eq!(problem(&answer, 403), "foreign-host");
    let own = [("origin", "http://localhost:8080")];
    assert_eq!(server.request("GET", "/modules", &own, b"").status, 200);
}
