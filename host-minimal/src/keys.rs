//! Encryption of payloads: one data key for each scope, wrapped by one master key.
//!
//! A scope is a domain id, such as `shop_id:7`. Deleting its data keys makes every payload that
//! they encrypted unreadable, in the log and in every backup of it, without touching the log.
//! Data keys lie wrapped in `umari.sqlite`; the master key lies elsewhere (see [`MasterKey`]).

mod cipher;
mod error;
mod master;
mod ring;

#[cfg(test)]
mod tests;

pub use cipher::PayloadBinding;
pub use error::KeyError;
pub use master::MasterKey;
pub use ring::KeyRing;
