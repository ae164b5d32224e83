//! Questions to read models over HTTP, and commands that wait for them.

use host_minimal::api::Access;
use host_minimal::limits;
use host_minimal::modules::ModuleKind;
use serde_json::{Value, json};

use crate::server::{Reply, TestServer};
use crate::support::{TestHost, name, upload, wait_until};

fn server_with_notes() -> TestServer {
    let server = TestServer::with_commands();
    server.host.deploy(ModuleKind::Projector, "notes", &[]);
    server
}

fn query(server: &TestServer, projector: &str, question: &Value) -> Reply {
    server.request(
        "POST",
        &format!("/projectors/{projector}/query"),
        &[],
        question.to_string().as_bytes(),
    )
}

#[test]
fn a_read_model_answers_and_says_what_it_knew() {
    let server = server_with_notes();
    server.host.note("a", 1, "one");
    let position = server.host.note("b", 2, "two");
    let answer = query(
        &server,
        "notes",
        &json!({
            "sql": "SELECT counter, note_id, text FROM notes WHERE counter = :counter",
            "params": { ":counter": "b" },
            "min_position": position,
        }),
    );
    assert_eq!(
        (answer.status, &answer.body),
        (
            200,
            &json!({
                "columns": ["counter", "note_id", "text"],
                "rows": [["b", 2, "two"]],
                "position": position,
                "truncated": false,
            })
        )
    );
    let answer = query(
        &server,
        "notes",
        &json!({ "sql": "SELECT count(*) FROM notes WHERE note_id >= ?1", "params": [2] }),
    );
    assert_eq!(answer.body["rows"], json!([[1]]));

    // What matches no event of the projector moves its position, too, and is not on disk yet.
    let secret = json!({ "owner": "ann", "text": "t" });
    let unmatched = server.host.execute("note-secret", secret).expect("success");
    let question = json!({ "sql": "SELECT 1", "min_position": unmatched.position });
    assert_eq!(
        query(&server, "notes", &question).body["position"],
        position + 1
    );
}

#[test]
fn a_question_to_a_projector_that_has_just_been_activated_is_answered() {
    let server = server_with_notes();
    let answer = query(&server, "notes", &json!({ "sql": "SELECT * FROM notes" }));
    assert_eq!(
        (answer.status, &answer.body["rows"]),
        (200, &json!([])),
        "{answer:?}"
    );
}

#[test]
fn projectors_that_cannot_be_asked_are_told_apart() {
    let server = TestServer::start(TestHost::start(), Access::open());
    let ask = |projector: &str| query(&server, projector, &json!({ "sql": "SELECT 1" }));
    assert_eq!(ask("notes").problem(404), "unknown-projector");
    assert_eq!(ask("%2e%2e").problem(400), "invalid-name");
    let upload = upload(ModuleKind::Projector, "notes", "1.0.0", &[]);
    server.host.host.upload(upload).expect("stored");
    assert_eq!(ask("notes").problem(409), "not-active");
    server.host.deploy(ModuleKind::Projector, "notes", &[]);
    assert_eq!(ask("notes").status, 200);
    let stopped = server
        .host
        .host
        .deactivate(ModuleKind::Projector, &name("notes"));
    assert!(stopped.expect("deactivated"));
    assert_eq!(ask("notes").problem(409), "not-active");
}

