//! The modules that a data directory holds: every version's bytes, and which version is active.

mod pauses;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};
use semver::Version;
use sha2::{Digest, Sha256};

use super::name::{ModuleKind, ModuleName};
use super::settings::ModuleSettings;
use crate::data_dir::{self, DatabaseError};
use crate::limits;

/// The module store in `umari.sqlite`.
#[derive(Debug)]
pub struct ModuleStore {
    connection: Mutex<Connection>,
}

/// One version of a module, to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewModule {
    /// What kind of module it is.
    pub kind: ModuleKind,
    /// Its name.
    pub name: ModuleName,
    /// Its version, which names these bytes for good.
    pub version: Version,
    /// The SDK that it was built with.
    pub sdk: String,
    /// The version of the contract that it was built against.
    pub contract: String,
    /// Its environment variables.
    pub env: BTreeMap<String, String>,
    /// How it runs.
    pub settings: ModuleSettings,
    /// The component.
    pub wasm: Vec<u8>,
}

/// One version of a module, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredModule {
    /// What kind of module it is.
    pub kind: ModuleKind,
    /// Its name.
    pub name: ModuleName,
    /// Its version.
    pub version: Version,
    /// The hash of its bytes.
    pub sha256: ContentHash,
    /// How many bytes it has.
    pub size_bytes: u64,
    /// The SDK that it was built with.
    pub sdk: String,
    /// The version of the contract that it was built against.
    pub contract: String,
    /// Its environment variables.
    pub env: BTreeMap<String, String>,
    /// How it runs.
    pub settings: ModuleSettings,
    /// When it was stored, in whole microseconds.
    pub uploaded_at: DateTime<Utc>,
    /// Whether it is the version that runs.
    pub active: bool,
}

/// What storing a module did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inserted {
    /// The same version with the same bytes, environment and settings was there, and nothing
    /// changed.
    pub already_present: bool,
    /// The version as it is stored.
    pub module: StoredModule,
}

/// The SHA-256 of a module's bytes, shown in hexadecimal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContentHash({self})")
    }
}

