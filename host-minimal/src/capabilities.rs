//! What a module may ask of the host: one room per capability.
//!
//! Each room has a context (what the host keeps for one instance), a borrowed view (what a host
//! function gets), one implementation of its WIT interface that every world uses, and an
//! `add_to_linker`. Random numbers need no room: WASI's own are real, and the engine bounds how
//! many bytes one call may ask for.

pub(crate) mod clock;
pub(crate) mod crypto;
pub(crate) mod http;
pub(crate) mod io;
pub(crate) mod output;
pub(crate) mod sqlite;
pub(crate) mod transaction;
