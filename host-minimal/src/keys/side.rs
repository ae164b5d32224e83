//! Keys for what the host keeps beside the log, such as snapshots.

use super::KeyError;
use super::cipher::{self, KeyBytes};
use super::ring::KeyRing;

/// What a wrapped side key is bound to.
const WRAPPING: &[u8] = b"umari side key 1";

/// A key that lies wrapped by the master key beside what it seals. Whoever deletes the two has
/// deleted both.
pub(crate) struct SideKey(KeyBytes);

impl SideKey {
    /// Encrypts `plaintext`, bound to `to`.
    pub(crate) fn seal(&self, plaintext: &[u8], to: &[u8]) -> Result<Vec<u8>, KeyError> {
        cipher::seal(&self.0, plaintext, to)
    }

    /// The reverse of [`seal`](Self::seal).
    pub(crate) fn open(&self, sealed: &[u8], to: &[u8]) -> Result<Vec<u8>, KeyError> {
        cipher::open(&self.0, sealed, to)
    }
}

impl KeyRing {
    /// Makes a key; the second is how it is wrapped.
    pub(crate) fn make_side_key(&self) -> Result<(SideKey, Vec<u8>), KeyError> {
        let key = cipher::random_key()?;
        let wrapped = cipher::seal(&self.connection().master, key.as_slice(), WRAPPING)?;
        Ok((SideKey(key), wrapped))
    }

    /// The key that a wrapped one is. One that was wrapped by another master key is
    /// [`KeyError::NotAuthentic`].
    pub(crate) fn side_key(&self, wrapped: &[u8]) -> Result<SideKey, KeyError> {
        let bytes = cipher::open(&self.connection().master, wrapped, WRAPPING)?;
        let bytes = zeroize::Zeroizing::new(bytes);
        let mut key = KeyBytes::default();
        if bytes.len() != key.len() {
            return Err(KeyError::NotAuthentic);
        }
        key.copy_from_slice(&bytes);
        Ok(SideKey(key))
    }
}
