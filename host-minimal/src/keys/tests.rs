//! The key ring on its own.

mod shredding;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use rusqlite::Connection;
use tempfile::TempDir;
use uuid::Uuid;

use super::ring::Sizes;
use super::*;

struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    fn database(&self) -> PathBuf {
        self.directory.path().join("umari.sqlite")
    }

    fn master_file(&self) -> PathBuf {
        self.directory.path().join("master.key")
    }

    fn open(&self, master: &MasterKey) -> Result<KeyRing, KeyError> {
        KeyRing::open(&self.database(), master)
    }

    fn with_file(&self) -> Result<KeyRing, KeyError> {
        self.open(&MasterKey::in_file(self.master_file()))
    }
}

fn hex_key(byte: &str) -> MasterKey {
    MasterKey::from_hex(&byte.repeat(32)).expect("a key")
}

fn binding<'a>(event_id: Uuid, scope: &'a str, tags: &'a [String]) -> PayloadBinding<'a> {
    PayloadBinding {
        event_id,
        event_type: "a",
        scope,
        tags,
    }
}

fn encrypt(keys: &KeyRing, scope: &str, text: &str) -> (Uuid, Vec<u8>) {
    keys.encrypt(&binding(Uuid::nil(), scope, &[]), text.as_bytes())
        .expect("an encryption")
}

fn decrypt(keys: &KeyRing, scope: &str, (key_id, sealed): &(Uuid, Vec<u8>)) -> Option<String> {
    let bytes = keys
        .decrypt(*key_id, &binding(Uuid::nil(), scope, &[]), sealed)
        .expect("no damage");
    bytes.map(|bytes| String::from_utf8(bytes).expect("text"))
}

#[test]
fn a_master_key_is_64_hexadecimal_digits() {
    for digits in [
        "",
        "ab",
        &"ab".repeat(31),
        &"ab".repeat(33),
        &"xy".repeat(32),
        &"é".repeat(32),
    ] {
        let error = MasterKey::from_hex(digits).expect_err(digits);
        assert!(
            matches!(error, KeyError::MalformedMasterKey { .. }),
            "{error}"
        );
        assert!(
            digits.is_empty() || !error.to_string().contains(digits),
            "it repeats the key: {error}"
        );
    }
    let key = MasterKey::from_hex(&format!(" {}\n", "aB".repeat(32))).expect("either case");
    assert_eq!(format!("{key:?}"), "Hex(..)");
}

#[test]
fn another_master_key_is_refused_at_the_start() {
    let place = Place::new();
    let sealed = encrypt(
        &place.open(&hex_key("ab")).expect("a ring"),
        "shop_id:7",
        "secret",
    );
    let error = place.open(&hex_key("ac")).expect_err("another key");
    assert!(matches!(error, KeyError::WrongMasterKey), "{error}");
    let error = place
        .with_file()
        .expect_err("no file, and the keys are wrapped");
    assert!(
        matches!(error, KeyError::MissingMasterKey { .. }),
        "{error}"
    );
    assert!(
        !place.master_file().exists(),
        "no new key that would only mislead"
    );
    let keys = place.open(&hex_key("AB")).expect("the first key");
    assert_eq!(
        decrypt(&keys, "shop_id:7", &sealed).as_deref(),
        Some("secret")
    );
}

#[test]
fn another_master_key_is_refused_before_there_are_data_keys() {
    let place = Place::new();
    place.open(&hex_key("ab")).expect("a ring");
    assert!(matches!(
        place.open(&hex_key("ac")),
        Err(KeyError::WrongMasterKey)
    ));
}

#[test]
fn a_generated_master_key_is_its_owners_alone_and_is_found_again() {
    let place = Place::new();
    fs::write(place.master_file().with_extension("new"), "half").expect("what a crash left");
    let sealed = encrypt(
        &place.with_file().expect("a new key"),
        "shop_id:7",
        "secret",
    );
    let mode = fs::metadata(place.master_file())
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!place.master_file().with_extension("new").exists());
    let keys = place.with_file().expect("the same key");
    assert_eq!(
        decrypt(&keys, "shop_id:7", &sealed).as_deref(),
        Some("secret")
    );
    let digits = fs::read_to_string(place.master_file()).expect("text");
    place
        .open(&MasterKey::from_hex(&digits).expect("a key"))
        .expect("the same from configuration");
}

#[test]
fn a_master_key_file_that_is_exposed_or_malformed_is_refused() {
    let place = Place::new();
    place.with_file().expect("a new key");
    fs::set_permissions(place.master_file(), fs::Permissions::from_mode(0o640)).expect("a change");
    let error = place.with_file().expect_err("the group can read it");
    assert!(
        matches!(error, KeyError::ExposedMasterKey { mode: 0o640, .. }),
        "{error}"
    );
    assert!(
        error.to_string().contains("(mode 640): run `chmod 600`"),
        "{error}"
    );
    fs::set_permissions(place.master_file(), fs::Permissions::from_mode(0o600)).expect("a change");
    for content in ["", "ab", &"ab".repeat(1_000)] {
        fs::write(place.master_file(), content).expect("a file");
        let error = place.with_file().expect_err(content);
        assert!(
            matches!(error, KeyError::MalformedMasterKey { .. }),
            "{error}"
        );
    }
}

