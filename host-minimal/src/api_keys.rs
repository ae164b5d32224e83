//! Keys to the HTTP API: who may ask a host for what.
//!
//! A key is 256 random bits behind the word `umari_`, so that scanners for leaked secrets know it.
//! It is shown once, when it is made. What is kept is its SHA-256, which needs no salt and no slow
//! hash because nobody can guess 256 bits.

mod scope;
mod store;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, Utc};
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use uuid::Uuid;

pub use self::scope::{InvalidScope, Scope, Scopes};
use crate::data_dir::{self, DatabaseError};
use crate::limits;

/// What every key begins with.
const PREFIX: &str = "umari_";

/// The API keys in `umari.sqlite`.
#[derive(Debug)]
pub struct ApiKeys {
    connection: Mutex<Connection>,
    /// Every key that has been made and not been revoked.
    valid: RwLock<Vec<ValidKey>>,
}

/// One API key, without the key itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id, which is no secret.
    pub id: Uuid,
    /// What people call it. No two keys that are valid have one name.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// The hour in which it was used last; `None` where it never was.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was revoked; `None` where it is valid.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// A key that has just been made, and the only sight of it.
pub struct NewApiKey {
    /// What clients send.
    pub key: String,
    /// What is kept of it.
    pub record: ApiKey,
}

/// What a key that was sent is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admitted {
    /// The key's id.
    pub id: Uuid,
    /// The key's name.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
}

