//! The data keys: made when first needed, kept wrapped, unwrapped in a small cache.

use std::collections::{HashMap, VecDeque};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use uuid::Uuid;

use super::cipher::{self, KeyBytes, PayloadBinding};
use super::{KeyError, MasterKey};
use super::{rotation, shredding};
use crate::data_dir;
use crate::limits;

/// What lies in the database under the master key, so that a wrong one is noticed at the start.
pub(super) const MASTER_KEY_PROOF: &[u8] = b"umari master key 1";

/// The data keys of one data directory.
pub struct KeyRing {
    /// Taken before `cache` where both are needed, so that a deleted key cannot come back.
    vault: Mutex<Vault>,
    cache: Mutex<Cache>,
    /// Shared from the encryption of a payload until it is in the log; exclusive while keys are
    /// deleted. Taken before the other two.
    sealing: RwLock<()>,
    /// How often keys were deleted since this was opened.
    shreddings: AtomicU64,
    /// The limits on keys, smaller in tests.
    sizes: Sizes,
}

/// The database with the wrapped keys, and what unwraps them.
pub(super) struct Vault {
    connection: Connection,
    pub(super) master: KeyBytes,
    /// Where the master key comes from.
    pub(super) source: MasterKey,
}

impl Deref for Vault {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Vault {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    /// Payloads after which a data key is retired.
    pub(super) messages: u32,
    /// Payloads that are counted at once.
    pub(super) block: u32,
    /// Keys in the cache.
    pub(super) cached: usize,
}

impl Sizes {
    const REAL: Self = Self {
        messages: limits::DATA_KEY_MESSAGES,
        block: limits::DATA_KEY_MESSAGE_BLOCK,
        cached: limits::CACHED_DATA_KEYS,
    };
}

struct DataKey {
    id: Uuid,
    key: KeyBytes,
    /// Payloads encrypted since the key was put into the cache.
    messages: AtomicU64,
}

#[derive(Default)]
struct Cache {
    keys: HashMap<Uuid, Arc<DataKey>>,
    /// The key with which a scope's next payload is encrypted. Its keys are in `keys`.
    current: HashMap<String, Arc<DataKey>>,
    /// In the order of arrival, which is the order of leaving.
    order: VecDeque<(Uuid, String)>,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing")
            .field("cached", &self.cache().keys.len())
            .finish_non_exhaustive()
    }
}

impl KeyRing {
    /// Opens the key table in `database` (made where it is missing) and proves that `master` is
    /// the key that it was made with.
    ///
    /// # Errors
    ///
    /// The master key is malformed, missing, readable by others or the wrong one, or the database
    /// cannot be opened.
    pub fn open(database: &Path, master: &MasterKey) -> Result<Self, KeyError> {
        Self::with_sizes(database, master, Sizes::REAL)
    }

    pub(super) fn with_sizes(
        database: &Path,
        master: &MasterKey,
        sizes: Sizes,
    ) -> Result<Self, KeyError> {
        let mut connection = data_dir::open_database(database)?;
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let proof = read_proof(&transaction)?;
        let mut key = master.load(proof.is_some())?;
        match proof {
            Some(proof) => key = rotation::settle(master, key, |key| prove(key, &proof))?,
            None => {
                let proof = cipher::seal(&key, &[], MASTER_KEY_PROOF)?;
                transaction
                    .execute("INSERT INTO master_key (id, proof) VALUES (1, ?1)", [proof])?;
            }
        }
        transaction.commit()?;
        Ok(Self {
            vault: Mutex::new(Vault {
                connection,
                master: key,
                source: master.clone(),
            }),
            cache: Mutex::default(),
            sealing: RwLock::default(),
            shreddings: AtomicU64::new(0),
            sizes,
        })
    }

    /// Encrypts a payload with its scope's data key, which is made and durable first where the
    /// scope has none. Returns the key's id and what [`decrypt`](Self::decrypt) takes.
    ///
    /// # Errors
    ///
    /// The data key cannot be read or made.
    pub fn encrypt(
        &self,
        binding: &PayloadBinding<'_>,
        plaintext: &[u8],
    ) -> Result<(Uuid, Vec<u8>), KeyError> {
        let key = self.current(binding.scope)?;
        let sealed = cipher::seal(&key.key, plaintext, &binding.associated_data(key.id))?;
        let messages = key.messages.fetch_add(1, Ordering::Relaxed) + 1;
        if messages.is_multiple_of(u64::from(self.sizes.block)) {
            self.record_messages(binding.scope, key.id)?;
        }
        Ok((key.id, sealed))
    }

