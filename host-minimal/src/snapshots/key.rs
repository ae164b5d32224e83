//! What a snapshot is found by, and what a scope is to it.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use crate::store::Query;

/// What a state depends on besides the log: the same key, the same state at the same position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SnapshotKey(pub(super) [u8; 32]);

/// An encryption scope, short. Two that are taken for one are shredded together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ScopeHash(pub(super) [u8; 16]);

impl SnapshotKey {
    /// Of a reader of the component that `component` identifies. `reader` is the guest's word for
    /// everything else that the state depends on.
    pub(crate) fn new(component: &[u8; 32], reader: &str, query: &Query) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"umari snapshot key 1");
        hash.update(component);
        text(&mut hash, reader);
        count(&mut hash, query.items.len());
        for item in &query.items {
            for texts in [&item.types, &item.tags] {
                count(&mut hash, texts.len());
                texts.iter().for_each(|it| text(&mut hash, it));
            }
        }
        Self(hash.finalize().into())
    }
}

/// Identifies a component with its variables, which its folds can read too.
pub(crate) fn component(wasm: &[u8], env: &BTreeMap<String, String>) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(Sha256::digest(wasm));
    for (name, value) in env {
        text(&mut hash, name);
        text(&mut hash, value);
    }
    hash.finalize().into()
}

impl ScopeHash {
    pub(crate) fn of(scope: &str) -> Self {
        let mut short = [0; 16];
        short.copy_from_slice(&Sha256::digest(scope)[..16]);
        Self(short)
    }
}

/// With its length, so that no two lists of texts run into the same bytes.
fn text(hash: &mut Sha256, text: &str) {
    count(hash, text.len());
    hash.update(text);
}

fn count(hash: &mut Sha256, count: usize) {
    hash.update((count as u64).to_be_bytes());
}
