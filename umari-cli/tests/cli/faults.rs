//! Full disks and damaged files: what a user is told, and what goes on nevertheless.

use std::fs;
use std::path::Path;
use std::time::Instant;

use serde_json::json;

use crate::api::{Answer, Api, Built, Module};
use crate::fixtures::fixtures;
use crate::support::{
    Ended, PATIENCE, Server, fill_disk, on_a_small_disk, run, umari, with_failing_writes,
};

/// A server that bears full disks, with `note` and the projector that reads it.
struct Noting {
    server: Server,
    api: Api,
}

impl Noting {
    fn start(data: &Path) -> Self {
        let mut command = umari();
        command
            .args(["serve", "--addr", "127.0.0.1:0", "--data-dir"])
            .arg(data);
        let server = Server::start(&mut with_failing_writes(&command));
        let api = Api::at(server.url.clone());
        Self { server, api }
    }

    fn deploy(&self) {
        for (kinds, name, wasm) in [
            ("commands", "note", &fixtures().commands),
            ("commands", "note-secret", &fixtures().commands),
            ("projectors", "notes", &fixtures().projector),
        ] {
            let (wasm, env) = (wasm.clone(), Vec::new());
            assert!(self.api.upload(kinds, name, "1.0.0", &Built { wasm, env }));
            assert!(self.api.activate(kinds, name, "1.0.0"));
        }
        self.api.wait_caught_up();
    }

    fn deploy_command(&self) {
        let wasm = fixtures().commands.clone();
        let (kinds, name, env) = ("commands", "note", Vec::new());
        assert!(self.api.upload(kinds, name, "1.0.0", &Built { wasm, env }));
        assert!(self.api.activate(kinds, name, "1.0.0"));
    }

    fn note(&self, note_id: u64, text: &str) {
        let input = json!({ "counter": "a", "note_id": note_id, "text": text });
        let answer = self.api.execute("note", &input, None);
        assert!(matches!(answer, Answer::Acknowledged { .. }), "{answer:?}");
    }

    fn projector(&self) -> Module {
        let modules = self.api.modules();
        let module = modules.into_iter().find(|module| module.name == "notes");
        module.expect("a projector")
    }

    fn wait_for(&self, reached: impl Fn(&Module) -> bool) -> Module {
        let end = Instant::now() + PATIENCE;
        loop {
            let module = self.projector();
            if reached(&module) {
                return module;
            }
            assert!(Instant::now() < end, "it did not happen: {module:?}");
            std::thread::yield_now();
        }
    }
}

