//! The event log: what happened, in one order, with nothing lost and nothing changed.
//!
//! [`EventLog`] stands on any store that implements `umadb-dcb`'s [`DcbEventStoreSync`]; the
//! default is [`EmbeddedStore`]. The log adds what is Umari's own: the envelope (who wrote an
//! event, why and when), the tags reserved to the host, encryption, idempotency keys, limits, and
//! the rule that a store whose append failed is never written again.
//!
//! [`DcbEventStoreSync`]: umadb_dcb::DcbEventStoreSync

mod embedded;
mod envelope;
mod error;
mod event;
mod log;
mod memory;
mod merged;
mod query;
mod reader;
mod rehearsal;

#[cfg(test)]
mod conformance;
#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

pub use embedded::{EmbeddedStore, OpenError};
pub(crate) use envelope::read as read_envelope;
pub use error::{AppendError, Conflict, Invalid, ReadError, Unavailable};
pub use event::{Author, Boundary, NewEvent, Provenance, Receipt, RecordedEvent};
pub(crate) use log::Appended;
pub use log::EventLog;
pub(crate) use merged::MergedReader;
pub(crate) use query::check_tag;
pub use query::{EventFilter, Query, QueryItem};
pub(crate) use reader::Pages;
pub use reader::Reader;
pub(crate) use rehearsal::Rehearsal;