/// Why API keys could not be made, revoked or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ApiKeyError {
    /// The name is none.
    #[error(
        "an API key's name has 1 to {} bytes and no control characters",
        limits::API_KEY_NAME_BYTES
    )]
    InvalidName,
    /// A key without a scope is good for nothing.
    #[error("an API key needs a scope: {}", Scope::LIST)]
    NoScope,
    /// Another valid key has the name.
    #[error("there is an API key {0:?}: revoke it first, or choose another name")]
    NameTaken(String),
    /// There are many keys.
    #[error(
        "there are {} API keys, which is the most that a host takes: revoke one first",
        limits::API_KEYS
    )]
    TooMany,
    /// Nobody would be left who may manage the host.
    #[error(
        "nobody else could manage this host: {0}; or start the host with UMARI_API_KEY, which may \
         do everything"
    )]
    NoAdmin(&'static str),
    /// There is no such key.
    #[error("there is no API key {0}")]
    Unknown(Uuid),
    /// What is stored is not what was stored.
    #[error("an API key in umari.sqlite is damaged: {0}")]
    Damaged(String),
    /// The machine has no random numbers.
    #[error("the operating system gives no random bytes")]
    Random(#[source] rand::rand_core::OsError),
    /// `umari.sqlite` could not be opened.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// `umari.sqlite` could not be read or written.
    #[error("the API keys in umari.sqlite could not be read or written")]
    Database(#[from] rusqlite::Error),
}

/// What is looked at for every request.
#[derive(Debug, Clone)]
struct ValidKey {
    digest: [u8; 32],
    admitted: Admitted,
    last_used_at: Option<DateTime<Utc>>,
}

impl ApiKeys {
    /// Opens the API keys in the database at `path`, made where it is missing.
    ///
    /// # Errors
    ///
    /// The database cannot be opened, or what it holds is damaged.
    pub fn open(path: &std::path::Path) -> Result<Self, ApiKeyError> {
        let connection = data_dir::open_database(path)?;
        let valid = store::valid(&connection)?;
        Ok(Self {
            connection: Mutex::new(connection),
            valid: RwLock::new(valid),
        })
    }

    /// Makes a key. It is on disk when this returns.
    ///
    /// Where `has_operator` is false nobody holds the key that a host is started with. Then there
    /// must always be a key with the scope `admin`, so the first one has to be of that kind.
    ///
    /// # Errors
    ///
    /// The name or the scopes are not right, there are too many keys, or the database fails.
    pub fn create(
        &self,
        name: &str,
        scopes: Scopes,
        has_operator: bool,
    ) -> Result<NewApiKey, ApiKeyError> {
        check_name(name)?;
        if scopes.is_empty() {
            return Err(ApiKeyError::NoScope);
        }
        let (key, digest) = generate()?;
        let record = ApiKey {
            id: Uuid::now_v7(),
            name: name.to_owned(),
            scopes,
            created_at: Utc::now(),
            last_used_at: None,
            revoked_at: None,
        };
        let connection = self.connection();
        // Only who holds the connection changes what is valid.
        let valid = self.snapshot();
        if valid.iter().any(|key| key.admitted.name == name) {
            return Err(ApiKeyError::NameTaken(name.to_owned()));
        }
        if valid.len() >= limits::API_KEYS {
            return Err(ApiKeyError::TooMany);
        }
        if !has_operator && !scopes.grants(Scope::Admin) && !valid.iter().any(ValidKey::is_admin) {
            return Err(ApiKeyError::NoAdmin(
                "from the first API key on a key is asked for, so make one with the scope admin first",
            ));
        }
        store::insert(&connection, &record, &digest)?;
        self.change(|valid| valid.push(ValidKey::new(&record, digest)));
        Ok(NewApiKey { key, record })
    }

    /// Every key, the revoked ones as well, in the order in which they were made.
    ///
    /// # Errors
    ///
    /// The database cannot be read, or what it holds is damaged.
    pub fn list(&self) -> Result<Vec<ApiKey>, ApiKeyError> {
        store::list(&self.connection())
    }

    /// Makes a key invalid from now on, and for good. Whether it was valid. See
    /// [`create`](Self::create) for `has_operator`.
    ///
    /// # Errors
    ///
    /// There is no such key, it is the last with the scope `admin`, or the database fails.
    pub fn revoke(&self, id: Uuid, has_operator: bool) -> Result<bool, ApiKeyError> {
        let connection = self.connection();
        let valid = self.snapshot();
        let Some(revoked) = valid.iter().find(|key| key.admitted.id == id) else {
            return match store::exists(&connection, id)? {
                true => Ok(false),
                false => Err(ApiKeyError::Unknown(id)),
            };
        };
        let admins = valid.iter().filter(|key| key.is_admin()).count();
        if !has_operator && revoked.is_admin() && admins == 1 {
            return Err(ApiKeyError::NoAdmin(
                "this is the last API key with the scope admin, so make another first",
            ));
        }
        store::revoke(&connection, id, Utc::now())?;
        self.change(|valid| valid.retain(|key| key.admitted.id != id));
        Ok(true)
    }

    /// What `key` is good for; `None` where it is not valid. Takes as long for every key that was
    /// sent, whatever the keys are that there are.
    pub fn admit(&self, key: &str) -> Option<Admitted> {
        let digest = digest(key);
        let valid = self.valid.read().unwrap_or_else(PoisonError::into_inner);
        let mut found = None;
        for known in valid.iter() {
            if bool::from(known.digest.ct_eq(&digest)) {
                found = Some(&known.admitted);
            }
        }
        found.cloned()
    }

    /// Whether there is a key that is valid.
    pub fn is_empty(&self) -> bool {
        self.valid
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .is_empty()
    }

    /// Whether a use at `now` is in another hour than the last one that was noted, so that it is
    /// time for [`note_use`](Self::note_use).
    pub fn is_use_new(&self, id: Uuid, now: DateTime<Utc>) -> bool {
        let valid = self.valid.read().unwrap_or_else(PoisonError::into_inner);
        valid
            .iter()
            .find(|key| key.admitted.id == id)
            .is_some_and(|key| key.last_used_at < Some(hour_of(now)))
    }

    /// Notes the hour in which a key was used. An hour is enough to find keys that nobody uses, and
    /// spares the disk. Blocks; not for async threads.
    ///
    /// # Errors
    ///
    /// The database cannot be written.
    pub fn note_use(&self, id: Uuid, now: DateTime<Utc>) -> Result<(), ApiKeyError> {
        let hour = hour_of(now);
        let connection = self.connection();
        let mut is_later = false;
        self.change(|valid| {
            for key in valid.iter_mut().filter(|key| key.admitted.id == id) {
                is_later = key.last_used_at < Some(hour);
                key.last_used_at = key.last_used_at.max(Some(hour));
            }
        });
        if is_later {
            store::note_use(&connection, id, hour)?;
        }
        Ok(())
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self) -> Vec<ValidKey> {
        self.valid
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn change(&self, change: impl FnOnce(&mut Vec<ValidKey>)) {
        change(&mut self.valid.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl ValidKey {
    fn new(record: &ApiKey, digest: [u8; 32]) -> Self {
        Self {
            digest,
            admitted: Admitted {
                id: record.id,
                name: record.name.clone(),
                scopes: record.scopes,
            },
            last_used_at: record.last_used_at,
        }
    }

    fn is_admin(&self) -> bool {
        self.admitted.scopes.grants(Scope::Admin)
    }
}

/// What is kept of a key.
pub(crate) fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

fn generate() -> Result<(String, [u8; 32]), ApiKeyError> {
    let mut secret = [0; 32];
    OsRng
        .try_fill_bytes(&mut secret)
        .map_err(ApiKeyError::Random)?;
    let key = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(secret));
    let digest = digest(&key);
    Ok((key, digest))
}

fn check_name(name: &str) -> Result<(), ApiKeyError> {
    let fits = (1..=limits::API_KEY_NAME_BYTES).contains(&name.len());
    if !fits || name.trim().is_empty() || name.contains(char::is_control) {
        return Err(ApiKeyError::InvalidName);
    }
    Ok(())
}

fn hour_of(time: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = time.timestamp();
    DateTime::from_timestamp(seconds - seconds.rem_euclid(3_600), 0).unwrap_or(time)
}