#[test]
fn a_projector_without_room_says_so_and_goes_on_when_there_is_some() {
    let data = tempfile::tempdir().expect("a directory");
    let noting = Noting::start(data.path());
    noting.deploy();
    noting.note(1, "one");
    noting.wait_for(|module| module.position == Some(1));
    fill_disk(noting.server.pid(), Some(4 << 20));
    // Its four rows have 8 MB: more than any file may have, and the event is small.
    noting.note(2, "bulky");
    let stuck = noting.wait_for(|module| module.last_error.is_some());
    assert_eq!((stuck.healthy, stuck.position), (false, Some(1)));
    let error = stuck.last_error.expect("an error");
    let message = error["message"].as_str().expect("a message");
    assert!(message.contains("disk"), "{message}");
    noting.note(3, "commands go on");

    fill_disk(noting.server.pid(), None);
    noting.wait_for(|module| module.healthy && module.position == Some(3));
    let connection = rusqlite::Connection::open(data.path().join("projector/notes.sqlite"));
    let rows: Vec<(u64, u64)> = connection
        .expect("a read model")
        .prepare("SELECT note_id, (SELECT count(*) FROM relayed) FROM notes ORDER BY position")
        .expect("a table")
        .query_map((), |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("rows")
        .collect::<Result<_, _>>()
        .expect("rows");
    assert_eq!(rows, [(1, 4), (2, 4), (3, 4)], "each once");
}

#[test]
fn a_module_for_which_there_is_no_room_is_not_stored_and_the_server_lives() {
    let data = tempfile::tempdir().expect("a directory");
    let noting = Noting::start(data.path());
    fill_disk(noting.server.pid(), Some(64 << 10));
    let module = Built {
        wasm: fixtures().commands.clone(),
        env: Vec::new(),
    };
    let (status, problem) = noting.api.try_upload("commands", "note", "1.0.0", &module);
    assert_eq!(
        (status, &problem["code"]),
        (500, &json!("module-store-failed"))
    );
    fill_disk(noting.server.pid(), None);
    noting.deploy();
    noting.note(1, "one");
    noting.wait_for(|module| module.position == Some(1));
}

#[test]
fn a_secret_for_whose_key_there_is_no_room_is_refused_and_the_server_lives() {
    let data = tempfile::tempdir().expect("a directory");
    let noting = Noting::start(data.path());
    noting.deploy();
    let secret = || {
        let input = json!({ "owner": "ann", "text": "a secret" });
        noting.api.execute("note-secret", &input, None)
    };
    fill_disk(noting.server.pid(), Some(1));
    // The key must be durable first, so the log was not touched and nothing is unknown.
    assert_eq!(secret(), Answer::Refused("store-unavailable".to_owned()));
    fill_disk(noting.server.pid(), None);
    assert!(matches!(secret(), Answer::Acknowledged { position: 1, .. }));
}

#[test]
fn a_full_disk_at_the_start_is_not_taken_for_damage() {
    let parent = tempfile::tempdir().expect("a directory");
    let data = parent.path().join("data");
    let mut command = umari();
    command
        .args([
            "serve",
            "--addr",
            "127.0.0.1:0",
            "--no-banner",
            "--data-dir",
        ])
        .arg(&data);
    // The event store takes 256 MiB at once.
    let ended = run(&mut on_a_small_disk(&command));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for expected in ["events.db.new could not be opened", "File too large"] {
        assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    }
    let noting = Noting::start(&data);
    noting.deploy();
    noting.note(1, "one");
}

/// What `umari serve` says on a directory on which it does not start.
fn refusal(data: &Path) -> Ended {
    let ended = run(umari()
        .args([
            "serve",
            "--addr",
            "127.0.0.1:0",
            "--no-banner",
            "--data-dir",
        ])
        .arg(data));
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(1), ""),
        "{ended:?}"
    );
    let errors = ended.stderr.lines().filter(|it| it.starts_with("error:"));
    assert_eq!(errors.count(), 1, "{}", ended.stderr);
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
    ended
}

#[test]
fn a_server_refuses_to_start_on_files_that_it_cannot_trust() {
    let parent = tempfile::tempdir().expect("a directory");
    let data = parent.path().join("data");
    let noting = Noting::start(&data);
    noting.deploy();
    noting.note(1, "one");
    noting.wait_for(|module| module.position == Some(1));
    assert!(noting.server.end_by("TERM").0.success());

    for (name, content, what) in [
        (
            "umari.sqlite",
            &[0xff; 4 * 4096][..],
            "umari.sqlite is not a database",
        ),
        ("umari.sqlite", b"text", "umari.sqlite is not a database"),
        (
            "events.db",
            &[0xff; 4 * 4096],
            "events.db is not an event store that can be read",
        ),
        (
            "events.db",
            b"",
            "events.db is not an event store that can be read",
        ),
        ("master.key", b"a key", "64 hexadecimal digits"),
    ] {
        let (path, kept) = (data.join(name), parent.path().join("kept"));
        fs::rename(&path, &kept).expect("a file");
        fs::write(&path, content).expect("a file");
        if name == "master.key" {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        }
        let said = refusal(&data).stderr;
        assert!(said.contains(what), "{name}: {said}");
        fs::rename(&kept, &path).expect("a file");
    }

    // A log that is gone is not begun anew under read models that know it.
    let (events, kept) = (data.join("events.db"), parent.path().join("kept"));
    fs::rename(&events, &kept).expect("a file");
    let said = refusal(&data).stderr;
    assert!(said.contains("events.db is missing"), "{said}");
    assert!(said.contains("restore it from a backup"), "{said}");
    fs::rename(&kept, &events).expect("a file");

    // Nothing of all this has harmed what was there.
    let noting = Noting::start(&data);
    noting.note(2, "two");
    noting.wait_for(|module| module.healthy && module.position == Some(2));
}

