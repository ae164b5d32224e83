//! `umari doctor` on machines with faults, each of them provoked.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::Value;

use crate::support::{Ended, Server, run, umari};

/// Looks at an empty directory, a data directory and an address that is free.
fn doctor(path: &Path, data: &Path, more: &[&str]) -> Ended {
    run(umari()
        .arg("doctor")
        .arg(path)
        .args(["--addr", "127.0.0.1:0"])
        .arg("--data-dir")
        .arg(data)
        .args(more))
}

/// What `--json` says about one thing.
fn check(ended: &Ended, name: &str) -> Value {
    let report: Value = serde_json::from_str(&ended.stdout).expect("JSON");
    let checks = report["checks"].as_array().expect("checks");
    let mut named = checks.iter().filter(|check| check["name"] == name);
    let found = named.next().unwrap_or_else(|| panic!("{name}: {report}"));
    assert!(named.next().is_none(), "{name} once: {report}");
    found.clone()
}

fn assert_fault(ended: &Ended, name: &str, found: &str, fix: &str) {
    assert_eq!(ended.code, Some(1), "{}\n{}", ended.stdout, ended.stderr);
    let check = check(ended, name);
    assert_eq!(check["state"], "fault", "{check}");
    let text = check["found"].as_str().expect("text");
    assert!(text.contains(found), "{check}");
    // The errors of keys say what to do themselves.
    let all = check.to_string();
    assert!(all.contains(fix), "{check}");
}

#[test]
fn a_machine_without_faults_is_healthy() {
    let here = tempfile::tempdir().expect("a directory");
    let data = here.path().join("data");
    let ended = doctor(here.path(), &data, &[]);
    assert_eq!(ended.code, Some(0), "{}\n{}", ended.stdout, ended.stderr);
    let last = ended.stdout.lines().last().expect("a summary");
    assert!(last.starts_with("healthy: no fault"), "{}", ended.stdout);
    assert!(!data.exists(), "it makes nothing");

    let server = Server::serve(&data);
    let ended = doctor(here.path(), &data, &["--json"]);
    let found = check(&ended, "data")["found"].to_string();
    assert!(
        found.contains(&format!("process {}", server.pid())),
        "{found}"
    );
    let (status, stderr) = server.end_by("TERM");
    assert_eq!(status.code(), Some(0), "{stderr}");

    let ended = doctor(here.path(), &data, &["--json"]);
    assert_eq!(ended.code, Some(0), "{}", ended.stdout);
    for part in ["store", "modules", "key", "target", "toolchain", "versions"] {
        assert_eq!(check(&ended, part)["state"], "ok", "{part}");
    }
}

/// A crate that is a module, with a component in its target directory that says this of itself.
fn module(dir: &Path, record: &str) {
    let write = |file: &str, content: &[u8]| {
        let file = dir.join(file);
        fs::create_dir_all(file.parent().expect("a parent")).expect("created");
        fs::write(file, content).expect("written");
    };
    write(
        "Cargo.toml",
        b"[package]\nname = \"add-task\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\", \"rlib\"]\n\
          [dependencies]\numari = \"0.1\"\n[workspace]\n",
    );
    write("src/lib.rs", b"");
    let version = env!("CARGO_PKG_VERSION");
    let lock = format!("version = 4\n[[package]]\nname = \"umari\"\nversion = \"{version}\"\n");
    write("Cargo.lock", lock.as_bytes());
    let mut section = vec![12];
    section.extend(b"umari.module");
    section.extend(record.as_bytes());
    let mut wasm = b"\0asm\x01\0\0\0\0".to_vec();
    wasm.push(u8::try_from(section.len()).expect("a short record"));
    wasm.extend(section);
    write("target/wasm32-wasip2/release/add_task.wasm", &wasm);
}