/// Why the module store did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleStoreError {
    /// The version exists with other bytes. Versions never change.
    #[error(
        "{kind} {name} {version} exists with other bytes: stored are {stored}, given are {given}; \
         give the changed module a new version"
    )]
    VersionExists {
        /// The module's kind.
        kind: ModuleKind,
        /// The module's name.
        name: ModuleName,
        /// The version that is taken.
        version: Version,
        /// The hash of the bytes that are stored.
        stored: Box<ContentHash>,
        /// The hash of the bytes that were given.
        given: Box<ContentHash>,
    },
    /// The version exists with the same bytes and another environment.
    #[error(
        "{kind} {name} {version} exists with other environment variables: give the changed module \
         a new version"
    )]
    EnvironmentDiffers {
        /// The module's kind.
        kind: ModuleKind,
        /// The module's name.
        name: ModuleName,
        /// The version that is taken.
        version: Version,
    },
    /// The version exists with the same bytes and other settings.
    #[error(
        "{kind} {name} {version} exists with other settings: stored are {}, given are {}; give the \
         changed module a new version", .stored.to_json(), .given.to_json()
    )]
    SettingsDiffer {
        /// The module's kind.
        kind: ModuleKind,
        /// The module's name.
        name: ModuleName,
        /// The version that is taken.
        version: Version,
        /// The settings that are stored.
        stored: Box<ModuleSettings>,
        /// The settings that were given.
        given: Box<ModuleSettings>,
    },
    /// There is no such version to activate.
    #[error("there is no {kind} {name} {version} in the module store: upload it first")]
    UnknownVersion {
        /// The module's kind.
        kind: ModuleKind,
        /// The module's name.
        name: ModuleName,
        /// The version that was asked for.
        version: Version,
    },
    /// A large component.
    #[error(
        "the module has {bytes} bytes: at most {} are allowed",
        limits::MODULE_BYTES
    )]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Many or long environment variables.
    #[error(
        "the module's environment variables have {bytes} bytes: at most {} are allowed",
        limits::MODULE_ENV_BYTES
    )]
    EnvironmentTooLarge {
        /// Their size, names and values together.
        bytes: usize,
    },
    /// An environment variable that no process could have.
    #[error(
        "the environment variable {name:?} is not valid: its name must not be empty or contain \
         '=', and neither name nor value may contain a NUL"
    )]
    InvalidVariable {
        /// The variable's name.
        name: String,
    },
    /// What is stored is not what was stored.
    #[error(
        "{module} is damaged in the module store ({reason}): upload it again under a new version"
    )]
    Damaged {
        /// The version, in whatever form it is stored.
        module: String,
        /// What is wrong with it.
        reason: String,
    },
    /// `umari.sqlite` could not be opened.
    #[error(transparent)]
    Open(#[from] DatabaseError),
    /// `umari.sqlite` could not be read or written.
    #[error("the module store in umari.sqlite could not be read or written")]
    Database(#[from] rusqlite::Error),
}

/// All that a [`StoredModule`] is made of, for the start of a `SELECT`.
const COLUMNS: &str =
    "v.kind, v.name, v.version, v.sha256, length(v.wasm), v.sdk, v.contract, v.env, \
     v.uploaded_at, a.version IS NOT NULL, coalesce(s.settings, '{}')
     FROM module_version v
     LEFT JOIN module_settings s ON s.kind = v.kind AND s.name = v.name AND s.version = v.version
     LEFT JOIN active_module a ON a.kind = v.kind AND a.name = v.name AND a.version = v.version";

impl ModuleStore {
    /// Opens the module store in the database at `path`, made where it is missing.
    ///
    /// # Errors
    ///
    /// A newer host has written the database, or SQLite cannot open it.
    pub fn open(path: &Path) -> Result<Self, ModuleStoreError> {
        Ok(Self {
            connection: Mutex::new(data_dir::open_database(path)?),
        })
    }

    /// Stores a version of a module. It is on disk when this returns. The same version with the
    /// same bytes, environment and settings may be stored again, which changes nothing.
    ///
    /// # Errors
    ///
    /// The version exists with other content, the module is too large, or the database fails.
    pub fn insert(&self, module: NewModule) -> Result<Inserted, ModuleStoreError> {
        check(&module)?;
        let sha256 = ContentHash::of(&module.wasm);
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if let Some(stored) = find(&transaction, module.kind, &module.name, &module.version)? {
            let NewModule {
                kind,
                name,
                version,
                env,
                settings,
                ..
            } = module;
            if stored.sha256 != sha256 {
                return Err(ModuleStoreError::VersionExists {
                    kind,
                    name,
                    version,
                    stored: Box::new(stored.sha256),
                    given: Box::new(sha256),
                });
            }
            if stored.env != env {
                return Err(ModuleStoreError::EnvironmentDiffers {
                    kind,
                    name,
                    version,
                });
            }
            if stored.settings != settings {
                return Err(ModuleStoreError::SettingsDiffer {
                    kind,
                    name,
                    version,
                    stored: Box::new(stored.settings),
                    given: Box::new(settings),
                });
            }
            return Ok(Inserted {
                already_present: true,
                module: stored,
            });
        }
        let uploaded_at = Utc::now().timestamp_micros();
        transaction.execute(
            "INSERT INTO module_version
                 (kind, name, version, sha256, sdk, contract, env, uploaded_at, wasm)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                module.kind.as_str(),
                module.name.as_str(),
                module.version.to_string(),
                sha256.0,
                module.sdk,
                module.contract,
                serde_json::Value::from_iter(module.env.clone()).to_string(),
                uploaded_at,
                module.wasm,
            ],
        )?;
        transaction.execute(
            "INSERT INTO module_settings (kind, name, version, settings) VALUES (?1, ?2, ?3, ?4)",
            params![
                module.kind.as_str(),
                module.name.as_str(),
                module.version.to_string(),
                module.settings.to_json().to_string(),
            ],
        )?;
        let stored = find(&transaction, module.kind, &module.name, &module.version)?;
        transaction.commit()?;
        let module = stored.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        Ok(Inserted {
            already_present: false,
            module,
        })
    }

    /// One version of a module.
    ///
    /// # Errors
    ///
    /// The database cannot be read, or what it holds is damaged.
    pub fn get(
        &self,
        kind: ModuleKind,
        name: &ModuleName,
        version: &Version,
    ) -> Result<Option<StoredModule>, ModuleStoreError> {
        find(&self.connection(), kind, name, version)
    }

    /// The bytes of one version, which are those that were stored.
    ///
    /// # Errors
    ///
    /// The database cannot be read, or the bytes do not have their hash.
    pub fn wasm(
        &self,
        kind: ModuleKind,
        name: &ModuleName,
        version: &Version,
    ) -> Result<Option<Vec<u8>>, ModuleStoreError> {
        let found: Option<([u8; 32], Vec<u8>)> = self
            .connection()
            .query_row(
                "SELECT sha256, wasm FROM module_version
                 WHERE kind = ?1 AND name = ?2 AND version = ?3",
                params![kind.as_str(), name.as_str(), version.to_string()],
                |row| Ok((row.get(0)?, row.get(1)?)),
            )
            .optional()?;
        let Some((sha256, wasm)) = found else {
            return Ok(None);
        };
        if ContentHash::of(&wasm).0 != sha256 {
            return Err(ModuleStoreError::Damaged {
                module: format!("{kind} {name} {version}"),
                reason: "its bytes do not have its hash".to_owned(),
            });
        }
        Ok(Some(wasm))
    }

    /// All versions of all modules, or of those of one kind, by kind, name and version.
    ///
    /// # Errors
    ///
    /// The database cannot be read, or what it holds is damaged.
    pub fn list(&self, kind: Option<ModuleKind>) -> Result<Vec<StoredModule>, ModuleStoreError> {
        self.select(
            "WHERE ?1 IS NULL OR v.kind = ?1",
            params![kind.map(ModuleKind::as_str)],
        )
    }

    /// All versions of one module, the lowest first.
    ///
    /// # Errors
    ///
    /// The database cannot be read, or what it holds is damaged.
    pub fn versions(
        &self,
        kind: ModuleKind,
        name: &ModuleName,
    ) -> Result<Vec<StoredModule>, ModuleStoreError> {
        self.select(
            "WHERE v.kind = ?1 AND v.name = ?2",
            params![kind.as_str(), name.as_str()],
        )
    }

    /// Every module's active version, by kind and name.
    ///
    /// # Errors
    ///
    /// The database cannot be read, or what it holds is damaged.
    pub fn active(&self) -> Result<Vec<StoredModule>, ModuleStoreError> {
        self.select("WHERE a.version IS NOT NULL", [])
    }

    /// Makes one version of a module the active one, or none. Returns which was active before.
    ///
    /// # Errors
    ///
    /// There is no such version, or the database fails.
    pub fn set_active(
        &self,
        kind: ModuleKind,
        name: &ModuleName,
        version: Option<&Version>,
    ) -> Result<Option<Version>, ModuleStoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let before = select(
            &transaction,
            "WHERE v.kind = ?1 AND v.name = ?2 AND a.version IS NOT NULL",
            params![kind.as_str(), name.as_str()],
        )?;
        transaction.execute(
            "DELETE FROM active_module WHERE kind = ?1 AND name = ?2",
            params![kind.as_str(), name.as_str()],
        )?;
        if let Some(version) = version {
            if find(&transaction, kind, name, version)?.is_none() {
                let (name, version) = (name.clone(), version.clone());
                return Err(ModuleStoreError::UnknownVersion {
                    kind,
                    name,
                    version,
                });
            }
            transaction.execute(
                "INSERT INTO active_module (kind, name, version) VALUES (?1, ?2, ?3)",
                params![kind.as_str(), name.as_str(), version.to_string()],
            )?;
        }
        transaction.commit()?;
        Ok(before.into_iter().next().map(|module| module.version))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn select(
        &self,
        condition: &str,
        params: impl rusqlite::Params,
    ) -> Result<Vec<StoredModule>, ModuleStoreError> {
        select(&self.connection(), condition, params)
    }
}

