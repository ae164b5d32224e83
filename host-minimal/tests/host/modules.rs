//! Upload stores, activation swaps; nothing that cannot run gets that far.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use host_minimal::host::ModuleError;
use host_minimal::modules::{LoadError, ModuleKind, ModuleStoreError};
use host_minimal::{Host, HostConfig, StartError};
use serde_json::json;

use crate::support::{TestHost, fixtures, name, upload};

fn refused(host: &TestHost, kind: ModuleKind, module: &str, wasm: Vec<u8>) -> LoadError {
    let mut upload = upload(kind, module, "1.0.0", &[]);
    upload.wasm = wasm;
    match host.host.upload(upload) {
        Err(ModuleError::Load(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_run_is_not_stored() {
    let host = TestHost::start();
    let commands = &fixtures().commands;
    refused(&host, ModuleKind::Command, "note", b"hello".to_vec());
    refused(
        &host,
        ModuleKind::Command,
        "note",
        commands[..commands.len() / 2].to_vec(),
    );
    refused(&host, ModuleKind::Command, "other", commands.clone());
    refused(&host, ModuleKind::Projector, "notes", commands.clone());
    refused(
        &host,
        ModuleKind::Effect,
        "notes",
        fixtures().projector.clone(),
    );
    refused(
        &host,
        ModuleKind::Command,
        "notes",
        fixtures().projector.clone(),
    );

    let mut newer = commands.clone();
    let (contract, next) = (b"\"contract\":\"0.1", b"\"contract\":\"9.1");
    let at: Vec<usize> = (0..newer.len() - contract.len())
        .filter(|at| &newer[*at..*at + contract.len()] == contract)
        .collect();
    for at in at {
        newer[at..at + next.len()].copy_from_slice(next);
    }
    let text = refused(&host, ModuleKind::Command, "note", newer).to_string();
    assert!(
        text.contains("9.1.0") && text.contains(host_minimal::CONTRACT_VERSION),
        "{text}"
    );
    assert!(host.host.stored(None).expect("a module store").is_empty());
}

#[test]
fn a_version_names_its_bytes_for_good() {
    let host = TestHost::start();
    let first = upload(ModuleKind::Projector, "notes", "1.0.0", &[]);
    assert!(
        !host
            .host
            .upload(first.clone())
            .expect("stored")
            .already_present
    );
    assert!(
        host.host
            .upload(first.clone())
            .expect("the same again")
            .already_present
    );
    let mut changed = first.clone();
    changed.env.insert("A".into(), "1".into());
    match host.host.upload(changed) {
        Err(ModuleError::Store(ModuleStoreError::EnvironmentDiffers { .. })) => {}
        other => panic!("{other:?}"),
    }
    match host.host.activate(
        ModuleKind::Projector,
        &first.name,
        &"2.0.0".parse().expect("a version"),
    ) {
        Err(ModuleError::Store(ModuleStoreError::UnknownVersion { .. })) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_restart_finds_everything_as_it_was() {
    let host = TestHost::with_commands();
    host.deploy(ModuleKind::Projector, "notes", &[]);
    host.note("a", 1, "x");
    host.wait_caught_up("notes");
    let host = host.restart();
    host.note("a", 2, "y");
    host.wait_caught_up("notes");
    let rows: i64 = host
        .read_model("notes")
        .query_row("SELECT count(*) FROM notes", (), |row| row.get(0))
        .expect("rows");
    assert_eq!(rows, 2);
    let executed = host
        .execute("count-up", json!({ "counter": "a" }))
        .expect("success");
    assert_eq!(executed.position, Some(3));
}

/// The compiled modules of a host: each file and what it is on disk.
fn compiled(host: &TestHost) -> BTreeMap<PathBuf, u64> {
    let files = std::fs::read_dir(host.directory().join("data/cache")).expect("a cache");
    files
        .map(|file| file.expect("a file"))
        .filter(|file| file.path().extension().is_some_and(|it| it == "cwasm"))
        .map(|file| (file.path(), file.metadata().expect("metadata").ino()))
        .collect()
}

#[test]
fn a_restart_compiles_nothing_but_what_was_tampered_with() {
    let host = TestHost::start();
    host.deploy(ModuleKind::Command, "note", &[]);
    host.deploy(ModuleKind::Projector, "notes", &[]);
    let first = compiled(&host);
    assert_eq!(first.len(), 2);
    let host = host.restart();
    // What is compiled is written to a file of its own, and renamed.
    assert_eq!(compiled(&host), first, "nothing was compiled");

    let mut files = first.keys();
    let (flipped, truncated) = (files.next().expect("one"), files.next().expect("two"));
    let mut bytes = std::fs::read(flipped).expect("an entry");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(flipped, bytes).expect("written");
    let bytes = std::fs::read(truncated).expect("an entry");
    std::fs::write(truncated, &bytes[..bytes.len() / 2]).expect("written");
    let host = host.restart();
    let again = compiled(&host);
    assert!(first.keys().eq(again.keys()));
    assert!(
        first
            .values()
            .zip(again.values())
            .all(|(before, now)| before != now),
        "both were"
    );
    host.note("a", 1, "x");
    host.wait_caught_up("notes");
}

#[test]
fn a_deactivated_module_is_gone_until_it_is_activated_again() {
    let host = TestHost::with_commands();
    assert!(
        host.host
            .deactivate(ModuleKind::Command, &name("note"))
            .expect("a store")
    );
    assert!(
        !host
            .host
            .deactivate(ModuleKind::Command, &name("note"))
            .expect("a store")
    );
    host.execute("note", json!({ "counter": "a", "note_id": 1 }))
        .expect_err("it is gone");
    host.deploy(ModuleKind::Command, "note", &[]);
    host.note("a", 1, "x");
}

#[test]
fn two_hosts_do_not_share_a_directory() {
    let host = TestHost::start();
    match Host::start(HostConfig::new(host.directory().join("data"))) {
        Err(StartError::DataDir(error)) => assert!(error.to_string().contains("in use"), "{error}"),
        other => panic!("{other:?}"),
    }
}
