//! Encryption of payloads: one data key for each scope, wrapped by one master key.
//!
//! A scope is a domain id, such as `shop_id:7`. Deleting its data keys makes every payload that
//! they encrypted unreadable, in the log and in every backup of it, without touching the log.
//! Data keys lie wrapped in `umari.sqlite`; the master key lies elsewhere (see [`MasterKey`]).
//!
//! A data key that is missing has been shredded or lost, and the two are not taken for each other:
//! what is shredded leaves a record, and an event whose key is missing without one is an error
//! ([`KeyError::Lost`]) until somebody restores the key, or accepts the loss by shredding the scope.

mod audit;
mod cipher;
mod error;
mod master;
mod ring;
mod rotation;
mod scopes;
mod shredding;
mod side;

#[cfg(test)]
mod tests;

pub use audit::{AuditEntry, KeyAction, Reader, ReaderReplay};
pub use cipher::PayloadBinding;
pub use error::KeyError;
pub use master::MasterKey;
pub use ring::KeyRing;
pub(crate) use ring::check_master_key;
pub use rotation::Rotation;
pub use scopes::{ScopeFilter, ScopeKeys};
pub use shredding::Shredding;
pub(crate) use side::SideKey;
