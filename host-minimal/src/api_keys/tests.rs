//! Keys that are made, used and revoked, and what is on disk of them.

use chrono::TimeDelta;
use tempfile::TempDir;

use super::*;

fn keys() -> (TempDir, ApiKeys) {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = open(&directory);
    (directory, keys)
}

fn open(directory: &TempDir) -> ApiKeys {
    ApiKeys::open(&directory.path().join("umari.sqlite")).expect("the API keys")
}

fn scopes(text: &str) -> Scopes {
    text.parse().expect("scopes")
}

#[test]
fn names_and_scopes_are_checked() {
    let (_directory, keys) = keys();
    let longest = "n".repeat(limits::API_KEY_NAME_BYTES);
    keys.create(&longest, Scope::Read.into(), true)
        .expect("a name at the limit");
    let long = format!("{longest}n");
    for name in ["", "  ", "a\nb", "a\0", &long] {
        let created = keys.create(name, Scope::Read.into(), true);
        assert!(matches!(created, Err(ApiKeyError::InvalidName)), "{name:?}");
    }
    let none = keys.create("a", Scopes::default(), true);
    assert!(matches!(none, Err(ApiKeyError::NoScope)));
    let taken = keys.create(&longest, Scope::Read.into(), true);
    assert!(matches!(taken, Err(ApiKeyError::NameTaken(_))));
    assert!("read,write".parse::<Scopes>().is_err());
    assert!("".parse::<Scopes>().is_err());
}

#[test]
fn a_key_is_good_for_its_scopes_until_it_is_revoked() {
    let (directory, keys) = keys();
    let made = keys
        .create("ci", scopes("deploy,read"), true)
        .expect("made");
    assert!(made.key.starts_with("umari_") && made.key.len() == 6 + 43);
    let keys = {
        drop(keys);
        open(&directory)
    };
    let admitted = keys.admit(&made.key).expect("valid");
    assert_eq!(
        (admitted.name.as_str(), admitted.id),
        ("ci", made.record.id)
    );
    let granted = |scope| admitted.scopes.grants(scope);
    assert!(granted(Scope::Deploy) && granted(Scope::Read));
    assert!(!granted(Scope::Execute) && !granted(Scope::Admin));
    let mut other = made.key.clone();
    other.pop();
    for wrong in ["", "umari_", &other, &format!("{}x", made.key)] {
        assert_eq!(keys.admit(wrong), None, "{wrong}");
    }

    assert!(keys.revoke(made.record.id, true).expect("revoked"));
    assert_eq!(keys.admit(&made.key), None);
    assert!(!keys.revoke(made.record.id, true).expect("known"));
    let unknown = keys.revoke(Uuid::nil(), true);
    assert!(matches!(unknown, Err(ApiKeyError::Unknown(_))));
    // The name is free again, and the list keeps both.
    keys.create("ci", Scope::Admin.into(), true).expect("made");
    let keys = {
        drop(keys);
        open(&directory)
    };
    assert_eq!(keys.admit(&made.key), None);
    let listed = keys.list().expect("a list");
    let revoked: Vec<bool> = listed.iter().map(|key| key.revoked_at.is_some()).collect();
    assert_eq!(revoked, [true, false]);
    assert_eq!(listed[0].scopes.to_string(), "read,deploy");
}

#[test]
fn admin_includes_the_other_scopes_and_no_other_does() {
    for scope in Scope::ALL {
        assert!(Scopes::from(Scope::Admin).grants(scope));
        let granted: Vec<Scope> = Scope::ALL
            .into_iter()
            .filter(|other| Scopes::from(scope).grants(*other))
            .collect();
        assert!(scope == Scope::Admin || granted == [scope], "{scope}");
        assert_eq!(scope.as_str().parse(), Ok(scope));
        assert!(Scope::LIST.contains(scope.as_str()));
    }
}

#[test]
fn keys_are_counted() {
    let (_directory, keys) = keys();
    let connection = keys.connection();
    connection.execute_batch("BEGIN").expect("one transaction");
    drop(connection);
    let mut last = Uuid::nil();
    for number in 0..limits::API_KEYS {
        let made = keys.create(&format!("key {number}"), Scope::Read.into(), true);
        last = made.expect("up to the limit").record.id;
    }
    let one_past = keys.create("one more", Scope::Read.into(), true);
    assert!(matches!(one_past, Err(ApiKeyError::TooMany)));
    keys.revoke(last, true).expect("revoked");
    keys.create("one more", Scope::Read.into(), true)
        .expect("there is room again");
}

#[test]
fn somebody_may_always_manage_the_host() {
    let (_directory, keys) = keys();
    let first = keys.create("reader", Scope::Read.into(), false);
    assert!(matches!(first, Err(ApiKeyError::NoAdmin(_))));
    assert!(keys.is_empty());
    let admin = keys
        .create("admin", Scope::Admin.into(), false)
        .expect("made");
    keys.create("reader", Scope::Read.into(), false)
        .expect("there is an admin");
    let revoked = keys.revoke(admin.record.id, false);
    assert!(matches!(revoked, Err(ApiKeyError::NoAdmin(_))));
    assert!(keys.admit(&admin.key).is_some());
    let second = keys
        .create("second", Scope::Admin.into(), false)
        .expect("made");
    keys.revoke(admin.record.id, false)
        .expect("there is another");
    keys.revoke(second.record.id, true)
        .expect("who started the host may manage it");
}

#[test]
fn the_last_use_is_known_to_the_hour() {
    let (directory, keys) = keys();
    let made = keys.create("ci", Scope::Read.into(), true).expect("made");
    let id = made.record.id;
    let at = |minutes| {
        DateTime::from_timestamp(1_800_000_000, 0).expect("a time") + TimeDelta::minutes(minutes)
    };
    assert!(keys.is_use_new(id, at(5)));
    keys.note_use(id, at(5)).expect("noted");
    assert!(!keys.is_use_new(id, at(59)));
    assert!(keys.is_use_new(id, at(60)));
    keys.note_use(id, at(61)).expect("noted");
    // A clock that goes back takes nothing away.
    assert!(!keys.is_use_new(id, at(5)));
    keys.note_use(id, at(5)).expect("nothing to note");
    assert!(!keys.is_use_new(Uuid::nil(), at(5)));
    drop(keys);
    let keys = open(&directory);
    assert_eq!(keys.list().expect("a list")[0].last_used_at, Some(at(60)));
    assert!(!keys.is_use_new(id, at(61)));
}

#[test]
fn the_disk_has_the_hash_and_not_the_key() {
    let (directory, keys) = keys();
    let made = keys.create("ci", Scope::Read.into(), true).expect("made");
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(directory.path()).expect("a directory") {
        bytes.extend(std::fs::read(entry.expect("an entry").path()).expect("a file"));
    }
    let holds = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(holds(&digest(&made.key)));
    assert!(!holds(made.key.as_bytes()));
    let secret = made.key.strip_prefix(PREFIX).expect("a prefix");
    assert!(!holds(secret.as_bytes()));
    let secret = URL_SAFE_NO_PAD.decode(secret).expect("base64");
    assert_eq!(secret.len(), 32);
    assert!(!holds(&secret));
}
