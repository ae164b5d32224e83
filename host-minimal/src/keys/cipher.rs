//! AES-256-GCM with random nonces, and what each ciphertext is bound to.

use aes_gcm::aead::{Aead, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use rand::TryRngCore;
use rand::rngs::OsRng;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::KeyError;

/// A key of AES-256, wiped when it is dropped.
pub(super) type KeyBytes = Zeroizing<[u8; KEY_BYTES]>;

/// Length of a key.
pub(super) const KEY_BYTES: usize = 32;

const NONCE_BYTES: usize = 12;

/// What an encrypted payload belongs to. It decrypts with exactly these, and nowhere else.
#[derive(Debug, Clone, Copy)]
pub struct PayloadBinding<'a> {
    /// The event's id.
    pub event_id: Uuid,
    /// The event's type.
    pub event_type: &'a str,
    /// The scope whose data key encrypts the payload.
    pub scope: &'a str,
    /// The event's domain ids, in any order.
    pub tags: &'a [String],
}

impl PayloadBinding<'_> {
    /// The binding as bytes that no other binding has: every text comes with its length.
    pub(super) fn associated_data(&self, key_id: Uuid) -> Vec<u8> {
        let mut tags: Vec<&str> = self.tags.iter().map(String::as_str).collect();
        tags.sort_unstable();
        let mut data = b"umari payload 1".to_vec();
        data.extend_from_slice(self.event_id.as_bytes());
        data.extend_from_slice(key_id.as_bytes());
        for text in [self.event_type, self.scope].into_iter().chain(tags) {
            data.extend_from_slice(&(text.len() as u64).to_be_bytes());
            data.extend_from_slice(text.as_bytes());
        }
        data
    }
}

/// A new key.
pub(super) fn random_key() -> Result<KeyBytes, KeyError> {
    let mut key = KeyBytes::default();
    fill(key.as_mut_slice())?;
    Ok(key)
}

/// Encrypts under a random nonce: nonce, ciphertext and tag in one.
pub(super) fn seal(
    key: &KeyBytes,
    plaintext: &[u8],
    associated_data: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let mut nonce = [0; NONCE_BYTES];
    fill(&mut nonce)?;
    let payload = Payload {
        msg: plaintext,
        aad: associated_data,
    };
    let ciphertext = cipher(key)
        .encrypt(Nonce::from_slice(&nonce), payload)
        // Only for more than 64 GiB, which no limit lets through.
        .map_err(|_| KeyError::NotAuthentic)?;
    Ok([nonce.as_slice(), &ciphertext].concat())
}

/// The reverse of [`seal`].
pub(super) fn open(
    key: &KeyBytes,
    sealed: &[u8],
    associated_data: &[u8],
) -> Result<Vec<u8>, KeyError> {
    let (nonce, ciphertext) = sealed
        .split_at_checked(NONCE_BYTES)
        .ok_or(KeyError::NotAuthentic)?;
    let payload = Payload {
        msg: ciphertext,
        aad: associated_data,
    };
    cipher(key)
        .decrypt(Nonce::from_slice(nonce), payload)
        .map_err(|_| KeyError::NotAuthentic)
}

fn cipher(key: &KeyBytes) -> Aes256Gcm {
    Aes256Gcm::new(key.as_slice().into())
}

fn fill(bytes: &mut [u8]) -> Result<(), KeyError> {
    OsRng
        .try_fill_bytes(bytes)
        .map_err(|e| KeyError::Randomness {
            reason: e.to_string(),
        })
}
