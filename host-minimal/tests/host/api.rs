//! The HTTP API over a real socket.

use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use host_minimal::api::{Access, BindError, Server};
use host_minimal::modules::ModuleKind;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::server::TestServer;
use crate::support::{TestHost, fixtures, upload, wait_until};

#[test]
fn a_command_is_executed_and_its_event_read_back() {
    let server = TestServer::with_commands();
    let headers = [
        ("idempotency-key", "00000000-0000-0000-0000-000000000007"),
        ("x-correlation-id", "00000000-0000-0000-0000-000000000008"),
    ];
    let body = br#"{"counter":"c","text":"hello"}"#;
    let reply = server.request("POST", "/commands/count-up/execute", &headers, body);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.body["position"], 1);
    assert_eq!(reply.body["attempts"], 1);
    let emitted = &reply.body["events"][0];
    assert_eq!(emitted["event_type"], "noted");
    assert_eq!(
        emitted["domain_ids"],
        json!({ "counter": "c", "note_id": "1" })
    );

    let again = server.request("POST", "/commands/count-up/execute", &headers, body);
    assert_eq!((again.status, &again.body["events"]), (200, &json!([])));

    let event = server.get(&format!(
        "/events/{}",
        emitted["id"].as_str().expect("an id")
    ));
    assert_eq!(
        event.body["data"],
        json!({ "counter": "c", "note_id": 1, "text": "hello" })
    );
    assert_eq!(event.body["correlation_id"], headers[1].1);
    assert_eq!(event.body["idempotency_key"], headers[0].1);

    for query in [
        "type=noted",
        "tag=counter:c",
        "correlation_id=00000000-0000-0000-0000-000000000008",
        "type=noted&tag=note_id:1",
        "",
    ] {
        let page = server.get(&format!("/events?{query}"));
        assert_eq!(
            page.body["events"].as_array().map(Vec::len),
            Some(1),
            "{query}: {page:?}"
        );
        assert_eq!(page.body["head"], 1);
    }
    for query in ["type=other", "tag=counter:d", "after=1"] {
        let page = server.get(&format!("/events?{query}"));
        assert_eq!(page.body["events"], json!([]), "{query}");
    }
}

#[test]
fn pages_follow_each_other() {
    let server = TestServer::with_commands();
    for note_id in 1..=5 {
        server.host.note("c", note_id, "x");
    }
    let first = server.get("/events?limit=3");
    assert_eq!(first.body["next_after"], 3);
    let second = server.get("/events?limit=3&after=3");
    assert_eq!(second.body["events"].as_array().map(Vec::len), Some(2));
    assert_eq!(second.body["next_after"], Value::Null);
}