#[test]
fn a_data_key_is_durable_before_its_first_use_is_over() {
    let place = Place::new();
    let keys = place.open(&hex_key("ab")).expect("a ring");
    let (id, _) = encrypt(&keys, "shop_id:7", "secret");
    let other = Connection::open(place.database()).expect("another connection");
    let row: (Vec<u8>, String, Vec<u8>) = other
        .query_row("SELECT id, scope, wrapped FROM data_key", [], |r| {
            Ok((r.get(0)?, r.get(1)?, r.get(2)?))
        })
        .expect("one key");
    assert_eq!(
        (row.0.as_slice(), row.1.as_str()),
        (id.as_bytes().as_slice(), "shop_id:7")
    );
    assert_eq!(row.2.len(), 12 + 32 + 16, "nonce, key and tag");
}

#[test]
fn a_damaged_data_key_is_an_error_and_not_a_shredded_one() {
    let place = Place::new();
    let sealed = encrypt(
        &place.open(&hex_key("ab")).expect("a ring"),
        "shop_id:7",
        "secret",
    );
    let other = Connection::open(place.database()).expect("another connection");
    for damage in [
        "UPDATE data_key SET scope = 'shop_id:8'",
        "UPDATE data_key SET scope = 'shop_id:7', wrapped = zeroblob(60)",
        "UPDATE data_key SET wrapped = x'00'",
    ] {
        other.execute(damage, []).expect("damage");
        let keys = place.open(&hex_key("ab")).expect("a ring");
        let error = keys.decrypt(sealed.0, &binding(Uuid::nil(), "shop_id:7", &[]), &sealed.1);
        assert!(matches!(error, Err(KeyError::DamagedDataKey { key_id }) if key_id == sealed.0));
    }
}

#[test]
fn bindings_do_not_run_into_each_other() {
    let key_id = Uuid::now_v7();
    let tags = |tags: &[&str]| tags.iter().map(|&tag| tag.to_owned()).collect::<Vec<_>>();
    let with = |event_type, scope, tags: &[String]| {
        PayloadBinding {
            event_id: Uuid::nil(),
            event_type,
            scope,
            tags,
        }
        .associated_data(key_id)
    };
    let one = with("ab", "c", &tags(&["x:1", "y:2"]));
    assert_eq!(one, with("ab", "c", &tags(&["y:2", "x:1"])));
    assert_ne!(one, with("a", "bc", &tags(&["x:1", "y:2"])));
    assert_ne!(one, with("ab", "cx:1", &tags(&["y:2"])));
    assert_ne!(one, with("ab", "c", &tags(&["x:1y:2"])));
    assert_ne!(one, with("ab", "c", &tags(&["x:1", "y:2", ""])));
    assert_ne!(
        one,
        PayloadBinding {
            event_id: key_id,
            event_type: "ab",
            scope: "c",
            tags: &tags(&["x:1", "y:2"])
        }
        .associated_data(key_id)
    );
}

#[test]
fn a_data_key_is_retired_when_it_has_been_used_enough() {
    let place = Place::new();
    let sizes = Sizes {
        messages: 6,
        block: 3,
        cached: 100,
    };
    let open = || KeyRing::with_sizes(&place.database(), &hex_key("ab"), sizes).expect("a ring");
    let keys = open();
    let sealed: Vec<_> = (0..7)
        .map(|n| encrypt(&keys, "shop_id:7", &n.to_string()))
        .collect();
    assert!(sealed[..6].iter().all(|(id, _)| *id == sealed[0].0));
    assert_ne!(sealed[6].0, sealed[0].0, "the seventh has a new key");
    for keys in [&keys, &open()] {
        for (n, sealed) in sealed.iter().enumerate() {
            assert_eq!(decrypt(keys, "shop_id:7", sealed), Some(n.to_string()));
        }
        assert_eq!(encrypt(keys, "shop_id:7", "x").0, sealed[6].0);
    }
    let shredded = keys.shred(&Shredding::of("shop_id:7")).expect("shredded");
    assert_eq!(shredded.keys, 2, "retired ones too");
    assert_eq!(decrypt(&keys, "shop_id:7", &sealed[0]), None);
}

#[test]
fn more_scopes_than_the_cache_holds_keep_their_keys() {
    let place = Place::new();
    let sizes = Sizes {
        messages: 100,
        block: 100,
        cached: 3,
    };
    let keys = KeyRing::with_sizes(&place.database(), &hex_key("ab"), sizes).expect("a ring");
    let cached = |count: usize| {
        let shown = format!("{keys:?}");
        assert!(shown.contains(&format!("cached: {count}")), "{shown}");
    };
    let scope = |n: usize| format!("shop_id:{n}");
    let mut all: Vec<_> = (0..3).map(|n| encrypt(&keys, &scope(n), "x")).collect();
    cached(3);
    all.push(encrypt(&keys, &scope(3), "x"));
    cached(3);
    for (n, sealed) in all.iter().enumerate() {
        assert_eq!(decrypt(&keys, &scope(n), sealed).as_deref(), Some("x"));
        assert_eq!(encrypt(&keys, &scope(n), "y").0, sealed.0, "{n}");
        cached(3);
    }
}

#[test]
fn concurrent_first_uses_of_a_scope_make_one_key() {
    let place = Place::new();
    let keys = place.open(&hex_key("ab")).expect("a ring");
    let ids: Vec<Uuid> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| encrypt(&keys, "shop_id:7", "x").0))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no panic"))
            .collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}
