//! The module store.

use rusqlite::Connection;
use tempfile::TempDir;

use super::*;

struct Fixture {
    store: ModuleStore,
    directory: TempDir,
}

fn fixture() -> Fixture {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let store = ModuleStore::open(&directory.path().join("umari.sqlite")).expect("a store");
    Fixture { store, directory }
}

fn name(text: &str) -> ModuleName {
    text.parse().expect("a name")
}

fn version(text: &str) -> Version {
    text.parse().expect("a version")
}

fn settings(text: &str) -> ModuleSettings {
    ModuleSettings::from_json(text).expect("settings")
}

fn module(kind: ModuleKind, text: &str, number: &str) -> NewModule {
    NewModule {
        kind,
        name: name(text),
        version: version(number),
        sdk: "umari 0.1.0".to_owned(),
        contract: "0.1.0".to_owned(),
        env: BTreeMap::from([("LOG".to_owned(), "a=b".to_owned())]),
        settings: settings(r#"{"limits": {"memory_mb": 8}}"#),
        wasm: b"\0asm".to_vec(),
    }
}

use ModuleKind::{Command, Effect, Projector};

#[test]
fn a_version_never_changes() {
    let Fixture { store, .. } = fixture();
    let first = store
        .insert(module(Command, "sell", "1.0.0"))
        .expect("an insertion");
    assert!(!first.already_present);
    let again = store
        .insert(module(Command, "sell", "1.0.0"))
        .expect("the same");
    assert_eq!(
        again,
        Inserted {
            already_present: true,
            module: first.module.clone()
        }
    );

    let changed = NewModule {
        wasm: b"\0asm2".to_vec(),
        ..module(Command, "sell", "1.0.0")
    };
    let error = store.insert(changed).expect_err("other bytes").to_string();
    assert!(
        error.contains(&ContentHash::of(b"\0asm").to_string()),
        "{error}"
    );
    assert!(
        error.contains(&ContentHash::of(b"\0asm2").to_string()),
        "{error}"
    );

    let changed = NewModule {
        env: BTreeMap::new(),
        ..module(Command, "sell", "1.0.0")
    };
    let error = store.insert(changed).expect_err("another environment");
    assert!(
        matches!(error, ModuleStoreError::EnvironmentDiffers { .. }),
        "{error}"
    );

    let changed = NewModule {
        settings: settings(r#"{"limits": {"memory_mb": 9}}"#),
        ..module(Command, "sell", "1.0.0")
    };
    let error = store.insert(changed).expect_err("other settings");
    assert_eq!(
        error.to_string(),
        "command sell 1.0.0 exists with other settings: stored are {\"limits\":{\"memory_mb\":8}}, \
         given are {\"limits\":{\"memory_mb\":9}}; give the changed module a new version"
    );

    assert_eq!(store.list(None).expect("a list"), [first.module]);
    store
        .insert(module(Effect, "sell", "1.0.0"))
        .expect("the same name in another kind");
}

#[test]
fn what_is_stored_comes_back() {
    let Fixture { store, directory } = fixture();
    let given = module(Projector, "plans", "1.0.0-beta.2+build.7");
    let stored = store.insert(given.clone()).expect("an insertion").module;
    drop(store);
    let store = ModuleStore::open(&directory.path().join("umari.sqlite")).expect("a reopening");
    let found = store
        .get(Projector, &given.name, &given.version)
        .expect("a read");
    assert_eq!(found.as_ref(), Some(&stored));
    assert_eq!(
        (&stored.env, &stored.settings, &stored.sdk, &stored.contract),
        (&given.env, &given.settings, &given.sdk, &given.contract)
    );
    assert_eq!(
        (stored.size_bytes, stored.sha256, stored.active),
        (4, ContentHash::of(&given.wasm), false)
    );
    assert_eq!(
        store
            .wasm(Projector, &given.name, &given.version)
            .expect("a read"),
        Some(given.wasm)
    );
    assert_eq!(
        store
            .get(Command, &given.name, &given.version)
            .expect("a read"),
        None
    );
    assert_eq!(
        store
            .wasm(Projector, &given.name, &version("2.0.0"))
            .expect("a read"),
        None
    );
}

#[test]
fn one_version_is_active_at_a_time() {
    let Fixture { store, directory } = fixture();
    let plans = name("plans");
    for number in ["1.0.0", "1.10.0", "1.9.0"] {
        store
            .insert(module(Projector, "plans", number))
            .expect("an insertion");
    }
    store
        .insert(module(Command, "sell", "1.0.0"))
        .expect("an insertion");
    assert_eq!(
        store.active().expect("a list"),
        [],
        "storing activates nothing"
    );

    let set = |number: Option<&str>| {
        store
            .set_active(Projector, &plans, number.map(version).as_ref())
            .expect("an activation")
    };
    assert_eq!(set(Some("1.9.0")), None);
    assert_eq!(set(Some("1.10.0")), Some(version("1.9.0")));
    let error = store
        .set_active(Projector, &plans, Some(&version("3.0.0")))
        .expect_err("unknown");
    assert_eq!(
        error.to_string(),
        "there is no projector plans 3.0.0 in the module store: upload it first"
    );
    store
        .set_active(Effect, &plans, Some(&version("1.9.0")))
        .expect_err("another kind");

    let store = ModuleStore::open(&directory.path().join("umari.sqlite")).expect("a reopening");
    let active = store.active().expect("a list");
    assert_eq!(active.len(), 1);
    assert_eq!(
        (&active[0].version, active[0].active),
        (&version("1.10.0"), true)
    );
    let listed = store.versions(Projector, &plans).expect("a list");
    let listed: Vec<_> = listed
        .iter()
        .map(|m| (m.version.to_string(), m.active))
        .collect();
    let expected = [("1.0.0", false), ("1.9.0", false), ("1.10.0", true)];
    assert_eq!(
        listed,
        expected.map(|(number, active)| (number.to_owned(), active))
    );

    let before = store
        .set_active(Projector, &plans, None)
        .expect("a deactivation");
    assert_eq!(before, Some(version("1.10.0")));
    assert_eq!(
        store
            .set_active(Projector, &plans, None)
            .expect("nothing to do"),
        None
    );
    assert_eq!(store.active().expect("a list"), []);
}

#[test]
fn lists_are_of_one_kind_or_of_all() {
    let Fixture { store, .. } = fixture();
    for (kind, text) in [
        (Effect, "mail"),
        (Command, "sell"),
        (Projector, "plans"),
        (Command, "buy"),
    ] {
        store
            .insert(module(kind, text, "1.0.0"))
            .expect("an insertion");
    }
    let names = |kind| {
        let modules = store.list(kind).expect("a list");
        modules
            .into_iter()
            .map(|module| module.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(None), ["buy", "sell", "plans", "mail"]);
    assert_eq!(names(Some(Command)), ["buy", "sell"]);
    assert_eq!(names(Some(Projector)), ["plans"]);
    assert_eq!(store.versions(Command, &name("none")).expect("a list"), []);
}

#[test]
fn modules_and_environments_are_so_large() {
    let Fixture { store, .. } = fixture();
    let sized = |bytes| NewModule {
        wasm: vec![0; bytes],
        ..module(Command, "sell", "1.0.0")
    };
    let error = store
        .insert(sized(limits::MODULE_BYTES + 1))
        .expect_err("one past");
    assert!(
        matches!(error, ModuleStoreError::TooLarge { .. }),
        "{error}"
    );
    store
        .insert(sized(limits::MODULE_BYTES))
        .expect("at the limit");

    let with_env = |bytes: usize| NewModule {
        env: BTreeMap::from([("A".to_owned(), "x".repeat(bytes - 1))]),
        ..module(Command, "sell", "2.0.0")
    };
    let error = store
        .insert(with_env(limits::MODULE_ENV_BYTES + 1))
        .expect_err("one past");
    assert!(
        matches!(error, ModuleStoreError::EnvironmentTooLarge { .. }),
        "{error}"
    );
    store
        .insert(with_env(limits::MODULE_ENV_BYTES))
        .expect("at the limit");
}

#[test]
fn variables_that_no_process_can_have_are_refused() {
    let Fixture { store, .. } = fixture();
    for (variable, value) in [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "x\0")] {
        let env = BTreeMap::from([(variable.to_owned(), value.to_owned())]);
        let error = store.insert(NewModule {
            env,
            ..module(Command, "sell", "1.0.0")
        });
        assert!(matches!(
            error,
            Err(ModuleStoreError::InvalidVariable { .. })
        ));
    }
    assert_eq!(store.list(None).expect("a list"), []);
}

#[test]
fn damage_is_an_error_that_names_the_module() {
    let Fixture { store, directory } = fixture();
    store
        .insert(module(Command, "sell", "1.0.0"))
        .expect("an insertion");
    let other =
        Connection::open(directory.path().join("umari.sqlite")).expect("another connection");
    other
        .execute("UPDATE module_version SET wasm = x'00'", [])
        .expect("damage");
    let error = store
        .wasm(Command, &name("sell"), &version("1.0.0"))
        .expect_err("other bytes");
    assert_eq!(
        error.to_string(),
        "command sell 1.0.0 is damaged in the module store (its bytes do not have its hash): \
         upload it again under a new version"
    );
    other
        .execute("UPDATE module_settings SET settings = '{\"strat\":1}'", [])
        .expect("damage");
    let error = store.list(None).expect_err("a key that there is not");
    assert!(
        error.to_string().contains("unknown field `strat`"),
        "{error}"
    );
    other
        .execute("DELETE FROM module_settings", [])
        .expect("as a host without settings stored it");
    let found = store
        .get(Command, &name("sell"), &version("1.0.0"))
        .expect("a read");
    assert_eq!(
        found.expect("a version").settings,
        ModuleSettings::default()
    );
    other
        .execute("UPDATE module_version SET name = '../x'", [])
        .expect("damage");
    let error = store.list(None).expect_err("a name that is a path");
    assert!(matches!(error, ModuleStoreError::Damaged { .. }), "{error}");
}

#[test]
fn the_active_version_cannot_be_missing() {
    let Fixture { store, directory } = fixture();
    store
        .insert(module(Command, "sell", "1.0.0"))
        .expect("an insertion");
    store
        .set_active(Command, &name("sell"), Some(&version("1.0.0")))
        .expect("an activation");
    let other = data_dir::open_database(&directory.path().join("umari.sqlite"));
    other
        .expect("another connection")
        .execute("DELETE FROM module_version", [])
        .expect_err("it runs");
}
