//! Wrapping all data keys with another master key.
//!
//! The steps are in an order in which a crash between any two leaves a ring that opens: the new
//! key is in a file beside the old one before anything is wrapped with it, and takes the old one's
//! place afterwards. [`KeyRing::open`] finishes what was begun, or takes it back.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};
use uuid::Uuid;
use zeroize::Zeroizing;

use super::KeyError;
use super::audit::{self, AuditEntry};
use super::cipher::{self, KeyBytes};
use super::master::{self, MasterKey};
use super::ring::{KeyRing, MASTER_KEY_PROOF, Vault, unwrap, wrapping};
use crate::data_dir;

/// Data keys that are held in memory at once while they are wrapped anew.
const PAGE_KEYS: usize = 1_000;

/// What is said about a rotation in the record.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Why.
    pub reason: Option<String>,
    /// Who asks for it.
    pub requested_by: Option<String>,
}

impl KeyRing {
    /// Wraps every data key with another master key, all or none, and records it.
    ///
    /// A master key that lies in a file is replaced by a generated one where `new` is `None`;
    /// otherwise the file is removed, and the key has to be configured from now on. Whoever has
    /// the old key and an old copy of `umari.sqlite` can read what is in that copy: backups are
    /// dead once the old key is destroyed. The old wrapping may remain in the database's files
    /// until [`erase`](Self::erase) returns.
    ///
    /// # Errors
    ///
    /// [`KeyError::NoNewMasterKey`] where the key is configured and `new` is `None`,
    /// [`KeyError::SameMasterKey`], or the database or the key's file cannot be written. After an
    /// error the ring opens with the old key or the new one, and says which.
    pub fn rotate(
        &self,
        new: Option<&MasterKey>,
        rotation: &Rotation,
    ) -> Result<AuditEntry, KeyError> {
        let mut vault = self.connection();
        let source = vault.source.clone();
        let entry = match (&source, new) {
            (MasterKey::Hex(_), None) => return Err(KeyError::NoNewMasterKey),
            (MasterKey::File(path), None) => {
                let next = Next::write(path)?;
                let entry = rewrap(&mut vault, next.key.clone(), rotation)?;
                next.take_over()?;
                entry
            }
            (_, Some(new)) => {
                let entry = rewrap(&mut vault, new.load(true)?, rotation)?;
                if let MasterKey::File(path) = &source {
                    master::remove(path)?;
                }
                vault.source = new.clone();
                entry
            }
        };
        Ok(entry)
    }
}

/// A new master key in a file beside the one that is in use.
struct Next {
    path: PathBuf,
    in_use: PathBuf,
    key: KeyBytes,
}

impl Next {
    fn write(in_use: &Path) -> Result<Self, KeyError> {
        let path = next_path(in_use);
        let key = master::create(&path)?;
        Ok(Self {
            path,
            in_use: in_use.to_owned(),
            key,
        })
    }

    fn take_over(self) -> Result<(), KeyError> {
        take_over(&self.path, &self.in_use)
    }
}

fn next_path(in_use: &Path) -> PathBuf {
    in_use.with_extension("key.next")
}

fn take_over(next: &Path, in_use: &Path) -> Result<(), KeyError> {
    std::fs::rename(next, in_use)
        .and_then(|()| data_dir::sync_directory_of(in_use))
        .map_err(|source| KeyError::MasterKeyFile {
            path: in_use.to_owned(),
            source,
        })
}

/// Settles a rotation that a crash interrupted: `key` is what the file has. Returns the key that
/// proves itself.
pub(super) fn settle(
    source: &MasterKey,
    key: KeyBytes,
    prove: impl Fn(&KeyBytes) -> Result<(), KeyError>,
) -> Result<KeyBytes, KeyError> {
    let MasterKey::File(in_use) = source else {
        return prove(&key).map(|()| key);
    };
    let next = next_path(in_use);
    master::remove_unfinished(&next)?;
    match prove(&key) {
        Ok(()) if next.exists() => {
            // It was interrupted before anything was wrapped with the next one.
            master::remove(&next)?;
            Ok(key)
        }
        Err(KeyError::WrongMasterKey) if next.exists() => {
            let key = MasterKey::in_file(&next).load(true)?;
            prove(&key)?;
            take_over(&next, in_use)?;
            Ok(key)
        }
        proved => proved.map(|()| key),
    }
}

