//! Data directories in every state, looked at.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::*;
use crate::keys::KeyError;
use crate::{Host, HostConfig};

/// What a host leaves behind that ran once.
fn left_behind() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let host = Host::start(HostConfig::new(directory.path())).expect("a host");
    host.shutdown(std::time::Duration::from_secs(10));
    directory
}

fn found(root: &Path, master_key: Option<&str>) -> Found {
    match survey(root, master_key).expect("a survey") {
        Survey::Found(found) => *found,
        other => panic!("{other:?}"),
    }
}

#[test]
fn where_nothing_is_nothing_is_made() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    assert!(matches!(survey(directory.path(), None), Ok(Survey::Absent)));
    let missing = directory.path().join("missing");
    assert!(matches!(survey(&missing, None), Ok(Survey::Absent)));
    assert_eq!(fs::read_dir(directory.path()).expect("entries").count(), 0);
}

#[test]
fn a_host_that_runs_is_seen_and_left_alone() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let _host = Host::start(HostConfig::new(directory.path())).expect("a host");
    let Ok(Survey::InUse { process }) = survey(directory.path(), None) else {
        panic!("a host runs");
    };
    assert_eq!(process, Some(std::process::id()));
}

#[test]
fn what_a_host_left_behind_is_found_whole() {
    let directory = left_behind();
    let Found {
        database,
        master_key,
        head,
    } = found(directory.path(), None);
    let catalogue = database.expect("a database").expect("one");
    assert_eq!((catalogue.active_modules, catalogue.data_keys), (0, 0));
    assert!(!catalogue.outdated);
    assert!(master_key.expect("the right key"));
    assert_eq!(head.expect("a store"), Some(0));
    // The next host finds it unlocked.
    Host::start(HostConfig::new(directory.path())).expect("a host");
}

#[test]
fn a_file_in_the_directorys_place_is_an_error() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let file = directory.path().join("data");
    fs::write(&file, "").expect("written");
    assert!(matches!(survey(&file, None), Err(StartError::DataDir(_))));
}

#[test]
fn every_part_has_its_own_fault() {
    let directory = left_behind();
    let root = directory.path();

    fs::set_permissions(root.join("master.key"), fs::Permissions::from_mode(0o644))
        .expect("a mode");
    let exposed = found(root, None).master_key.unwrap_err();
    assert!(matches!(
        exposed,
        StartError::Keys(KeyError::ExposedMasterKey { mode: 0o644, .. })
    ));
    let other = found(root, Some(&"ab".repeat(32))).master_key.unwrap_err();
    assert!(matches!(other, StartError::Keys(KeyError::WrongMasterKey)));
    fs::remove_file(root.join("master.key")).expect("removed");
    let missing = found(root, None).master_key.unwrap_err();
    assert!(matches!(
        missing,
        StartError::Keys(KeyError::MissingMasterKey { .. })
    ));
    assert!(!root.join("master.key").exists(), "a survey makes no key");

    fs::write(root.join("events.db"), "not a store").expect("written");
    assert!(matches!(
        found(root, None).head.unwrap_err(),
        StartError::EventStore(_)
    ));
    for sidecar in ["umari.sqlite-wal", "umari.sqlite-shm"] {
        let _ = fs::remove_file(root.join(sidecar));
    }
    fs::write(root.join("umari.sqlite"), "not a database").expect("written");
    assert!(matches!(
        found(root, None).database.unwrap_err(),
        StartError::Database(_)
    ));
}
