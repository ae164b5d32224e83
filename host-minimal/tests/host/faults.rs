//! Files that are damaged while the host is away, and what it makes of them.

use std::fs;
use std::path::{Path, PathBuf};

use host_minimal::modules::ModuleKind;

use crate::support::{PATIENCE, TestHost};

/// Stops the host, lets `damage` loose on its data directory, and starts it again.
fn after(host: TestHost, damage: impl FnOnce(&Path)) -> TestHost {
    assert!(host.host.shutdown(PATIENCE));
    damage(&host.directory().join("data"));
    host.restart()
}

/// Removes a database and what SQLite keeps beside it.
fn delete(database: &Path) {
    for end in ["", "-wal", "-shm"] {
        // The last connection may have removed what lies beside it.
        let _ = fs::remove_file(format!("{}{end}", database.display()));
    }
}

fn rows(host: &TestHost) -> Vec<u64> {
    let connection = host.read_model("notes");
    let mut statement = connection
        .prepare("SELECT note_id FROM notes ORDER BY position")
        .expect("a table");
    let rows = statement.query_map((), |row| row.get(0)).expect("rows");
    rows.map(|row| row.expect("a row")).collect()
}

#[test]
fn a_modules_damaged_database_is_named_and_harms_no_other_module() {
    let host = TestHost::with_commands();
    host.deploy(ModuleKind::Projector, "notes", &[]);
    host.deploy(
        ModuleKind::Effect,
        "relay",
        &[("TARGET", "http://127.0.0.1:1")],
    );
    for note_id in 1..=3 {
        host.note("a", note_id, "quiet");
    }
    host.wait_caught_up("relay");
    host.wait_caught_up("notes");
    let host = after(host, |data| {
        for file in ["projector/notes.sqlite", "effect/relay.sqlite"] {
            delete(&data.join(file));
            fs::write(data.join(file), [0xff; 3 * 4_096]).expect("a file");
        }
    });
    for (name, file) in [
        ("notes", "projector/notes.sqlite"),
        ("relay", "effect/relay.sqlite"),
    ] {
        let (status, failure) = host.wait_for_failure(name, 2);
        assert!(!status.is_healthy());
        let path = host.directory().join("data").join(file);
        let expected = format!(
            "{} is not a database that can be read: restore",
            path.display()
        );
        assert!(
            failure.message.starts_with(&expected),
            "{}",
            failure.message
        );
        assert_eq!(failure.position, None);
    }
    host.note("a", 4, "quiet");

    for file in ["projector/notes.sqlite", "effect/relay.sqlite"] {
        delete(&host.directory().join("data").join(file));
    }
    host.wait_caught_up("relay");
    host.wait_caught_up("notes");
    assert_eq!(rows(&host), [1, 2, 3, 4], "replayed");
    assert_eq!(
        host.events("note.relayed").len(),
        4,
        "recorded once nevertheless"
    );
}

#[test]
fn a_read_model_of_another_log_is_not_taken_for_one_of_this() {
    let host = TestHost::with_commands();
    host.deploy(ModuleKind::Projector, "notes", &[]);
    host.note("a", 1, "one");
    let host = after(host, |data| {
        let older = data.join("older");
        fs::copy(data.join("events.db"), older).expect("a copy");
    });
    let later = host.note("a", 2, "two");
    host.wait_caught_up("notes");
    let host = after(host, |data| {
        fs::rename(data.join("older"), data.join("events.db")).expect("a backup");
    });
    let (_, failure) = host.wait_for_failure("notes", 1);
    let expected = format!("handled everything up to position {later}, but the log ends at 1");
    assert!(failure.message.contains(&expected), "{}", failure.message);
    // Its position is taken again, by another event.
    assert_eq!(host.note("a", 7, "another"), later);
    let host = after(host, |_| ());
    let (_, failure) = host.wait_for_failure("notes", 1);
    let expected = format!("at position {later}, where the log has ");
    assert!(failure.message.contains(&expected), "{}", failure.message);

    delete(&host.directory().join("data/projector/notes.sqlite"));
    host.wait_caught_up("notes");
    assert_eq!(rows(&host), [1, 7]);
}

/// The one compiled module in a cache.
fn entry(data: &Path) -> PathBuf {
    let entries = fs::read_dir(data.join("cache")).expect("a cache");
    let mut entries: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|it| it == "cwasm"))
        .collect();
    assert_eq!(entries.len(), 1);
    entries.remove(0)
}

#[test]
fn a_damaged_compile_cache_costs_time_only() {
    let mut host = TestHost::start();
    host.deploy(ModuleKind::Projector, "notes", &[]);
    let path = entry(&host.directory().join("data"));
    let whole = fs::read(&path).expect("an entry");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [flipped, whole[..whole.len() / 2].to_vec(), Vec::new()] {
        host = after(host, |_| fs::write(&path, &damaged).expect("a file"));
        host.wait_caught_up("notes");
        assert_ne!(fs::read(&path).expect("an entry"), damaged, "compiled anew");
    }
    let host = after(host, |data| {
        fs::write(data.join("cache/key"), [7; 32]).expect("a key");
    });
    host.wait_caught_up("notes");
}
