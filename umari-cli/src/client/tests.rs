//! The client against a server that answers one prepared text and shows what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use expect_test::expect;

use super::*;
use crate::output::fault::Fault;

/// A request: its first line, its headers, its body.
type Request = (String, Vec<String>, Vec<u8>);

/// A server for one request. Joining it gives the request.
fn answering(status: &str, body: &str) -> (Client, JoinHandle<Request>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a client");
        let mut reader = BufReader::new(stream);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a header");
            if line.trim().is_empty() {
                break;
            }
            lines.push(line.trim().to_owned());
        }
        let length = lines.iter().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().expect("a length"))
        });
        let mut body = vec![0; length.unwrap_or(0)];
        reader.read_exact(&mut body).expect("a body");
        reader
            .get_mut()
            .write_all(answer.as_bytes())
            .expect("answered");
        let request = lines.remove(0);
        (request, lines, body)
    });
    (
        Client::new(&url, Some("secret".into())).expect("a url"),
        server,
    )
}

fn plain(error: ApiError, url: &str) -> String {
    anstream::adapter::strip_str(&Fault::from(error).render())
        .to_string()
        .replace(url, "URL")
}

#[test]
fn an_upload_sends_the_bytes_the_key_and_each_variable() {
    let (client, server) = answering(
        "201 Created",
        r#"{"kind":"command","name":"a","sha256":"ab","size":3}"#,
    );
    let env = BTreeMap::from([
        ("A".to_owned(), "x y=1".to_owned()),
        ("B".to_owned(), "ü".to_owned()),
    ]);
    let upload = Upload {
        kind: ModuleKind::Command,
        name: "a",
        version: "1.0.0+dev.12",
        wasm: b"\0asm",
        env: &env,
        settings: &ModuleSettings::from_json(r#"{"start":"latest"}"#).expect("settings"),
    };
    let stored = client.upload(&upload).expect("stored");
    assert_eq!(stored.sha256, "ab");
    let (request, headers, body) = server.join().expect("a request");
    assert_eq!(request, "POST /commands/a/versions/1.0.0%2Bdev.12 HTTP/1.1");
    assert_eq!(body, b"\0asm");
    for header in [
        "x-umari-env: A=x%20y%3D1",
        "x-umari-env: B=%C3%BC",
        "x-umari-settings: %7B%22start%22%3A%22latest%22%7D",
        "authorization: Bearer secret",
        "content-type: application/wasm",
    ] {
        assert!(
            headers.iter().any(|line| line == header),
            "{header} in {headers:?}"
        );
    }
}

#[test]
fn a_receipt_is_read_and_kept_whole() {
    let body = r#"{"position":7,"events":[{"id":"e","event_type":"shop.connected","domain_ids":{"shop_id":"1"}}],"attempts":2,"new":1}"#;
    let (client, server) = answering("200 OK", body);
    let receipt = client
        .execute(
            "a/b",
            "{}",
            &[("Idempotency-Key", "k".into())],
            &WaitFor::default(),
        )
        .expect("a receipt");
    assert_eq!(
        (receipt.position, receipt.events.len(), receipt.attempts),
        (Some(7), 1, Some(2))
    );
    assert_eq!(receipt.raw["new"], 1);
    let (request, headers, body) = server.join().expect("a request");
    assert_eq!(request, "POST /commands/a%2Fb/execute HTTP/1.1");
    assert!(
        headers
            .iter()
            .any(|line| line.eq_ignore_ascii_case("idempotency-key: k")),
        "{headers:?}"
    );
    assert_eq!(body, b"{}");
}

#[test]
fn event_filters_become_a_query() {
    let (client, server) = answering("200 OK", r#"{"events":[]}"#);
    let types = ["a.b".to_owned(), "c".to_owned()];
    let tags = ["shop_id:1 2".to_owned()];
    let filter = EventFilter {
        types: &types,
        tags: &tags,
        after: Some(3),
        limit: Some(2),
        correlation_id: None,
    };
    client.events(&filter).expect("events");
    let (request, ..) = server.join().expect("a request");
    assert_eq!(
        request,
        "GET /events?type=a.b&type=c&tag=shop_id%3A1%202&after=3&limit=2 HTTP/1.1"
    );
}

#[test]
fn unhealthy_is_an_answer() {
    let (client, server) = answering("503 Service Unavailable", r#"{"status":"starting"}"#);
    let health = client.health().expect("an answer");
    assert!(!health.healthy);
    assert_eq!(health.details["status"], "starting");
    server.join().expect("a request");
}

#[test]
fn an_unknown_module_has_no_detail() {
    let (client, server) = answering(
        "404 Not Found",
        r#"{"code":"module-not-found","detail":"no"}"#,
    );
    assert!(
        client
            .detail(ModuleKind::Effect, "x")
            .expect("an answer")
            .is_none()
    );
    server.join().expect("a request");
}

#[test]
fn a_refusal_names_each_field() {
    let body = r#"{"type":"about:blank","title":"Invalid input","status":400,"detail":"the input is not valid",
        "code":"invalid-input","violations":[{"field":"shop_id","code":"range","message":"must be positive"},
        {"field":"","code":"missing"}]}"#;
    let (client, server) = answering("400 Bad Request", body);
    let error = client
        .execute("a", "{}", &[], &WaitFor::default())
        .unwrap_err();
    assert_eq!(
        error.problem().and_then(Problem::code),
        Some("invalid-input")
    );
    expect![[r#"
        error: the input is not valid
          why: shop_id: must be positive
          why: input: missing
          why: HTTP 400, code `invalid-input`"#]]
    .assert_eq(&plain(error, client.url()));
    server.join().expect("a request");
}

#[test]
fn a_refusal_without_a_document_shows_its_text() {
    let (client, server) = answering("502 Bad Gateway", "upstream is gone");
    let error = client.modules().unwrap_err();
    expect![[r#"
        error: upstream is gone
          why: HTTP 502"#]]
    .assert_eq(&plain(error, client.url()));
    server.join().expect("a request");
}

#[test]
fn a_missing_key_is_explained() {
    let (client, server) = answering(
        "401 Unauthorized",
        r#"{"detail":"a key is needed","code":"unauthorized"}"#,
    );
    let error = client.modules().unwrap_err();
    expect![[r#"
        error: a key is needed
          why: HTTP 401, code `unauthorized`
         help: set UMARI_API_KEY, or pass --api-key, to a key of this server: the one that it was started with, or one from `umari api-keys create`"#]]
    .assert_eq(&plain(error, client.url()));
    server.join().expect("a request");
}

#[test]
fn an_answer_of_another_api_is_explained() {
    let (client, server) = answering("200 OK", "<html>");
    let error = client.modules().unwrap_err();
    assert!(plain(error, client.url()).contains("names an Umari server"));
    server.join().expect("a request");
}

#[test]
fn no_server_is_explained() {
    // Bound and dropped: the port is free, so nobody answers there.
    let address = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port");
    let client = Client::new(&format!("http://{address}/"), None).expect("a url");
    let text = plain(client.health().unwrap_err(), client.url());
    assert!(
        text.starts_with("error: the server at URL does not answer\n  why: "),
        "{text}"
    );
    assert!(text.contains("umari serve"), "{text}");
}

#[test]
fn a_server_that_says_nothing_is_not_waited_for_without_end() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("an address"));
    let client = Client::with_patience(&url, None, Duration::from_millis(50)).expect("a url");
    expect![[r"
        error: the server at URL does not answer
          why: nothing came in time (timeout: global)
         help: look at its log, or whether --url or UMARI_URL names an Umari server
         help: what was asked for may be done all the same: look before you repeat it"]]
    .assert_eq(&plain(client.modules().unwrap_err(), &url));
}

#[test]
fn an_answer_may_come_in_pieces() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let answer = "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"modules\": []}";
        for byte in answer.bytes() {
            stream.write_all(&[byte]).expect("sent");
            stream.flush().expect("sent");
        }
        // What the client still says.
        let _rest = stream.read(&mut [0; 1024]);
    });
    let client = Client::new(&url, None).expect("a url");
    assert!(client.modules().expect("an answer").modules.is_empty());
    server.join().expect("an end");
}

#[test]
fn a_url_needs_scheme_and_host() {
    for url in ["localhost:3000", "ftp://x", "", "http://"] {
        assert!(
            matches!(Client::new(url, None), Err(ApiError::Url { .. })),
            "{url}"
        );
    }
}

#[test]
fn loopback_is_reached_without_a_proxy() {
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        assert!(is_loopback(host), "{host}");
    }
    assert!(!is_loopback("10.0.0.1"));
}