    /// Decrypts what [`encrypt`](Self::encrypt) returned; `None` where the key has been shredded.
    ///
    /// # Errors
    ///
    /// [`KeyError::NotAuthentic`] where the payload or its binding is not what was encrypted, and
    /// [`KeyError::Lost`] where the key is missing without having been shredded; otherwise the
    /// data key cannot be read.
    pub fn decrypt(
        &self,
        key_id: Uuid,
        binding: &PayloadBinding<'_>,
        sealed: &[u8],
    ) -> Result<Option<Vec<u8>>, KeyError> {
        let Some(key) = self.by_id(key_id, binding.scope)? else {
            return Ok(None);
        };
        cipher::open(&key.key, sealed, &binding.associated_data(key_id)).map(Some)
    }

    /// Whether what a data key encrypted can still be read; it cannot once the key is shredded.
    ///
    /// # Errors
    ///
    /// As [`decrypt`](Self::decrypt).
    pub fn is_readable(&self, key_id: Uuid, scope: &str) -> Result<bool, KeyError> {
        Ok(self.by_id(key_id, scope)?.is_some())
    }

    /// Keeps data keys from being deleted while payloads are encrypted and appended: what is
    /// acknowledged is then either shredded together with all before it, or can be read.
    pub(crate) fn keep_while_sealing(&self) -> RwLockReadGuard<'_, ()> {
        self.sealing.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often data keys were deleted: who has read payloads reads them again where this has
    /// changed since.
    pub(crate) fn shreddings(&self) -> u64 {
        self.shreddings.load(Ordering::Acquire)
    }

