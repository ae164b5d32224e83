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
    let address = taken.local_addr().expect("an address").to_string();
    // Not a server of ours: whoever connects is turned away.
    std::thread::spawn(move || taken.incoming().for_each(drop));
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