#[test]
fn two_faults_at_once_are_a_report_to_act_on() {
    let here = tempfile::tempdir().expect("a directory");
    let place = here.path().canonicalize().expect("a directory");
    module(
        &place,
        r#"{"kind":"command","name":"a","sdk":"7.0.0","contract":"7.0.0"}"#,
    );
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    // Not a server of ours: whoever connects is turned away.
    std::thread::spawn(move || taken.incoming().for_each(drop));
    let ended = run(umari()
        .args(["doctor", "--addr", &address, "--data-dir", "data"])
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(&place));
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    // What differs from machine to machine: versions, places, and how much is free.
    let shown: Vec<String> = ended
        .stdout
        .lines()
        .filter(|line| !line.contains("  toolchain") && !line.contains("  space"))
        .map(|line| {
            line.replace(&address, "ADDRESS")
                .replace(place.to_str().expect("text"), "HERE")
        })
        .collect();
    expect_test::expect![[r#"
             ok  versions    umari 0.1.0, contract 0.1.0
             ok  target      wasm32-wasip2 is installed
        warning  workspace   1 module in HERE, none with `umari-testing`
                        fix  cargo add --dev umari-testing, in the crates that have something to prove
             ok  sdk         umari 0.1.0
          fault  components  1 component that no host of this version runs
                        why  add-task (release) is built with umari 7.0.0 for contract 7.0.0, and hosts of this version run 0.1.0
                        fix  umari build
          fault  address     cannot listen on ADDRESS
                        why  another program listens there
                        fix  stop what listens there, or choose another address with --addr or UMARI_API_ADDR
           none  data        data has nothing of umari's yet
        2 faults: 1 warning"#]].assert_eq(&shown.join("\n"));
}

#[test]
fn a_server_is_of_this_version_or_does_not_answer() {
    let here = tempfile::tempdir().expect("a directory");
    let data = here.path().join("data");
    let server = Server::start(
        umari()
            .args(["serve", "--addr", "127.0.0.1:0", "--data-dir"])
            .arg(&data)
            .env("UMARI_API_KEY", "secret"),
    );
    let ask = |more: &[&str]| {
        let all = [&["--json", "--url", &server.url][..], more].concat();
        doctor(here.path(), &here.path().join("none"), &all)
    };
    let asked = ask(&["--api-key", "secret"]);
    assert_eq!(asked.code, Some(0), "{}", asked.stdout);
    let found = check(&asked, "server");
    let version = format!("umari {} at {}", env!("CARGO_PKG_VERSION"), server.url);
    assert_eq!(
        (&found["state"], &found["found"]),
        (&"ok".into(), &version.into())
    );
    assert_fault(
        &ask(&["--api-key", "other"]),
        "server",
        "key",
        "UMARI_API_KEY",
    );
    let url = server.url.clone();
    drop(server);
    let asked = doctor(here.path(), &data, &["--json", "--url", &url]);
    assert_fault(&asked, "server", "does not answer", "--url or UMARI_URL");
}

#[test]
fn an_address_is_free_ours_or_taken() {
    let here = tempfile::tempdir().expect("a directory");
    let at = |address: &str| {
        run(umari()
            .arg("doctor")
            .arg(here.path())
            .args(["--json", "--addr", address])
            .current_dir(here.path()))
    };
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    // Not a server of ours: whoever connects gets no answer.
    let address = taken.local_addr().expect("an address").to_string();
    let found = format!("cannot listen on {address}");
    assert_fault(
        &at(&address),
        "address",
        &found,
        "choose another address with --addr",
    );

    let server = Server::serve(&here.path().join("data"));
    let ended = at(server.url.trim_start_matches("http://"));
    assert_eq!(check(&ended, "address")["state"], "ok", "{}", ended.stdout);
}

#[test]
fn a_data_directory_that_cannot_be_one_is_a_fault() {
    let here = tempfile::tempdir().expect("a directory");
    let data = here.path().join("data");
    fs::write(&data, "a file").expect("written");
    let ended = doctor(here.path(), &data, &["--json"]);
    assert_fault(
        &ended,
        "data",
        "no host can start on",
        "--data-dir or UMARI_DATA_DIR",
    );
}

#[test]
fn each_part_of_a_data_directory_has_its_fault_and_fix() {
    let here = tempfile::tempdir().expect("a directory");
    let data = here.path().join("data");
    let (status, stderr) = Server::serve(&data).end_by("TERM");
    assert_eq!(status.code(), Some(0), "{stderr}");

    let key = data.join("master.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("a mode");
    let ended = doctor(here.path(), &data, &["--json"]);
    assert_fault(&ended, "key", "the master key cannot be used", "chmod 600");
    // The same as a person reads it.
    let ended = doctor(here.path(), &data, &[]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stdout.contains("fault  key"), "{}", ended.stdout);
    let last = ended.stdout.lines().last().expect("a summary");
    assert!(last.starts_with("1 fault: "), "{}", ended.stdout);

    fs::write(data.join("events.db"), "not a store").expect("written");
    let ended = doctor(here.path(), &data, &["--json"]);
    assert_fault(
        &ended,
        "store",
        "the event log cannot be read",
        "umari restore",
    );
}

/// A host that was killed when it had wrapped all keys with the next master key, and not yet put
/// that in the place of the old one.
#[test]
fn an_interrupted_rotation_is_no_fault() {
    let here = tempfile::tempdir().expect("a directory");
    let data = here.path().join("data");
    let (status, stderr) = Server::serve(&data).end_by("TERM");
    assert_eq!(status.code(), Some(0), "{stderr}");
    let (key, next) = (data.join("master.key"), data.join("master.key.next"));
    let old = fs::read(&key).expect("a key");
    let rotated = run(umari()
        .args(["keys", "rotate", "--yes", "--data-dir"])
        .arg(&data));
    assert_eq!(rotated.code, Some(0), "{}", rotated.stderr);
    fs::rename(&key, &next).expect("a key");
    fs::write(&key, old).expect("a key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("a mode");

    let ended = doctor(here.path(), &data, &["--json"]);
    assert_eq!(check(&ended, "key")["state"], "ok", "{}", ended.stdout);
    assert!(next.exists(), "it settles nothing");
    Server::serve(&data);
    assert!(!next.exists(), "the host does");
}

#[test]
fn a_key_file_that_is_not_in_use_is_told() {
    let here = tempfile::tempdir().expect("a directory");
    let data = here.path().join("data");
    let digits = "ab".repeat(32);
    let serve = || {
        let mut serve = umari();
        serve.args(["serve", "--addr", "127.0.0.1:0", "--data-dir"]);
        serve.arg(&data).env("UMARI_MASTER_KEY", &digits);
        let (status, stderr) = Server::start(&mut serve).end_by("TERM");
        assert_eq!(status.code(), Some(0), "{stderr}");
        stderr
    };
    let look = || {
        let ended = run(umari()
            .arg("doctor")
            .arg(here.path())
            .args(["--addr", "127.0.0.1:0", "--json", "--data-dir"])
            .arg(&data)
            .env("UMARI_MASTER_KEY", &digits));
        check(&ended, "key")
    };
    let told = "master.key is not in use";
    assert!(!serve().contains(told));
    assert_eq!(look()["state"], "ok");
    // What a kill in a rotation to a configured key leaves.
    fs::write(data.join("master.key"), "cd".repeat(32)).expect("a key");
    assert!(serve().contains(told));
    let check = look();
    assert_eq!(check["state"], "warning", "{check}");
    let found = check["found"].as_str().expect("text");
    assert!(found.contains(told), "{check}");
}

#[test]
fn a_toolchain_is_missing_or_lacks_the_target() {
    let here = tempfile::tempdir().expect("a directory");
    let with_path = |path: &Path| {
        run(umari()
            .arg("doctor")
            .arg(here.path())
            .args(["--json", "--addr", "127.0.0.1:0"])
            .current_dir(here.path())
            .env_remove("RUSTC")
            .env("PATH", path))
    };
    let ended = with_path(here.path());
    assert_fault(
        &ended,
        "toolchain",
        "there is no Rust compiler",
        "https://rustup.rs",
    );

    let tools = here.path().join("tools");
    fs::create_dir(&tools).expect("created");
    for (name, script) in [
        (
            "rustc",
            "if [ \"$1\" = --print ]; then echo /nowhere; else echo rustc 1.0.0; fi",
        ),
        ("cargo", "echo cargo 1.0.0"),
    ] {
        let tool = tools.join(name);
        fs::write(&tool, format!("#!/bin/sh\n{script}\n")).expect("written");
        fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let ended = with_path(&tools);
    assert_fault(
        &ended,
        "target",
        "is not installed",
        "rustup target add wasm32-wasip2",
    );
}