#[test]
fn bad_questions_are_refused_and_change_nothing() {
    let server = server_with_notes();
    let position = server.host.note("a", 1, "one");
    let ask = |question: Value| query(&server, "notes", &question);
    let settled = ask(json!({ "sql": "SELECT 1", "min_position": position }));
    assert_eq!(settled.status, 200, "{settled:?}");
    for body in [
        json!(null),
        json!({}),
        json!({ "sql": 1 }),
        json!({ "sql": "SELECT 1", "parameters": [] }),
        json!({ "sql": "SELECT 1", "params": 7 }),
        json!({ "sql": "SELECT 1", "min_position": -1 }),
    ] {
        assert_eq!(ask(body.clone()).problem(400), "invalid-body", "{body}");
    }
    let wrong = ask(json!({ "sql": "SELECT * FROM nots" }));
    assert_eq!(wrong.problem(400), "invalid-sql");
    assert_eq!(wrong.body["detail"], "SQLite: no such table: nots");
    let column = ask(json!({ "sql": "SELECT nope FROM notes" }));
    assert_eq!(column.problem(400), "invalid-sql");
    assert_eq!(column.body["offset"], 7);
    for sql in ["", "-- nothing", "SELECT 1; SELECT 2", "SELEC 1"] {
        let reply = ask(json!({ "sql": sql }));
        assert_eq!(reply.problem(400), "invalid-sql", "{sql}");
    }
    for params in [
        json!([]),
        json!([1, 2]),
        json!([[1]]),
        json!([u64::MAX]),
        json!([{ "base64": "*" }]),
        json!({ "1": 1 }),
        json!({ ":missing": 1 }),
    ] {
        let question = json!({ "sql": "SELECT ?1", "params": params });
        assert_eq!(ask(question).problem(400), "invalid-params", "{params}");
    }
    for sql in [
        "DELETE FROM notes",
        "DELETE FROM notes RETURNING *",
        "INSERT INTO notes VALUES (9, 'a', 9, 'nine')",
        "UPDATE umari_progress SET last_position = 0",
        "CREATE TABLE mine (a)",
        "CREATE TEMP TABLE mine (a)",
        "DROP TABLE notes",
        "ATTACH 'other.sqlite' AS other",
        "VACUUM",
        "VACUUM INTO 'copy.sqlite'",
        "BEGIN",
        "COMMIT",
        "SAVEPOINT here",
        "PRAGMA query_only = 0",
        "PRAGMA journal_mode = DELETE",
        "SELECT load_extension('x')",
    ] {
        let reply = ask(json!({ "sql": sql }));
        assert_eq!(reply.problem(403), "read-only", "{sql}: {reply:?}");
    }
    let large = format!("{{\"sql\": \"{}\"}}", " ".repeat(limits::INPUT_BYTES));
    let path = "/projectors/notes/query";
    let reply = server.request("POST", path, &[], large.as_bytes());
    assert_eq!(reply.problem(413), "body-too-large");
    assert_eq!(server.get(path).problem(405), "method-not-allowed");
    let whole = ask(json!({ "sql": "SELECT * FROM notes" }));
    assert_eq!(whole.body["rows"], json!([[1, "a", 1, "one"]]));
}

