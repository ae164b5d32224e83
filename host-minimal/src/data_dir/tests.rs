//! The directory, its lock, and the schema of its database.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use super::database::{MIGRATIONS, SCHEMA_VERSION};
use super::*;

fn name(text: &str) -> ModuleName {
    text.parse().expect("a name")
}

#[test]
fn a_new_directory_is_its_owners_alone() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let root = parent.path().join("new").join("data");
    let directory = DataDir::open(&root).expect("a data directory");
    for path in [
        root.clone(),
        root.join("projector"),
        root.join("effect"),
        directory.replays(),
        directory.as_of(),
        directory.cache(),
    ] {
        let mode = fs::metadata(&path)
            .expect("a directory")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{}", path.display());
    }
}

#[test]
fn no_event_store_is_made_beside_files_that_know_another() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let directory = DataDir::open(parent.path()).expect("a data directory");
    directory.check_events().expect("nothing is there yet");
    for path in [
        directory.projector_database(&name("plans")),
        directory.effect_database(&name("mail")),
    ] {
        fs::write(&path, b"").expect("a file");
        let error = directory.check_events().expect_err("the events have gone");
        assert!(
            error.to_string().contains(path.to_str().expect("a path")),
            "{error}"
        );
        fs::write(directory.events(), b"").expect("a file");
        directory.check_events().expect("they are there");
        fs::remove_file(directory.events()).expect("a file");
        fs::remove_file(&path).expect("a file");
    }
}

#[test]
fn files_lie_where_the_layout_says() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let directory = DataDir::open(parent.path()).expect("a data directory");
    let root = directory.root();
    assert_eq!(directory.database(), root.join("umari.sqlite"));
    assert_eq!(directory.events(), root.join("events.db"));
    assert_eq!(directory.master_key(), root.join("master.key"));
    assert_eq!(
        directory.projector_database(&name("plans")),
        root.join("projector/plans.sqlite")
    );
    assert_eq!(
        directory.projector_log(&name("plans")),
        root.join("projector/plans.log")
    );
    assert_eq!(
        directory.effect_database(&name("mail")),
        root.join("effect/mail.sqlite")
    );
    assert_eq!(
        directory.effect_log(&name("mail")),
        root.join("effect/mail.log")
    );
    assert_eq!(directory.replays(), root.join("replay"));
    assert_eq!(directory.as_of(), root.join("as-of"));
    assert_eq!(directory.cache(), root.join("cache"));
}

#[test]
fn two_hosts_cannot_have_one_directory() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let first = DataDir::open(parent.path()).expect("the first");
    let error = DataDir::open(parent.path()).expect_err("the second");
    let expected = format!(
        "the data directory {} is in use by another host (process {}): stop that host, or give \
         this one another directory",
        parent.path().display(),
        std::process::id()
    );
    assert_eq!(error.to_string(), expected);
    drop(first);
    DataDir::open(parent.path()).expect("after the first");
}

#[test]
fn a_lock_file_of_a_host_that_was_killed_locks_nothing() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    fs::write(parent.path().join("lock"), "4294967296\nand more").expect("a file");
    let _directory = DataDir::open(parent.path()).expect("nobody holds the lock");
    let content = fs::read_to_string(parent.path().join("lock")).expect("text");
    assert_eq!(content, format!("{}\n", std::process::id()));
}

#[test]
fn a_file_in_the_place_of_the_directory_is_an_error() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let root = parent.path().join("data");
    fs::write(&root, "").expect("a file");
    let error = DataDir::open(&root).expect_err("not a directory");
    assert!(matches!(error, DataDirError::Io { .. }), "{error}");
}

#[test]
fn the_database_of_a_newer_host_is_left_alone() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let path = parent.path().join("umari.sqlite");
    drop(open_database(&path).expect("a database"));
    let newer = SCHEMA_VERSION + 1;
    let connection = Connection::open(&path).expect("a connection");
    connection
        .pragma_update(None, "user_version", newer)
        .expect("a change");
    let error = open_database(&path).expect_err("a newer schema");
    let expected = format!(
        "{} has schema version {newer} and this host knows versions up to {SCHEMA_VERSION}: use \
         the host that wrote it, or a newer one",
        path.display()
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_database_of_the_first_version_keeps_what_it_holds() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let path = parent.path().join("umari.sqlite");
    let first = Connection::open(&path).expect("a connection");
    first
        .execute_batch(MIGRATIONS[0])
        .expect("the first schema");
    first
        .execute_batch(
            "INSERT INTO data_key (id, scope, wrapped, created_at)
                 VALUES (zeroblob(16), 'shop_id:7', x'01', 5);
             PRAGMA user_version = 1;",
        )
        .expect("a row");
    drop(first);
    let connection = open_database(&path).expect("a database");
    let scope: String = connection
        .query_row("SELECT scope FROM data_key", [], |row| row.get(0))
        .expect("the row");
    let entries: i64 = connection
        .query_row("SELECT count(*) FROM key_audit", [], |row| row.get(0))
        .expect("the new table");
    assert_eq!((scope.as_str(), entries), ("shop_id:7", 0));
}

#[test]
fn a_file_that_is_no_database_is_an_error() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let path = parent.path().join("umari.sqlite");
    fs::write(&path, "not a database, however long it is ".repeat(100)).expect("a file");
    let error = open_database(&path).expect_err("not a database");
    assert!(matches!(error, DatabaseError::Damaged { .. }), "{error}");
}

#[test]
fn a_database_is_made_once_however_many_open_it() {
    let parent = tempfile::tempdir().expect("a temporary directory");
    let path = parent.path().join("umari.sqlite");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| open_database(&path).expect("a database"));
        }
    });
    let connection = open_database(&path).expect("a database");
    let pragma = |name| {
        let value = connection
            .pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0));
        value.expect(name)
    };
    use rusqlite::types::Value::{Integer, Text};
    assert_eq!(pragma("user_version"), Integer(SCHEMA_VERSION));
    assert_eq!(pragma("journal_mode"), Text("wal".to_owned()));
    assert_eq!(pragma("synchronous"), Integer(2), "full");
    assert_eq!(pragma("foreign_keys"), Integer(1));
    assert_eq!(pragma("secure_delete"), Integer(1));
}

/// A connection that gives up at once stands for what SQLite does where another moves pages.
#[test]
fn a_log_that_is_busy_is_emptied_when_that_is_over() {
    static ASKED: AtomicBool = AtomicBool::new(false);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sqlite");
    let open = || Connection::open(&path).unwrap();
    let mut connection = open();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        .unwrap();
    connection
        .busy_handler(Some(|_| {
            ASKED.store(true, Ordering::Release);
            false
        }))
        .unwrap();
    let reader = open();
    reader.execute_batch("BEGIN; SELECT * FROM t").unwrap();
    connection
        .execute_batch("INSERT INTO t VALUES (2)")
        .unwrap();
    let emptied = std::thread::spawn(move || empty_write_ahead_log(&connection));
    while !ASKED.load(Ordering::Acquire) {
        assert!(!emptied.is_finished(), "it was never busy");
        std::thread::yield_now();
    }
    reader.execute_batch("COMMIT").unwrap();
    emptied.join().unwrap().unwrap();
    let log = path.with_extension("sqlite-wal");
    assert_eq!(std::fs::metadata(log).unwrap().len(), 0);
}
