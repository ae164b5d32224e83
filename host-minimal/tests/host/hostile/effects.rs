//! Hostile effects: what requests can reach, and how much of an answer anybody waits for.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;

const SETTINGS: &str = r#"{"limits":{"deadline_ms":1500,"memory_mb":64}}"#;

/// A server whose answers are as bad as its clients.
fn evil_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                // Its clients end when they like.
                let _ = answer(stream);
            });
        }
    });
    address
}

fn answer(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head)? == 0 {
                return Ok(());
            }
        }
        let path = head.split(' ').nth(1).unwrap_or_default();
        match path {
            "/redirect" => stream.write_all(
                b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
            )?,
            "/endless" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")?;
                let chunk = [b"10000\r\n".to_vec(), vec![b'x'; 0x10000], b"\r\n".to_vec()].concat();
                loop {
                    stream.write_all(&chunk)?;
                }
            }
            "/drip" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nx")?;
                // Until the client has had enough.
                return reader.read_to_end(&mut Vec::new()).map(drop);
            }
            "/silence" => return reader.read_to_end(&mut Vec::new()).map(drop),
            "/headers" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
                let line = format!("x-much: {}\r\n", "x".repeat(4_000));
                loop {
                    stream.write_all(line.as_bytes())?;
                }
            }
            "/nonsense" => {
                stream.write_all(b"HELLO\r\n\r\n")?;
                return Ok(());
            }
            "/gzip" => {
                stream.write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 20\r\n\r\n",
                )?;
                stream.write_all(&[0x1f; 20])?;
            }
            "/echo" => {
                let seen = head.replace("\r\n", "|");
                let length = seen.len();
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{seen}"
                )?;
            }
            "/big" => {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n")?;
                stream.write_all(&[b'x'; 1_000_000])?;
            }
            _ => stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")?,
        }
    }
}

#[test]
fn requests_reach_public_places_only_and_end_in_time() {
    let address = evil_server();
    let host = neighbourhood(
        HttpPolicy::default()
            .allow(&address)
            .expect("a destination"),
    );
    let port = address.rsplit(':').next().expect("a port");
    let url = |path: &str| format!("http:GET http://{address}{path}");
    let prohibited: &[&str] = &["DestinationIpProhibited"];
    let forbidden: &[&str] = &["refused field: HeaderError::Forbidden"];
    let head = |field: &str| format!("head:{field} http://{address}/echo");
    let late: &[&str] = &["deadline", "HttpResponseTimeout"];
    let attacks: Vec<(String, &[&str])> = vec![
        ("handle:panic".to_owned(), &["as announced"]),
        ("key:panic".to_owned(), &["as announced"]),
        ("key:spin".to_owned(), &["deadline"]),
        ("handle:spin".to_owned(), &["deadline"]),
        ("handle:unread-body".to_owned(), &["deadline"]),
        (format!("http:GET http://localhost:{port}/"), prohibited),
        ("http:GET http://10.0.0.1/".to_owned(), prohibited),
        (
            "http:GET http://169.254.169.254/latest/meta-data/".to_owned(),
            prohibited,
        ),
        ("http:GET http://100.64.0.1/".to_owned(), prohibited),
        ("http:GET http://0.0.0.0/".to_owned(), prohibited),
        ("http:GET http://2130706433/".to_owned(), prohibited),
        ("http:GET http://0x7f000001/".to_owned(), prohibited),
        ("http:GET http://127.1/".to_owned(), prohibited),
        ("http:GET http://[::1]/".to_owned(), prohibited),
        ("http:GET http://[::ffff:127.0.0.1]/".to_owned(), prohibited),
        ("http:GET http://[fd00::1]/".to_owned(), prohibited),
        ("http:GET ftp://example.com/".to_owned(), &["error"]),
        (
            format!("http:CONNECT http://{address}/"),
            &["HttpRequestDenied"],
        ),
        (format!("http:BREW http://{address}/"), &["status 200"]),
        // A user would reach the other side within `host`, and look like one.
        (
            format!("head:= http://10.0.0.1@{address}/echo"),
            &["HttpRequestDenied"],
        ),
        (
            format!("http:GET http://{address}@10.0.0.1/"),
            &["HttpRequestDenied"],
        ),
        (head("host=evil.example"), forbidden),
        (head("connection=close"), forbidden),
        (head("transfer-encoding=chunked"), forbidden),
        (head("upgrade=h2c"), forbidden),
        (head("keep-alive=timeout=1"), forbidden),
        (
            head("x=a%host: evil.example"),
            &["refused field: HeaderError::InvalidSyntax"],
        ),
        (
            head("x%y=a"),
            &["refused field: HeaderError::InvalidSyntax"],
        ),
        (head("content-length=5"), &["error"]),
        (
            format!("head:= http://{address}/a%host: b"),
            &["refused path"],
        ),
        (
            format!("head:= http://a%host: b/{address}"),
            &["refused authority"],
        ),
        // What is packed stays so: nothing grows that is counted packed.
        (url("/gzip"), &["status 200, 20 bytes"]),
        (url("/redirect"), &["status 302"]),
        (url("/endless"), &["BodySize"]),
        (url("/drip"), late),
        (url("/silence"), late),
        (url("/headers"), &["error"]),
        (url("/nonsense"), &["error"]),
        (format!("many:http://{address}/ok"), late),
        (
            format!("keep:http://{address}/big"),
            &["8 responses, then error ErrorCode::ConnectionLimitReached"],
        ),
    ];
    let attacks = attacks
        .into_iter()
        .map(|(what, expected)| Attack { what, expected });
    let rows = try_each(&host, ModuleKind::Effect, SETTINGS, attacks.collect());
    conclude(&host, "effects, with HTTP", &rows);
}

#[test]
fn an_effects_transaction_that_is_left_is_a_failure_and_leaves_nothing() {
    let host = neighbourhood(HttpPolicy::default());
    let attack = "handle:leave-the-transaction";
    set_loose(&host, ModuleKind::Effect, "leaver", attack, SETTINGS).expect("it is stored");
    let (status, failure) = host.wait_for_failure("leaver", 2);
    assert!(
        failure
            .message
            .contains("SQLite undid the whole transaction"),
        "{}",
        failure.message
    );
    assert_eq!(status.subscription.expect("an effect").position, 0);
    let path = host.directory().join("data/effect/leaver.sqlite");
    let connection = rusqlite::Connection::open(path).expect("a database");
    let tables: u64 = connection
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name IN ('one', 'loot')",
            (),
            |row| row.get(0),
        )
        .expect("a count");
    assert_eq!(tables, 0);
}

#[test]
fn a_key_may_be_as_long_as_it_likes() {
    let host = neighbourhood(HttpPolicy::default());
    set_loose(
        &host,
        ModuleKind::Effect,
        "longwinded",
        "key:huge",
        SETTINGS,
    )
    .expect("it is stored");
    host.wait_caught_up("longwinded");
}