#[test]
fn an_answer_is_bounded_in_rows_bytes_and_time() {
    let server = server_with_notes();
    let ask = |question: Value| query(&server, "notes", &question);
    let count_to = |rows: usize| {
        json!({ "sql": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                        SELECT i FROM n", "params": [rows] })
    };
    let at_limit = ask(count_to(limits::QUERY_ROWS)).body;
    assert_eq!(
        at_limit["rows"].as_array().map(Vec::len),
        Some(limits::QUERY_ROWS)
    );
    assert_eq!(at_limit["truncated"], false);
    let past_limit = ask(count_to(limits::QUERY_ROWS + 1)).body;
    assert_eq!(
        past_limit["rows"].as_array().map(Vec::len),
        Some(limits::QUERY_ROWS)
    );
    assert_eq!(past_limit["truncated"], true);
    let mut few = count_to(3);
    few["max_rows"] = json!(2);
    assert_eq!(ask(few).body["rows"], json!([[1], [2]]));
    let too_many = json!({ "sql": "SELECT 1", "max_rows": limits::QUERY_ROWS + 1 });
    assert_eq!(ask(too_many).problem(400), "beyond-limit");

    // No value is as long as an answer, so that four make one row.
    let long = limits::QUERY_BYTES / 4 - 8;
    let text = |last: usize| {
        let (text, other) = ("printf('%.*c', ?1, 'x')", "printf('%.*c', ?2, 'x')");
        let sql = format!("SELECT {text}, {text}, {text}, {other}");
        json!({ "sql": sql, "params": [long, last] })
    };
    assert_eq!(ask(text(long)).status, 200);
    let one_past = ask(text(long + 1));
    assert_eq!(one_past.problem(422), "result-too-large");

    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                   SELECT count(*) FROM n";
    let too_slow = ask(json!({ "sql": endless, "timeout_ms": 50 }));
    assert_eq!(too_slow.problem(504), "deadline-exceeded");
    let cap = limits::QUERY_TIMEOUT_CAP.as_millis() as u64;
    assert_eq!(
        ask(json!({ "sql": "SELECT 1", "timeout_ms": cap })).status,
        200
    );
    let too_patient = json!({ "sql": "SELECT 1", "timeout_ms": cap + 1 });
    assert_eq!(ask(too_patient).problem(400), "beyond-limit");
}

#[test]
fn a_position_that_is_not_reached_in_time_is_said_with_the_reason() {
    let server = server_with_notes();
    server.host.note("a", 1, "one");
    let poison = server.host.note("a", 2, "poison");
    server.host.wait_for_failure("notes", 1);
    let question =
        json!({ "sql": "SELECT text FROM notes", "min_position": poison, "timeout_ms": 20 });
    let behind = query(&server, "notes", &question);
    assert_eq!(behind.problem(504), "projector-behind");
    assert_eq!(
        (&behind.body["position"], &behind.body["min_position"]),
        (&json!(1), &json!(2))
    );
    let detail = behind.body["detail"].as_str().expect("a detail");
    assert!(detail.contains("cannot stomach note 2"), "{detail}");
    let without = query(
        &server,
        "notes",
        &json!({ "sql": "SELECT text FROM notes" }),
    );
    assert_eq!(
        (&without.body["rows"], &without.body["position"]),
        (&json!([["one"]]), &json!(1))
    );
}

#[test]
fn a_position_is_waited_for_over_a_swap_of_versions() {
    let server = server_with_notes();
    let poison = server.host.note("a", 1, "poison");
    server.host.wait_for_failure("notes", 1);
    let question = json!({ "sql": "SELECT text FROM notes", "min_position": poison,
                           "timeout_ms": limits::QUERY_TIMEOUT_CAP.as_millis() as u64 });
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| query(&server, "notes", &question));
        let tolerant = [("TOLERANT", "1")];
        server
            .host
            .deploy_version(ModuleKind::Projector, "notes", "1.1.0", &tolerant);
        let answer = asked.join().expect("an answer");
        assert_eq!(answer.body["rows"], json!([["poison"]]), "{answer:?}");
    });
}

/// Runs a command that waits for projectors.
fn execute_and_wait(server: &TestServer, query: &str, input: &Value) -> Reply {
    let path = format!("/commands/note/execute?{query}");
    server.request("POST", &path, &[], input.to_string().as_bytes())
}

#[test]
fn a_command_waits_for_the_read_models_that_are_named() {
    let server = server_with_notes();
    server.host.deploy(ModuleKind::Projector, "others", &[]);
    let note = json!({ "counter": "a", "note_id": 1, "times": 3 });
    let reply = execute_and_wait(&server, "wait_for=notes,others&timeout=60s", &note);
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.body["position"], 3);
    assert_eq!(reply.body["caught_up"], true);
    let names = ["notes", "others"];
    for (waited, name) in reply.body["projectors"]
        .as_array()
        .expect("two")
        .iter()
        .zip(names)
    {
        assert_eq!(
            (&waited["name"], &waited["reached"]),
            (&json!(name), &json!(true))
        );
        assert!(waited["position"].as_u64() >= Some(3), "{waited}");
        let count = json!({ "sql": "SELECT count(*) FROM notes" });
        assert_eq!(query(&server, name, &count).body["rows"], json!([[3]]));
    }
    // Nothing to wait for is reached at once, and a plain call says nothing about it.
    let nothing = json!({ "counter": "a", "note_id": 1, "times": 0 });
    let reply = execute_and_wait(&server, "wait_for=notes", &nothing);
    assert_eq!(
        (reply.status, &reply.body["caught_up"]),
        (200, &json!(true))
    );
    let reply = execute_and_wait(&server, "", &note);
    assert_eq!(
        (reply.status, &reply.body["caught_up"]),
        (200, &Value::Null)
    );
}