    /// Waits for payloads that are being appended, and holds others up.
    pub(super) fn stop_sealing(&self) -> RwLockWriteGuard<'_, ()> {
        self.sealing.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wipes the keys of a scope from memory. The caller has the connection, and has deleted them
    /// there.
    pub(super) fn forget(&self, scope: &str) {
        self.cache().forget(scope);
        self.shreddings.fetch_add(1, Ordering::Release);
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, Vault> {
        self.vault.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key for a scope's next payload.
    fn current(&self, scope: &str) -> Result<Arc<DataKey>, KeyError> {
        if let Some(key) = self.cache().current.get(scope) {
            return Ok(Arc::clone(key));
        }
        let connection = self.connection();
        let found: Option<(Uuid, Vec<u8>)> = connection
            .prepare_cached("SELECT id, wrapped FROM data_key WHERE scope = ?1 AND retired = 0")?
            .query_row([scope], |row| {
                Ok((Uuid::from_bytes(row.get(0)?), row.get(1)?))
            })
            .optional()?;
        let (id, key) = match found {
            Some((id, wrapped)) => (id, unwrap(&connection.master, id, scope, &wrapped)?),
            None => create(&connection, scope)?,
        };
        Ok(self
            .cache()
            .insert_current(scope, id, key, self.sizes.cached))
    }

    /// A key of the scope; `None` where it has been shredded.
    fn by_id(&self, id: Uuid, scope: &str) -> Result<Option<Arc<DataKey>>, KeyError> {
        if let Some(key) = self.cache().keys.get(&id) {
            return Ok(Some(Arc::clone(key)));
        }
        let connection = self.connection();
        let found: Option<(String, Vec<u8>)> = connection
            .prepare_cached("SELECT scope, wrapped FROM data_key WHERE id = ?1")?
            .query_row([id.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((scope, wrapped)) = found else {
            let shredded = shredding::until(&connection, scope)?.is_some_and(|until| id <= until);
            return match shredded {
                true => Ok(None),
                false => Err(KeyError::Lost {
                    key_id: id,
                    scope: scope.to_owned(),
                }),
            };
        };
        let key = unwrap(&connection.master, id, &scope, &wrapped)?;
        Ok(Some(self.cache().insert(scope, id, key, self.sizes.cached)))
    }

    /// Counts one block of a key's uses, and retires the key when it has been used enough: its
    /// payloads stay readable, the scope's next one gets a new key.
    ///
    /// A block that is begun when the host stops, or when the cache drops the key, is not
    /// counted. The limit is far enough below 2^32 to bear that.
    fn record_messages(&self, scope: &str, id: Uuid) -> Result<(), KeyError> {
        let connection = self.connection();
        let retired: Option<bool> = connection
            .prepare_cached(
                "UPDATE data_key SET messages = messages + ?2, retired = messages + ?2 >= ?3
                 WHERE id = ?1 RETURNING retired",
            )?
            .query_row(
                params![id.as_bytes(), self.sizes.block, self.sizes.messages],
                |row| row.get(0),
            )
            .optional()?;
        let mut cache = self.cache();
        if retired == Some(true) && cache.current.get(scope).is_some_and(|key| key.id == id) {
            cache.current.remove(scope);
        }
        Ok(())
    }
}

impl Cache {
    fn insert(&mut self, scope: String, id: Uuid, key: KeyBytes, capacity: usize) -> Arc<DataKey> {
        if let Some(key) = self.keys.get(&id) {
            return Arc::clone(key);
        }
        if self.order.len() >= capacity
            && let Some((oldest, of)) = self.order.pop_front()
        {
            self.keys.remove(&oldest);
            if self.current.get(&of).is_some_and(|key| key.id == oldest) {
                self.current.remove(&of);
            }
        }
        let key = Arc::new(DataKey {
            id,
            key,
            messages: AtomicU64::new(0),
        });
        self.keys.insert(id, Arc::clone(&key));
        self.order.push_back((id, scope));
        key
    }

    fn insert_current(
        &mut self,
        scope: &str,
        id: Uuid,
        key: KeyBytes,
        capacity: usize,
    ) -> Arc<DataKey> {
        let key = self.insert(scope.to_owned(), id, key, capacity);
        self.current.insert(scope.to_owned(), Arc::clone(&key));
        key
    }

    fn forget(&mut self, scope: &str) {
        self.current.remove(scope);
        let keys = &mut self.keys;
        self.order.retain(|(id, of)| {
            let other = of != scope;
            if !other {
                keys.remove(id);
            }
            other
        });
    }
}

/// Looks whether `master` can be had, and whether it is the key that the key table of `database` was
/// made with, as far as there is one, or the one of a rotation that was interrupted. Makes neither.
/// Whether there is a key at all.
///
/// # Errors
///
/// As with [`KeyRing::open`].
pub(crate) fn check_master_key(
    database: Option<&Connection>,
    master: &MasterKey,
) -> Result<bool, KeyError> {
    let proof = database.map(read_proof).transpose()?.flatten();
    match (master.read()?, proof) {
        (Some(key), Some(proof)) => {
            rotation::check(master, &key, |key| prove(key, &proof)).map(|()| true)
        }
        (Some(_), None) => Ok(true),
        // Says what is missing.
        (None, Some(_)) => master.load(true).map(|_| true),
        (None, None) => Ok(false),
    }
}

/// What was sealed with the master key when the key table was made.
fn read_proof(connection: &Connection) -> Result<Option<Vec<u8>>, KeyError> {
    let proof = connection.query_row("SELECT proof FROM master_key WHERE id = 1", [], |row| {
        row.get(0)
    });
    Ok(proof.optional()?)
}

fn prove(master: &KeyBytes, proof: &[u8]) -> Result<(), KeyError> {
    match cipher::open(master, proof, MASTER_KEY_PROOF) {
        Ok(_) => Ok(()),
        Err(KeyError::NotAuthentic) => Err(KeyError::WrongMasterKey),
        Err(other) => Err(other),
    }
}

/// Makes a scope's data key. It is on disk when this returns.
fn create(vault: &Vault, scope: &str) -> Result<(Uuid, KeyBytes), KeyError> {
    let (mut id, key) = (Uuid::now_v7(), cipher::random_key()?);
    if let Some(until) = shredding::until(vault, scope)? {
        // Told apart from the scope's shredded keys, even where the clock was turned back.
        id = id.max(Uuid::from_u128(until.as_u128().saturating_add(1)));
    }
    let wrapped = cipher::seal(&vault.master, key.as_slice(), &wrapping(id, scope))?;
    vault.execute(
        "INSERT INTO data_key (id, scope, wrapped, created_at) VALUES (?1, ?2, ?3, ?4)",
        params![
            id.as_bytes(),
            scope,
            wrapped,
            chrono::Utc::now().timestamp_micros()
        ],
    )?;
    Ok((id, key))
}

/// The data key that a wrapped one is.
pub(super) fn unwrap(
    master: &KeyBytes,
    id: Uuid,
    scope: &str,
    wrapped: &[u8],
) -> Result<KeyBytes, KeyError> {
    let damaged = |_| KeyError::DamagedDataKey { key_id: id };
    let bytes = cipher::open(master, wrapped, &wrapping(id, scope)).map_err(damaged)?;
    let bytes = zeroize::Zeroizing::new(bytes);
    let mut key = KeyBytes::default();
    if bytes.len() != key.len() {
        return Err(KeyError::DamagedDataKey { key_id: id });
    }
    key.copy_from_slice(&bytes);
    Ok(key)
}

/// What a wrapped data key is bound to.
pub(super) fn wrapping(id: Uuid, scope: &str) -> Vec<u8> {
    [
        b"umari data key 1".as_slice(),
        id.as_bytes(),
        scope.as_bytes(),
    ]
    .concat()
}
