//! Why the log did not do what it was asked for.

use std::fmt;

use umadb_dcb::DcbError;
use uuid::Uuid;

use crate::keys::KeyError;
use crate::limits;

/// Why an append was not acknowledged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// Another writer changed the boundary after it was read. Nothing was written.
    #[error(transparent)]
    Conflict(Conflict),
    /// No retry makes this append valid. Nothing was written.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The log could not take the append. Nothing was written.
    #[error(transparent)]
    Unavailable(Unavailable),
    /// The store failed while it appended: the events may or may not be durable. The log refuses
    /// every later append, see [`EventLog::failure`](super::EventLog::failure).
    #[error(
        "the event store failed during an append, so the events may or may not have been written: \
         look for them in the log after a restart, before you try again"
    )]
    OutcomeUnknown(#[source] DcbError),
}

/// The event that an append lost against.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The head at which the boundary had been read.
    pub after: u64,
    /// Position and type of the first event that came in between, where it could be read.
    pub by: Option<(u64, String)>,
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let after = self.after;
        match &self.by {
            Some((position, event_type)) => write!(
                f,
                "event {position} ({event_type}) changed the boundary, which had been read at \
                 position {after}: read again and decide again"
            ),
            None => write!(
                f,
                "an event changed the boundary, which had been read at position {after}: read \
                 again and decide again"
            ),
        }
    }
}

impl std::error::Error for Conflict {}

/// Why the log could not take an append of which nothing was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unavailable {
    /// An earlier append failed, so nothing more is written.
    #[error(
        "the event log takes no more events since its store failed ({reason}): restart the host"
    )]
    Failed {
        /// What [`EventLog::failure`](super::EventLog::failure) says.
        reason: String,
    },
    /// The store did not accept the request, for instance because it is closed.
    #[error("the event store does not accept events: {reason}")]
    Refused {
        /// The store's own words.
        reason: String,
    },
    /// The head of the log could not be read before the append.
    #[error("the head of the event log could not be read")]
    Head(#[source] ReadError),
    /// The data key of an encrypted event could not be had.
    #[error("an event could not be encrypted")]
    Keys(#[source] KeyError),
}

/// Why events could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The query asks for something that no retry makes valid.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The store could not be read.
    #[error("the event store could not be read")]
    Store(#[source] DcbError),
    /// The store holds an event that Umari did not write in this form.
    #[error("the event at position {position} is not one that umari wrote: {reason}")]
    Malformed {
        /// Where the event is.
        position: u64,
        /// What is missing or wrong.
        reason: String,
    },
    /// An encrypted payload, or something that it is bound to, is not what was written.
    #[error(
        "event {id} at position {position} has been changed since it was written: its payload does \
         not authenticate under data key {key_id}; restore the event store from a backup"
    )]
    Tampered {
        /// The event.
        id: Uuid,
        /// Where it is.
        position: u64,
        /// The data key that its envelope names.
        key_id: Uuid,
    },
    /// The data key of an event could not be had, which is not the same as a deleted one.
    #[error("the payload of event {id} at position {position} could not be decrypted")]
    Keys {
        /// The event.
        id: Uuid,
        /// Where it is.
        position: u64,
        /// What went wrong with the key.
        #[source]
        source: KeyError,
    },
}

/// What is wrong with an append or a query, whoever tries it and however often.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Invalid {
    /// An append without events.
    #[error("there are no events to append")]
    NoEvents,
    /// More events than one append may carry.
    #[error(
        "{count} events are too many for one append: at most {} are allowed",
        limits::APPEND_EVENTS
    )]
    TooManyEvents {
        /// How many there are.
        count: usize,
    },
    /// An event type that is the empty string.
    #[error("an event type is empty")]
    EmptyType,
    /// A long event type.
    #[error(
        "the event type {text:?} has {bytes} bytes: at most {} are allowed",
        limits::EVENT_TYPE_BYTES
    )]
    TypeTooLong {
        /// How the type begins.
        text: String,
        /// Its length.
        bytes: usize,
    },
    /// An event type or tag with a control character.
    #[error("{text:?} has a control character, which event types and tags must not have")]
    ControlCharacter {
        /// How the type or tag begins.
        text: String,
    },
    /// A tag that is not `name:value`.
    #[error("the tag {tag:?} is not in the form name:value")]
    MalformedTag {
        /// How the tag begins.
        tag: String,
    },
    /// A tag that belongs to the host.
    #[error("the tag {tag:?} is reserved: tags that begin with \"umari.\" belong to the host")]
    ReservedTag {
        /// How the tag begins.
        tag: String,
    },
    /// A long tag.
    #[error(
        "the tag {tag:?} has {bytes} bytes: at most {} are allowed",
        limits::TAG_BYTES
    )]
    TagTooLong {
        /// How the tag begins.
        tag: String,
        /// Its length.
        bytes: usize,
    },
    /// An event whose type and tags do not fit in a page of the store.
    #[error(
        "the type and tags of a {event_type:?} event take {bytes} bytes, {tags} tags and the \
         host's own included: at most {} are allowed; use fewer or shorter domain ids",
        limits::EVENT_HEAD_BYTES
    )]
    TagsTooLarge {
        /// The event's type.
        event_type: String,
        /// How many tags the guest gave.
        tags: usize,
        /// What type and tags take.
        bytes: usize,
    },
    /// A large payload.
    #[error(
        "the payload of a {event_type:?} event has {bytes} bytes: at most {} are allowed",
        limits::EVENT_PAYLOAD_BYTES
    )]
    PayloadTooLarge {
        /// The event's type.
        event_type: String,
        /// The payload's size.
        bytes: usize,
    },
    /// Payloads that are too large together.
    #[error(
        "the payloads of one append have {bytes} bytes: at most {} are allowed",
        limits::APPEND_PAYLOAD_BYTES
    )]
    AppendTooLarge {
        /// Their size.
        bytes: usize,
    },
    /// A schema version of 0.
    #[error("the schema version of a {event_type:?} event is 0: versions start at 1")]
    SchemaVersionZero {
        /// The event's type.
        event_type: String,
    },
    /// An encryption scope that is not a tag of its event.
    #[error("the encryption scope {scope:?} is not one of the tags of its {event_type:?} event")]
    ScopeNotATag {
        /// The event's type.
        event_type: String,
        /// How the scope begins.
        scope: String,
    },
    /// More alternatives than a query may have.
    #[error(
        "{count} items are too many for one query: at most {} are allowed",
        limits::QUERY_ITEMS
    )]
    TooManyQueryItems {
        /// How many there are.
        count: usize,
    },
    /// Items that are too broad together.
    #[error(
        "the query has {count} terms, its items' types times tags: at most {} are allowed",
        limits::QUERY_TERMS
    )]
    TooManyQueryTerms {
        /// How many there are.
        count: usize,
    },
    /// A boundary that was read in the future.
    #[error("the boundary was read at position {after}, but the log ends at {head}")]
    AfterBeyondHead {
        /// Where the boundary says it was read.
        after: u64,
        /// Where the log ends.
        head: u64,
    },
    /// What the store itself found wrong.
    #[error("the event store refuses the events: {reason}")]
    Store {
        /// The store's own words.
        reason: String,
    },
}