#[test]
fn a_read_model_that_is_late_does_not_undo_the_commit() {
    let server = server_with_notes();
    let poison = json!({ "counter": "a", "note_id": 1, "text": "poison" });
    let reply = execute_and_wait(&server, "wait_for=notes&timeout=20ms", &poison);
    assert_eq!(reply.status, 202, "{reply:?}");
    assert_eq!(
        (&reply.body["position"], &reply.body["caught_up"]),
        (&json!(1), &json!(false))
    );
    assert_eq!(reply.body["events"].as_array().map(Vec::len), Some(1));
    let waited = &reply.body["projectors"][0];
    assert_eq!(
        (&waited["name"], &waited["position"]),
        (&json!("notes"), &json!(0))
    );
    assert_eq!(waited["reached"], false);
    assert_eq!(server.host.host.head().expect("a head"), 1);
}

#[test]
fn a_wait_that_makes_no_sense_is_refused_before_the_command_runs() {
    let server = server_with_notes();
    let note = json!({ "counter": "a", "note_id": 1 });
    let upload = upload(ModuleKind::Projector, "asleep", "1.0.0", &[]);
    server.host.host.upload(upload).expect("stored");
    let names = |count: usize| vec!["notes"; count].join(",");
    for (query, status, code) in [
        ("wait_for=missing", 404, "unknown-projector"),
        ("wait_for=notes,missing", 404, "unknown-projector"),
        ("wait_for=asleep", 409, "not-active"),
        ("wait_for=", 400, "invalid-name"),
        ("wait_for=notes,", 400, "invalid-name"),
        ("wait_for=No", 400, "invalid-name"),
        ("wait_for=notes&timeout=soon", 400, "invalid-query"),
        ("wait_for=notes&timeout=-1s", 400, "invalid-query"),
        ("wait_for=notes&timeout=60001ms", 400, "invalid-query"),
        ("timeout=5s", 400, "invalid-query"),
        ("wait=notes", 400, "invalid-query"),
        (
            &format!("wait_for={}", names(limits::WAIT_FOR_PROJECTORS + 1)),
            400,
            "invalid-query",
        ),
    ] {
        let reply = execute_and_wait(&server, query, &note);
        assert_eq!(reply.problem(status), code, "{query}");
    }
    assert_eq!(
        server.host.host.head().expect("a head"),
        0,
        "nothing was written"
    );
    let at_limit = format!(
        "wait_for={}&timeout=60s",
        names(limits::WAIT_FOR_PROJECTORS)
    );
    let reply = execute_and_wait(&server, &at_limit, &note);
    assert_eq!(reply.status, 200, "{reply:?}");
}

#[test]
fn a_server_that_stops_does_not_wait_for_read_models() {
    let mut server = server_with_notes();
    let url = server.url.clone();
    let host = server.host.host.clone();
    let executed = std::thread::spawn(move || {
        let poison = json!({ "counter": "a", "note_id": 1, "text": "poison" });
        let url = format!("{url}/commands/note/execute?wait_for=notes&timeout=60s");
        let mut response = ureq::post(url).send_json(poison).expect("an answer");
        let body: Value = response.body_mut().read_json().expect("JSON");
        (response.status().as_u16(), body)
    });
    wait_until(|| (host.head().expect("a head") == 1).then_some(()));
    server.stop();
    let (status, body) = executed.join().expect("an end");
    assert_eq!((status, &body["caught_up"]), (202, &json!(false)));
}
