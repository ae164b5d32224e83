//! Where the master key comes from.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::KeyError;
use super::cipher::{self, KEY_BYTES, KeyBytes};
use crate::data_dir;

/// Where to find the key that wraps all data keys.
#[derive(Clone)]
pub enum MasterKey {
    /// The key itself: 64 hexadecimal digits, as configuration gives them.
    Hex(Zeroizing<String>),
    /// A file with the same digits and mode 0600. It is made where the data directory has no
    /// keys yet.
    File(PathBuf),
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Hex(_) => f.write_str("Hex(..)"),
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
        }
    }
}

impl MasterKey {
    /// The key from configuration, such as the value of `UMARI_MASTER_KEY`.
    ///
    /// # Errors
    ///
    /// It is not 64 hexadecimal digits.
    pub fn from_hex(digits: &str) -> Result<Self, KeyError> {
        let digits = Zeroizing::new(digits.trim().to_owned());
        decode(&digits)?;
        Ok(Self::Hex(digits))
    }

    /// The key in a file that is made when it is first needed.
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Self::File(path.into())
    }

    /// The key's bytes. `in_use` says whether data keys are wrapped with it already, in which
    /// case a missing file is not replaced.
    pub(super) fn load(&self, in_use: bool) -> Result<KeyBytes, KeyError> {
        match (self.read()?, self) {
            (Some(key), _) => Ok(key),
            (None, Self::File(path)) if !in_use => create(path),
            (None, Self::File(path)) => Err(KeyError::MissingMasterKey { path: path.clone() }),
            (None, Self::Hex(digits)) => decode(digits),
        }
    }

    /// The key's bytes; `None` where there is no file.
    pub(super) fn read(&self) -> Result<Option<KeyBytes>, KeyError> {
        let path = match self {
            Self::Hex(digits) => return decode(digits).map(Some),
            Self::File(path) => path,
        };
        let io = |source| KeyError::MasterKeyFile {
            path: path.clone(),
            source,
        };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io(e)),
        };
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(KeyError::ExposedMasterKey {
                path: path.clone(),
                mode,
            });
        }
        let mut digits = Zeroizing::new(String::new());
        // A little more than a key, so that a wrong file is a wrong length and not a long read.
        file.take(1_024).read_to_string(&mut digits).map_err(io)?;
        decode(digits.trim()).map(Some)
    }
}

fn decode(digits: &str) -> Result<KeyBytes, KeyError> {
    let mut key = KeyBytes::default();
    hex::decode_to_slice(digits, key.as_mut_slice()).map_err(|_| KeyError::MalformedMasterKey {
        characters: digits.chars().count(),
    })?;
    Ok(key)
}

/// Removes a file with a key that is not in use any more.
pub(super) fn remove(path: &Path) -> Result<(), KeyError> {
    fs::remove_file(path)
        .and_then(|()| data_dir::sync_directory_of(path))
        .map_err(|source| KeyError::MasterKeyFile {
            path: path.to_owned(),
            source,
        })
}

/// Removes what a crash left of a file that [`create`] was making.
pub(super) fn remove_unfinished(path: &Path) -> Result<(), KeyError> {
    match remove(&unfinished(path)) {
        Err(KeyError::MasterKeyFile { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            Ok(())
        }
        removed => removed,
    }
}

fn unfinished(path: &Path) -> PathBuf {
    path.with_extension("new")
}

/// Makes the file: whole or not at all, and on disk before anything is wrapped with it.
pub(super) fn create(path: &Path) -> Result<KeyBytes, KeyError> {
    let key = cipher::random_key()?;
    let mut digits = Zeroizing::new(vec![0; 2 * KEY_BYTES + 1]);
    let unfinished = unfinished(path);
    let written = hex::encode_to_slice(key.as_slice(), &mut digits[..2 * KEY_BYTES])
        .map_err(io::Error::other)
        .and_then(|()| {
            digits[2 * KEY_BYTES] = b'\n';
            match fs::remove_file(&unfinished) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
                _ => {}
            }
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&unfinished)?;
            file.write_all(&digits)?;
            file.sync_all()?;
            fs::rename(&unfinished, path)?;
            data_dir::sync_directory_of(path)
        });
    written.map_err(|source| KeyError::MasterKeyFile {
        path: path.to_owned(),
        source,
    })?;
    Ok(key)
}