/// Whether [`settle`] finds a key that proves itself, without a change to any file.
pub(super) fn check(
    source: &MasterKey,
    key: &KeyBytes,
    prove: impl Fn(&KeyBytes) -> Result<(), KeyError>,
) -> Result<(), KeyError> {
    match (prove(key), source) {
        (Err(KeyError::WrongMasterKey), MasterKey::File(in_use)) if next_path(in_use).exists() => {
            prove(&MasterKey::in_file(next_path(in_use)).load(true)?)
        }
        (proved, _) => proved,
    }
}

/// Wraps all data keys anew, in one transaction with the proof of the new key.
fn rewrap(vault: &mut Vault, new: KeyBytes, rotation: &Rotation) -> Result<AuditEntry, KeyError> {
    if *new == *vault.master {
        return Err(KeyError::SameMasterKey);
    }
    let old = vault.master.clone();
    let transaction = vault.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut keys = 0;
    let mut after = Vec::new();
    loop {
        let page = page(&transaction, &after)?;
        let Some((last, _, _)) = page.last() else {
            break;
        };
        after = last.as_bytes().to_vec();
        keys += page.len();
        for (id, scope, wrapped) in page {
            let key = unwrap(&old, id, &scope, &wrapped)?;
            let wrapped = cipher::seal(&new, key.as_slice(), &wrapping(id, &scope))?;
            transaction
                .prepare_cached("UPDATE data_key SET wrapped = ?2 WHERE id = ?1")?
                .execute(params![id.as_bytes(), wrapped])?;
        }
    }
    store_proof(&transaction, &new)?;
    let entry = audit::record_rotation(&transaction, rotation, keys)?;
    transaction.commit()?;
    vault.master = new;
    Ok(entry)
}

fn store_proof(transaction: &Transaction<'_>, new: &KeyBytes) -> Result<(), KeyError> {
    let proof = cipher::seal(new, &[], MASTER_KEY_PROOF)?;
    transaction.execute("UPDATE master_key SET proof = ?1 WHERE id = 1", [proof])?;
    Ok(())
}

type WrappedKey = (Uuid, String, Zeroizing<Vec<u8>>);