#[test]
fn a_log_without_its_metadata_is_not_served_before_somebody_wants_that() {
    let parent = tempfile::tempdir().expect("a directory");
    let data = parent.path().join("data");
    let noting = Noting::start(&data);
    noting.deploy();
    noting.note(1, "one");
    noting.wait_for(|module| module.position == Some(1));
    let secret = json!({ "owner": "ann", "text": "a secret" });
    let answer = noting.api.execute("note-secret", &secret, None);
    assert!(matches!(answer, Answer::Acknowledged { .. }), "{answer:?}");
    assert!(noting.server.end_by("TERM").0.success());

    let metadata = data.join("umari.sqlite");
    let kept = parent.path().join("kept");
    fs::rename(&metadata, &kept).expect("a file");
    let call = |command: &str, more: &[&str]| {
        let mut call = umari();
        call.args([command, "--addr", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .args(more)
            .current_dir(parent.path());
        call
    };
    for lost in ["missing", "empty", "blank"] {
        match lost {
            "empty" => fs::write(&metadata, "").expect("a file"),
            // What is copied without its write-ahead log may have no tables.
            "blank" => rusqlite::Connection::open(&metadata)
                .and_then(|it| it.pragma_update(None, "journal_mode", "wal"))
                .expect("a database"),
            _ => {}
        }
        let before = fs::read(&metadata).ok();
        for command in ["serve", "dev"] {
            let ended = run(&mut call(command, &[]));
            assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
            for what in [
                "umari.sqlite is missing or has nothing in it, but the log beside it has 2 events",
                "API keys",
                "put a copy of umari.sqlite back",
                "--new-metadata",
                "encrypted events stay unreadable",
            ] {
                assert!(
                    ended.stderr.contains(what),
                    "{lost}, {command}: {}",
                    ended.stderr
                );
            }
        }
        let there = fs::read(&metadata).ok();
        assert_eq!(there, before, "a refusal makes nothing");
    }
    let ended = run(umari()
        .args(["doctor", "--json", "--addr", "127.0.0.1:0", "--data-dir"])
        .arg(&data)
        .current_dir(parent.path()));
    assert_eq!(ended.code, Some(1), "{}", ended.stdout);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let checks = report["checks"].as_array().expect("checks");
    let check = checks.iter().find(|check| check["name"] == "modules");
    let check = check.expect("modules").to_string();
    for what in ["fault", "missing or has nothing in it", "--new-metadata"] {
        assert!(check.contains(what), "{check}");
    }

    // Wanted once, the log is served without all that was lost; a second time it is a mistake.
    let server = Server::start(&mut call("serve", &["--new-metadata"]));
    let noting = Noting {
        api: Api::at(server.url.clone()),
        server,
    };
    assert!(noting.api.modules().is_empty(), "the modules are gone");
    let events = noting.api.events_of_type("noted");
    assert_eq!(events[0].data["text"], "one");
    noting.deploy_command();
    noting.note(2, "two");
    assert!(noting.server.end_by("TERM").0.success());
    let ended = run(&mut call("serve", &["--new-metadata"]));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    for what in ["umari.sqlite is there", "leave --new-metadata out"] {
        assert!(ended.stderr.contains(what), "{}", ended.stderr);
    }

    // The copy that was lost: everything is as it was.
    for file in ["umari.sqlite", "umari.sqlite-wal", "umari.sqlite-shm"] {
        let _ = fs::remove_file(data.join(file));
    }
    fs::rename(&kept, &metadata).expect("a file");
    let noting = Noting::start(&data);
    noting.wait_for(|module| module.healthy && module.position == Some(3));
    let secrets = noting.api.events_of_type("secret.noted");
    assert_eq!(secrets[0].data["text"], "a secret");
}

#[test]
fn a_directory_that_cannot_be_written_is_named() {
    let parent = tempfile::tempdir().expect("a directory");
    // The superuser may write everywhere, so the directory is none.
    let file = parent.path().join("file");
    fs::write(&file, b"").expect("a file");
    let said = refusal(&file).stderr;
    assert!(
        said.contains(&format!("{} could not be created", file.display())),
        "{said}"
    );
    let data = parent.path().join("data");
    fs::create_dir(&data).expect("a directory");
    fs::write(data.join("projector"), b"").expect("a file");
    let said = refusal(&data).stderr;
    assert!(
        said.contains("data/projector could not be created"),
        "{said}"
    );
}
