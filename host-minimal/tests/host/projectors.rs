//! Projectors: exactly once over their own file, and honest when they stand still.

use host_minimal::modules::ModuleKind;
use host_minimal::subscriptions::Phase;
use serde_json::json;

use crate::support::{TestHost, fixtures, name};

fn texts(host: &TestHost) -> Vec<String> {
    let connection = host.read_model("notes");
    let mut statement = connection
        .prepare("SELECT text FROM notes ORDER BY position")
        .expect("a table");
    let rows = statement.query_map((), |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a text")).collect()
}

#[test]
fn a_projector_stops_at_the_event_that_it_cannot_handle() {
    let host = TestHost::with_commands();
    host.note("a", 1, "one");
    host.note("a", 2, "two");
    let poison = host.note("a", 3, "poison");
    host.note("a", 4, "four");
    host.deploy(ModuleKind::Projector, "notes", &[]);
    let (status, failure) = host.wait_for_failure("notes", 3);
    assert!(!status.is_healthy());
    assert!(!host.host.health().expect("a store").is_healthy());
    let subscription = status.subscription.expect("a projector");
    assert_eq!(subscription.position, poison - 1);
    assert_eq!(failure.position, Some(poison));
    assert_eq!(failure.event_type.as_deref(), Some("noted"));
    assert!(
        failure.message.contains("cannot stomach note 3"),
        "{}",
        failure.message
    );
    assert_eq!(
        texts(&host),
        ["one", "two"],
        "the row of the failed event is rolled back"
    );

    // A version that can handle it goes on where the other stopped.
    host.deploy_version(
        ModuleKind::Projector,
        "notes",
        "1.1.0",
        &[("TOLERANT", "1")],
    );
    host.wait_caught_up("notes");
    assert_eq!(texts(&host), ["one", "two", "poison", "four"]);
    assert!(host.host.health().expect("a store").is_healthy());
}

#[test]
fn a_crash_is_a_failure_like_any_other() {
    let host = TestHost::with_commands();
    host.note("a", 1, "one");
    host.note("a", 2, "panic");
    host.deploy(ModuleKind::Projector, "notes", &[]);
    let (_, failure) = host.wait_for_failure("notes", 1);
    assert!(
        failure.message.contains("choked on note 2"),
        "{}",
        failure.message
    );
    assert_eq!(texts(&host), ["one"]);
}

#[test]
fn a_module_may_not_touch_the_hosts_transaction() {
    let host = TestHost::with_commands();
    host.note("a", 1, "begin");
    host.deploy(ModuleKind::Projector, "notes", &[]);
    let (_, failure) = host.wait_for_failure("notes", 1);
    assert!(
        failure.message.contains("the host owns transactions"),
        "{}",
        failure.message
    );
}

#[test]
fn a_statement_that_undoes_the_hosts_transaction_leaves_nothing() {
    let host = TestHost::with_commands();
    host.note("a", 1, "one");
    let undone = host.note("a", 2, "undo");
    host.deploy(ModuleKind::Projector, "notes", &[]);
    let (_, failure) = host.wait_for_failure("notes", 3);
    assert_eq!(failure.position, Some(undone));
    let expected = "trapped: UNIQUE constraint failed: notes.position, and SQLite undid the whole \
                    transaction; write OR ABORT in place of OR ROLLBACK";
    assert!(failure.message.contains(expected), "{}", failure.message);
    let stray = |host: &TestHost| -> u64 {
        let count = "SELECT count(*) FROM relayed";
        let read_model = host.read_model("notes");
        read_model
            .query_row(count, (), |row| row.get(0))
            .expect("a table")
    };
    assert_eq!(stray(&host), 0);

    let tolerant = [("TOLERANT", "1")];
    host.deploy_version(ModuleKind::Projector, "notes", "1.1.0", &tolerant);
    host.wait_caught_up("notes");
    assert_eq!((texts(&host).len(), stray(&host)), (2, 0));
}

#[test]
fn what_sql_traps_on_is_said_with_the_line_and_the_sql() {
    let host = TestHost::with_commands();
    host.note("a", 1, "one");
    for (trouble, message) in [
        (
            "misspelt",
            "SQLite: the statement has no parameter `:count`; it has: :counter, \
             in `SELECT text FROM notes WHERE counter = :counter`",
        ),
        (
            "too few",
            "SQLite: the statement has 1 parameter, but no value is given, \
             in `DELETE FROM notes WHERE text = ?1`",
        ),
        (
            "too large",
            "SQLite: 18446744073709551615 is above 9223372036854775807, the largest integer of \
             SQLite, whose integers are signed 64-bit; store the value as text, with \
             `.to_string()`",
        ),
        (
            "unread",
            "column `text` is TEXT, which cannot be read as `DateTime<Utc>`; the text is not a \
             time of RFC 3339, such as `2026-01-31T09:30:00.000000Z`; the columns are: text, \
             in `SELECT text FROM notes`",
        ),
    ] {
        let name = trouble.replace(' ', "-");
        host.deploy(ModuleKind::Projector, &name, &[("TROUBLE", trouble)]);
        let (_, failure) = host.wait_for_failure(&name, 1);
        let failure = failure.message;
        assert!(failure.contains("projector/src/lib.rs:"), "{failure}");
        assert!(failure.contains(message), "{failure}");
    }
}

#[test]
fn events_that_do_not_match_move_the_position_too() {
    let host = TestHost::with_commands();
    host.deploy(ModuleKind::Projector, "notes", &[]);
    host.execute("note-secret", json!({ "owner": "ann", "text": "t" }))
        .expect("success");
    host.wait_caught_up("notes");
    let subscription = host.module("notes").subscription.expect("a projector");
    assert_eq!(
        (subscription.position, subscription.phase),
        (1, Phase::Live)
    );
}

#[test]
fn a_module_that_no_longer_loads_does_not_keep_the_host_from_starting() {
    let host = TestHost::with_commands();
    host.deploy(ModuleKind::Projector, "notes", &[]);
    host.wait_caught_up("notes");
    let damaged = host.directory().join("data/umari.sqlite");
    assert!(host.host.shutdown(crate::support::PATIENCE));
    // The stored bytes are damaged with their hash, as by an older host's other contract.
    let connection = rusqlite::Connection::open(damaged).expect("the module store");
    let mut wasm = fixtures().projector.clone();
    wasm.truncate(8);
    let hash = <sha2::Sha256 as sha2::Digest>::digest(&wasm);
    let changed = connection
        .execute(
            "UPDATE module_version SET wasm = ?1, sha256 = ?2 WHERE kind = 'projector'",
            (&wasm, hash.as_slice()),
        )
        .expect("an update");
    assert_eq!(changed, 1);
    drop(connection);
    let host = host.restart();
    let status = host.module("notes");
    assert!(!status.is_healthy());
    assert_eq!(status.word(), "broken");
    assert!(!host.host.health().expect("a store").is_healthy());
    host.note("a", 1, "commands still run");
}

#[test]
fn what_a_projector_prints_is_kept() {
    let host = TestHost::start();
    host.deploy(ModuleKind::Projector, "notes", &[]);
    host.wait_caught_up("notes");
    let printed = host
        .host
        .output(ModuleKind::Projector, &name("notes"))
        .expect("it runs");
    assert!(printed.contains("notes begins"), "{printed}");
    let log = std::fs::read_to_string(host.directory().join("data/projector/notes.log"));
    assert!(log.expect("a log file").contains("notes begins"));
}