/// The wrapped keys behind an id.
fn page(connection: &Connection, after: &[u8]) -> Result<Vec<WrappedKey>, KeyError> {
    let mut statement = connection.prepare_cached(
        "SELECT id, scope, wrapped FROM data_key WHERE id > ?1 ORDER BY id LIMIT ?2",
    )?;
    let rows = statement.query_map(params![after, PAGE_KEYS], |row| {
        Ok((
            Uuid::from_bytes(row.get(0)?),
            row.get(1)?,
            Zeroizing::new(row.get(2)?),
        ))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use tempfile::TempDir;

    use super::super::{KeyAction, PayloadBinding};
    use super::*;

    const SCOPE: &str = "shop_id:7";

    struct Place(TempDir);

    impl Place {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a directory"))
        }

        fn database(&self) -> PathBuf {
            self.0.path().join("umari.sqlite")
        }

        fn file(&self) -> PathBuf {
            self.0.path().join("master.key")
        }

        fn open(&self) -> Result<KeyRing, KeyError> {
            self.open_with(&MasterKey::in_file(self.file()))
        }

        fn open_with(&self, master: &MasterKey) -> Result<KeyRing, KeyError> {
            KeyRing::open(&self.database(), master)
        }

        fn wrapped(&self) -> Vec<u8> {
            Connection::open(self.database())
                .and_then(|c| c.query_row("SELECT wrapped FROM data_key", [], |row| row.get(0)))
                .expect("one key")
        }
    }

    fn hex_key(byte: &str) -> MasterKey {
        MasterKey::from_hex(&byte.repeat(32)).expect("a key")
    }

    fn binding() -> PayloadBinding<'static> {
        PayloadBinding {
            event_id: Uuid::nil(),
            event_type: "a",
            scope: SCOPE,
            tags: &[],
        }
    }

    fn encrypt(keys: &KeyRing) -> (Uuid, Vec<u8>) {
        keys.encrypt(&binding(), b"secret").expect("encrypted")
    }

    fn reads(keys: &KeyRing, (id, sealed): &(Uuid, Vec<u8>)) -> bool {
        let payload = keys.decrypt(*id, &binding(), sealed).expect("no damage");
        payload.as_deref() == Some(b"secret")
    }

    #[test]
    fn all_keys_are_wrapped_with_a_generated_key_and_the_old_one_opens_nothing() {
        let place = Place::new();
        let keys = place.open().expect("a ring");
        let sealed = encrypt(&keys);
        let (old_key, old_wrapped) = (
            fs::read_to_string(place.file()).expect("it"),
            place.wrapped(),
        );
        let rotation = Rotation {
            reason: Some("yearly".to_owned()),
            requested_by: Some("ada".to_owned()),
        };
        let entry = keys.rotate(None, &rotation).expect("rotated");
        assert_eq!((entry.action, entry.keys), (KeyAction::Rotate, 1));
        assert_eq!(entry.reason, rotation.reason);
        keys.erase().expect("erased");
        assert!(reads(&keys, &sealed), "while it runs");
        let later = encrypt(&keys);
        for entry in fs::read_dir(place.0.path()).expect("a directory") {
            let bytes = fs::read(entry.expect("an entry").path()).expect("a file");
            for gone in [old_key.trim().as_bytes(), &old_wrapped] {
                assert!(!bytes.windows(gone.len()).any(|window| window == gone));
            }
        }
        drop(keys);

        let mode = fs::metadata(place.file()).expect("it").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let keys = place.open().expect("with the new key");
        assert!(reads(&keys, &sealed) && reads(&keys, &later));
        let old = MasterKey::from_hex(&old_key).expect("a key");
        assert!(matches!(
            place.open_with(&old),
            Err(KeyError::WrongMasterKey)
        ));
    }

    #[test]
    fn a_configured_key_is_replaced_by_a_configured_one() {
        let place = Place::new();
        let keys = place.open_with(&hex_key("ab")).expect("a ring");
        let sealed = encrypt(&keys);
        let none = keys.rotate(None, &Rotation::default());
        assert!(matches!(none, Err(KeyError::NoNewMasterKey)));
        let same = keys.rotate(Some(&hex_key("AB")), &Rotation::default());
        assert!(matches!(same, Err(KeyError::SameMasterKey)));
        assert_eq!(keys.audit(0, 9).expect("the record"), []);
        keys.rotate(Some(&hex_key("cd")), &Rotation::default())
            .expect("rotated");
        assert!(matches!(
            place.open_with(&hex_key("ab")),
            Err(KeyError::WrongMasterKey)
        ));
        assert!(reads(
            &place.open_with(&hex_key("cd")).expect("it"),
            &sealed
        ));
    }

    #[test]
    fn a_key_moves_from_its_file_into_the_configuration() {
        let place = Place::new();
        let keys = place.open().expect("a ring");
        let sealed = encrypt(&keys);
        keys.rotate(Some(&hex_key("cd")), &Rotation::default())
            .expect("rotated");
        assert!(!place.file().exists());
        assert!(matches!(
            place.open(),
            Err(KeyError::MissingMasterKey { .. })
        ));
        assert!(reads(
            &place.open_with(&hex_key("cd")).expect("it"),
            &sealed
        ));
    }

    /// A host that is killed after each step of a rotation.
    #[test]
    fn a_rotation_that_is_interrupted_is_finished_or_taken_back() {
        for steps in 0..=3 {
            let place = Place::new();
            let keys = place.open().expect("a ring");
            let sealed = encrypt(&keys);
            let old = fs::read_to_string(place.file()).expect("the key");
            let next = (steps >= 1).then(|| Next::write(&place.file()).expect("a file"));
            if let Some(next) = &next
                && steps >= 2
            {
                let vault = &mut keys.connection();
                rewrap(vault, next.key.clone(), &Rotation::default()).expect("wrapped");
            }
            if let Some(next) = next
                && steps >= 3
            {
                next.take_over().expect("taken over");
            }
            drop(keys);

            let master = MasterKey::in_file(place.file());
            let database = Connection::open(place.database()).expect("a database");
            let checked = super::super::check_master_key(Some(&database), &master);
            assert!(checked.expect("no fault: a host settles it"), "{steps}");
            drop(database);
            let keys = place.open().expect("after the crash");
            assert!(reads(&keys, &sealed), "{steps}");
            let changed = fs::read_to_string(place.file()).expect("the key") != old;
            assert_eq!(changed, steps >= 2, "{steps}");
            assert!(!next_path(&place.file()).exists(), "{steps}");
            keys.rotate(None, &Rotation::default()).expect("the next");
            drop(keys);
            assert!(reads(&place.open().expect("a ring"), &sealed), "{steps}");
        }
    }

    /// A host that is killed while the file with the next key is written.
    #[test]
    fn what_is_left_of_an_unfinished_key_is_removed() {
        let place = Place::new();
        let sealed = encrypt(&place.open().expect("a ring"));
        let unfinished = place.0.path().join("master.key.new");
        fs::write(&unfinished, "half a ke").expect("written");
        assert!(reads(&place.open().expect("a ring"), &sealed));
        assert!(!unfinished.exists());
    }

    #[test]
    fn a_next_key_that_is_not_the_right_one_either_is_no_help() {
        let place = Place::new();
        drop(place.open().expect("a ring"));
        for file in [place.file(), next_path(&place.file())] {
            let _ = fs::remove_file(&file);
            master::create(&file).expect("another key");
        }
        let master = MasterKey::in_file(place.file());
        let database = Connection::open(place.database()).expect("a database");
        let checked = super::super::check_master_key(Some(&database), &master);
        assert!(matches!(checked, Err(KeyError::WrongMasterKey)));
        assert!(matches!(place.open(), Err(KeyError::WrongMasterKey)));
        assert!(next_path(&place.file()).exists(), "neither is thrown away");
    }

    #[test]
    fn a_damaged_key_keeps_all_others_as_they_are() {
        let place = Place::new();
        let keys = place.open().expect("a ring");
        let sealed = encrypt(&keys);
        let damaged = "INSERT INTO data_key (id, scope, wrapped, created_at)
                       VALUES (?1, 'shop_id:8', zeroblob(60), 0)";
        let id = Uuid::max();
        Connection::open(place.database())
            .and_then(|connection| connection.execute(damaged, [id.as_bytes()]))
            .expect("damage");
        let error = keys.rotate(None, &Rotation::default()).expect_err("damage");
        assert!(matches!(error, KeyError::DamagedDataKey { key_id } if key_id == id));
        assert!(reads(&keys, &sealed));
        drop(keys);
        assert!(reads(&place.open().expect("with the old key"), &sealed));
    }

    #[test]
    fn more_keys_than_a_page_are_all_wrapped() {
        let place = Place::new();
        let keys = place.open_with(&hex_key("ab")).expect("a ring");
        let count = PAGE_KEYS + 1;
        {
            let mut vault = keys.connection();
            let master = vault.master.clone();
            let transaction = vault.transaction().expect("a transaction");
            for n in 0..count {
                let (id, scope) = (Uuid::from_u128(n as u128 + 1), format!("shop_id:{n}"));
                let wrapped = cipher::seal(&master, &[7; 32], &wrapping(id, &scope));
                transaction
                    .execute(
                        "INSERT INTO data_key (id, scope, wrapped, created_at) VALUES (?1, ?2, ?3, 0)",
                        params![id.as_bytes(), scope, wrapped.expect("wrapped")],
                    )
                    .expect("a key");
            }
            transaction.commit().expect("all");
        }
        let entry = keys
            .rotate(Some(&hex_key("cd")), &Rotation::default())
            .expect("rotated");
        assert_eq!(entry.keys, count as u64);
        let keys = place.open_with(&hex_key("cd")).expect("a ring");
        for n in [0, PAGE_KEYS - 1, PAGE_KEYS] {
            let (id, scope) = (Uuid::from_u128(n as u128 + 1), format!("shop_id:{n}"));
            assert!(keys.is_readable(id, &scope).expect("an answer"), "{n}");
        }
    }
}