/// Checks what the contract leaves to the host.
fn check(module: &NewModule) -> Result<(), ModuleStoreError> {
    let bytes = module.wasm.len();
    if bytes > limits::MODULE_BYTES {
        return Err(ModuleStoreError::TooLarge { bytes });
    }
    let bytes = module
        .env
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    if bytes > limits::MODULE_ENV_BYTES {
        return Err(ModuleStoreError::EnvironmentTooLarge { bytes });
    }
    for (name, value) in &module.env {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(ModuleStoreError::InvalidVariable { name: name.clone() });
        }
    }
    Ok(())
}

fn find(
    connection: &Connection,
    kind: ModuleKind,
    name: &ModuleName,
    version: &Version,
) -> Result<Option<StoredModule>, ModuleStoreError> {
    let found = select(
        connection,
        "WHERE v.kind = ?1 AND v.name = ?2 AND v.version = ?3",
        params![kind.as_str(), name.as_str(), version.to_string()],
    )?;
    Ok(found.into_iter().next())
}

fn select(
    connection: &Connection,
    condition: &str,
    params: impl rusqlite::Params,
) -> Result<Vec<StoredModule>, ModuleStoreError> {
    let mut statement = connection.prepare_cached(&format!("SELECT {COLUMNS} {condition}"))?;
    let mut rows = statement.query(params)?;
    let mut modules = Vec::new();
    while let Some(row) = rows.next()? {
        modules.push(decode(row)?);
    }
    // Versions have an order that SQL does not know.
    modules.sort_by(|a, b| (a.kind, &a.name, &a.version).cmp(&(b.kind, &b.name, &b.version)));
    Ok(modules)
}

fn decode(row: &Row<'_>) -> Result<StoredModule, ModuleStoreError> {
    let (kind, name, version): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (env, uploaded_at): (String, i64) = (row.get(7)?, row.get(8)?);
    let settings: String = row.get(10)?;
    let damaged = |reason: String| {
        let module = format!("{kind} {name} {version}");
        ModuleStoreError::Damaged { module, reason }
    };
    Ok(StoredModule {
        kind: kind.parse().map_err(|e| damaged(format!("{e}")))?,
        name: name.parse().map_err(|e| damaged(format!("{e}")))?,
        version: version
            .parse()
            .map_err(|e| damaged(format!("its version: {e}")))?,
        sha256: ContentHash(row.get(3)?),
        size_bytes: row.get::<_, i64>(4)?.unsigned_abs(),
        sdk: row.get(5)?,
        contract: row.get(6)?,
        env: serde_json::from_str(&env).map_err(|e| damaged(format!("its environment: {e}")))?,
        settings: ModuleSettings::from_json(&settings)
            .map_err(|e| damaged(format!("its settings: {e}")))?,
        uploaded_at: DateTime::from_timestamp_micros(uploaded_at)
            .ok_or_else(|| damaged("its time of upload is out of range".to_owned()))?,
        active: row.get(9)?,
    })
}