#[test]
fn bad_input_is_answered_with_a_problem() {
    let server = TestServer::with_commands();
    assert_eq!(
        server.execute("no-such", "{}").problem(404),
        "unknown-command"
    );
    for body in [
        "",
        "not json",
        "[]",
        "{}",
        r#"{"counter":1}"#,
        r#"{"counter":""}"#,
    ] {
        let reply = server.execute("count-up", body);
        assert_eq!(reply.problem(400), "invalid-input", "{body}");
    }
    let violation = &server.execute("count-up", r#"{"counter":""}"#).body["violations"][0];
    assert_eq!(
        (&violation["field"], &violation["code"]),
        (&json!("counter"), &json!("length"))
    );
    let reply = server.request(
        "POST",
        "/commands/count-up/execute",
        &[],
        b"{\"counter\":\"\xff\"}",
    );
    assert_eq!(reply.problem(400), "invalid-input");
    let reply = server.request(
        "POST",
        "/commands/count-up/execute",
        &[("idempotency-key", "7")],
        b"{}",
    );
    assert_eq!(reply.problem(400), "invalid-header");
    let large = vec![b' '; host_minimal::limits::INPUT_BYTES + 1];
    let reply = server.request("POST", "/commands/count-up/execute", &[], &large);
    assert_eq!(reply.problem(413), "body-too-large");

    assert_eq!(
        server.execute("reject", r#"{"counter":"c"}"#).problem(422),
        "rejected"
    );
    let all = r#"{"counters":["a","b"]}"#;
    let noted = server.execute("note-in-all", all);
    assert_eq!(
        noted.body["events"][0]["domain_ids"],
        json!({"counter": ["a", "b"]})
    );
    let again = server.execute("note-in-all", all);
    // The type is that of every rejection, the code the command's own.
    assert_eq!(again.status, 422);
    assert_eq!(again.body["type"], "urn:umari:problem:rejected");
    assert_eq!(again.body["code"], "noted-before");
    assert_eq!(again.body["details"], json!({"counters": ["a", "b"]}));
    let panicked = server.execute("panic", r#"{"counter":"c"}"#);
    assert_eq!(panicked.problem(500), "module-panicked");
    assert_eq!(panicked.body["message"], "a bug about c\nin two lines");
    assert!(
        panicked.body["location"]
            .as_str()
            .expect("a location")
            .contains("lib.rs:")
    );
    assert_eq!(
        server.execute("spin", r#"{"counter":"c"}"#).problem(504),
        "deadline-exceeded"
    );
    assert_eq!(
        server.execute("hoard", r#"{"counter":"c"}"#).problem(500),
        "out-of-memory"
    );
    assert_eq!(server.execute("count-up", r#"{"counter":"c"}"#).status, 200);

    assert_eq!(server.get("/nowhere").problem(404), "not-found");
    assert_eq!(
        server.get("/commands/count-up/execute").problem(405),
        "method-not-allowed"
    );
    assert_eq!(server.get("/events?limit=0").problem(400), "invalid-query");
    assert_eq!(
        server.get("/events?tag=umari.id:1").problem(400),
        "invalid-query"
    );
    assert_eq!(server.get("/events/x").problem(400), "invalid-id");
    let unknown = server.get("/events/00000000-0000-0000-0000-000000000001");
    assert_eq!(unknown.problem(404), "unknown-event");
}

#[test]
fn modules_are_uploaded_activated_listed_and_stopped() {
    let server = TestServer::start(TestHost::start(), Access::open());
    let wasm = &fixtures().commands;
    let path = "/commands/count-up/versions/1.2.3";
    let first = server.request("POST", path, &[("x-umari-env", "A=1%202")], wasm);
    assert_eq!(first.status, 201, "{first:?}");
    assert_eq!(first.body["size"], wasm.len());
    assert_eq!(first.body["env"], json!(["A"]));
    assert_eq!(
        server
            .request("POST", path, &[("x-umari-env", "A=1%202")], wasm)
            .status,
        200
    );
    assert_eq!(
        server.request("POST", path, &[], wasm).problem(409),
        "version-exists"
    );
    assert_eq!(
        server
            .execute("count-up", r#"{"counter":"c"}"#)
            .problem(404),
        "unknown-command"
    );

    let activate = server.request(
        "PUT",
        "/commands/count-up/active",
        &[],
        br#"{"version":"1.2.3"}"#,
    );
    assert_eq!(activate.status, 200, "{activate:?}");
    assert_eq!(server.execute("count-up", r#"{"counter":"c"}"#).status, 200);
    let schema = server.get("/commands/count-up/schema");
    assert_eq!(
        schema.body["properties"]["counter"]["type"], "string",
        "{schema:?}"
    );
    let listed = server.get("/commands").body;
    assert_eq!(listed["commands"][0]["active"], "1.2.3");
    let one = server.get("/commands/count-up").body;
    assert_eq!(one["versions"][0]["version"], "1.2.3");
    let modules = server.get("/modules").body;
    assert_eq!(modules["modules"][0]["status"], "ready");

    assert_eq!(
        server
            .request("DELETE", "/commands/count-up/active", &[], b"")
            .status,
        204
    );
    let again = server.request("DELETE", "/commands/count-up/active", &[], b"");
    assert_eq!(again.problem(404), "not-active");
}

#[test]
fn bad_modules_are_refused_and_nothing_is_stored() {
    let server = TestServer::start(TestHost::start(), Access::open());
    let wasm = &fixtures().commands;
    let post = |path: &str, body: &[u8]| server.request("POST", path, &[], body);
    assert_eq!(
        post("/commands/note/versions/1.0.0", b"hello").problem(400),
        "invalid-module"
    );
    assert_eq!(
        post("/projectors/note/versions/1.0.0", wasm).problem(400),
        "invalid-module"
    );
    assert_eq!(
        post("/commands/%2e%2e/versions/1.0.0", wasm).problem(400),
        "invalid-name"
    );
    assert_eq!(
        post("/commands/a%2fb/versions/1.0.0", wasm).problem(400),
        "invalid-name"
    );
    let large = vec![0; host_minimal::limits::MODULE_BYTES / 4];
    for _ in 0..8 {
        assert_eq!(
            post("/commands/note/versions/one", &large).problem(400),
            "invalid-version"
        );
    }
    let put = |path: &str, body: &[u8]| server.request("PUT", path, &[], body);
    assert_eq!(
        put("/commands/note/active", b"{}").problem(400),
        "invalid-body"
    );
    assert_eq!(
        put("/commands/note/active", br#"{"version":"1.0.0"}"#).problem(404),
        "unknown-version"
    );
    assert_eq!(server.get("/commands/note").problem(404), "unknown-module");
    for kinds in ["commands", "projectors", "effects"] {
        assert_eq!(server.get(&format!("/{kinds}")).body[kinds], json!([]));
    }
}

#[test]
fn health_says_no_while_a_module_stands_still() {
    let server = TestServer::with_commands();
    assert_eq!(server.get("/health").status, 200);
    server.host.note("a", 1, "poison");
    let upload = upload(ModuleKind::Projector, "notes", "1.0.0", &[]);
    server.host.host.upload(upload.clone()).expect("stored");
    server
        .host
        .host
        .activate(upload.kind, &upload.name, &upload.version)
        .expect("activated");
    server.host.wait_for_failure("notes", 1);
    let health = server.get("/health");
    assert_eq!(health.status, 503, "{health:?}");
    assert_eq!(health.body["modules"][0]["name"], "notes");
    let error = &health.body["modules"][0]["last_error"];
    assert!(
        error["message"]
            .as_str()
            .expect("a message")
            .contains("cannot stomach note 1")
    );
    assert_eq!(error["position"], 1);
}

#[test]
fn a_key_is_asked_for_where_one_is_set() {
    let server = TestServer::start(TestHost::start(), Access::with_key("open sesame"));
    assert_eq!(server.get("/modules").problem(401), "unauthorized");
    for given in [
        "Bearer open",
        "Bearer open sesame!",
        "open sesame",
        "Basic open sesame",
    ] {
        let reply = server.request("GET", "/modules", &[("authorization", given)], b"");
        assert_eq!(reply.problem(401), "unauthorized", "{given}");
    }
    let reply = server.request(
        "GET",
        "/modules",
        &[("authorization", "Bearer open sesame")],
        b"",
    );
    assert_eq!(reply.status, 200);
    assert_eq!(server.get("/health").status, 200);
    // Refused or not, a large body does not cost the client its answer.
    let wasm = vec![0; host_minimal::limits::MODULE_BYTES / 4];
    for _ in 0..8 {
        let reply = server.request("POST", "/commands/note/versions/1.0.0", &[], &wasm);
        assert_eq!(reply.problem(401), "unauthorized");
    }
}

#[test]
fn other_machines_are_not_let_in_without_a_key() {
    let host = TestHost::start();
    let runtime = Runtime::new().expect("a runtime");
    let everywhere = SocketAddr::from(([0, 0, 0, 0], 0));
    let bound = runtime.block_on(Server::bind(host.host.clone(), everywhere, Access::open()));
    assert!(matches!(bound, Err(BindError::Unprotected(_))), "{bound:?}");
    let key = Access::with_key("k");
    runtime
        .block_on(Server::bind(host.host.clone(), everywhere, key))
        .expect("with a key it is fine");
}

#[test]
fn calls_beyond_the_queue_are_refused_at_once() {
    let host = TestHost::start_with(|config| {
        config.settings.concurrent_commands = 1;
        config.settings.queued_commands = 1;
        config.settings.command_deadline = Duration::from_secs(8);
    });
    host.deploy(ModuleKind::Command, "note", &[]);
    host.deploy(ModuleKind::Command, "doze", &[]);
    let server = TestServer::start(host, Access::open());
    let load = || {
        let load = server.host.host.command_load();
        (load.running, load.waiting)
    };
    let note = r#"{"counter":"c","note_id":1}"#;
    thread::scope(|scope| {
        // It sleeps until its deadline, long after what is asked below.
        let running = scope.spawn(|| server.execute("doze", r#"{"counter":"c"}"#));
        wait_until(|| (load() == (1, 0)).then_some(()));
        let waiting = scope.spawn(|| server.execute("note", note));
        wait_until(|| (load() == (1, 1)).then_some(()));
        let refused = server.execute("note", note);
        assert_eq!(refused.problem(503), "overloaded");
        assert_eq!(refused.headers["retry-after"], "1");
        assert_eq!(
            (&refused.body["running"], &refused.body["waiting"]),
            (&json!(1), &json!(1))
        );
        assert_eq!(load(), (1, 1), "at once, and nobody lost a place");
        running.join().expect("an answer");
        waiting.join().expect("an answer");
    });
    wait_until(|| (load() == (0, 0)).then_some(()));
    assert_eq!(server.execute("note", note).status, 200);
}

#[test]
fn the_api_describes_itself_with_the_commands_that_are_active() {
    let server = TestServer::with_commands();
    let document = server.get("/openapi.json");
    assert_eq!(document.status, 200);
    let paths = &document.body["paths"];
    let post = &paths["/commands/count-up/execute"]["post"];
    let schema = &post["requestBody"]["content"]["application/json"]["schema"]["$ref"];
    let pointer = schema
        .as_str()
        .expect("a reference")
        .trim_start_matches('#');
    let input = document.body.pointer(pointer).expect("a schema");
    assert_eq!(input["properties"]["counter"]["maxLength"], 100, "{input}");
    assert_eq!(input, &{
        let mut schema = server.get("/commands/count-up/schema").body;
        schema.as_object_mut().expect("an object").remove("$schema");
        schema
    });
    // A command without a schema takes any input.
    let post = &paths["/commands/note-in-all/execute"]["post"];
    assert_eq!(
        post["requestBody"]["content"]["application/json"]["schema"],
        json!({})
    );
    let stop = server.request("DELETE", "/commands/count-up/active", &[], b"");
    assert_eq!(stop.status, 204);
    let paths = &server.get("/openapi.json").body["paths"];
    assert_eq!(paths.get("/commands/count-up/execute"), None);
}

#[test]
fn what_happens_is_counted() {
    let server = TestServer::with_commands();
    server.host.deploy(ModuleKind::Projector, "notes", &[]);
    assert_eq!(server.execute("count-up", r#"{"counter":"c"}"#).status, 200);
    assert_eq!(server.execute("count-up", r#"{"counter":""}"#).status, 400);
    assert_eq!(server.execute("reject", r#"{"counter":"c"}"#).status, 422);
    assert_eq!(server.execute("panic", r#"{"counter":"c"}"#).status, 500);
    assert_eq!(server.execute("made-up", "{}").status, 404);
    server.host.wait_caught_up("notes");
    server.get("/nowhere/at/all");
    let scraped = server.text("/metrics");
    for line in [
        r#"umari_command_calls_total{command="count-up",outcome="ok"} 1"#,
        r#"umari_command_calls_total{command="count-up",outcome="invalid"} 1"#,
        r#"umari_command_calls_total{command="reject",outcome="rejected"} 1"#,
        r#"umari_command_calls_total{command="panic",outcome="crashed"} 1"#,
        r#"umari_command_calls_total{command="unknown",outcome="unknown-command"} 1"#,
        r#"umari_command_attempts_total{command="count-up"} 2"#,
        r#"umari_command_duration_seconds_count{command="count-up"} 2"#,
        r#"umari_http_requests_total{method="POST",route="/commands/{name}/execute",status="200"} 1"#,
        r#"umari_http_requests_total{method="GET",route="unknown",status="404"} 1"#,
        r#"umari_module_position{kind="projector",module="notes"} 1"#,
        r#"umari_module_lag_events{kind="projector",module="notes"} 0"#,
        r#"umari_module_healthy{kind="command",module="panic"} 1"#,
        "umari_log_head 1",
        "umari_log_appends_total 1",
        "umari_commands_running 0",
    ] {
        assert!(
            scraped.lines().any(|found| found == line),
            "{line}\n{scraped}"
        );
    }
    assert!(!scraped.contains("made-up"), "{scraped}");
    assert!(!scraped.contains("nowhere"), "{scraped}");
}
