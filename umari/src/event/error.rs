//! Why an event could not be written or read.

use uuid::Uuid;

use crate::host::RawEvent;

/// An event that could not be written, or read back.
///
/// Names the event's type and, for a stored event, its place and id; the
/// [`source`](std::error::Error::source) says what is wrong.
#[cfg_attr(not(target_family = "wasm"), derive(Debug))]
#[non_exhaustive]
pub struct SerializationError {
    /// The event type's name, as it is stored.
    pub event_type: String,
    /// Where it is in the log; `None` for an event that is not stored.
    pub position: Option<u64>,
    /// Its id; `None` for an event that is not stored.
    pub id: Option<Uuid>,
    /// What is wrong.
    pub cause: SerializationCause,
}

/// What is wrong with an event's data.
#[cfg_attr(not(target_family = "wasm"), derive(Debug))]
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum SerializationCause {
    /// Its `Serialize` failed.
    #[error("its data cannot be turned into JSON")]
    Write(#[source] serde_json::Error),
    /// The payload does not have the shape that its type and version promise.
    #[error("its data does not have the shape of version {version}")]
    Shape {
        /// The version of the shape that was expected.
        version: u32,
        /// What does not fit.
        #[source]
        source: serde_json::Error,
    },
    /// The event has an earlier version, from which no `#[upcast(..)]` leads on.
    #[error(
        "it has version {found} of its shape, and its type, at version {known}, has no upcast from there: \
         add `#[upcast(version = {found}, ..)]`"
    )]
    MissingUpcast {
        /// The version that has no upcast.
        found: u32,
        /// The version of the type.
        known: u32,
    },
    /// The event was written by a later release.
    #[error(
        "it has version {found} of its shape, and this module knows versions up to {known}: \
         build it with the release that wrote the event"
    )]
    LaterVersion {
        /// The version of the event.
        found: u32,
        /// The version of the type.
        known: u32,
    },
    /// The function of an `#[upcast(..)]` failed.
    #[error("its upcast from version {version} failed")]
    Upcast {
        /// The version that it converts from.
        version: u32,
        /// What the function returned.
        #[source]
        source: anyhow::Error,
    },
}

impl SerializationError {
    /// An error about an event that has no place in the log, for event sets of your own.
    #[must_use]
    pub fn new(event_type: impl Into<String>, cause: SerializationCause) -> Self {
        Self {
            event_type: event_type.into(),
            position: None,
            id: None,
            cause,
        }
    }

    /// The same, about a stored event. What it says of an encrypted one has no value of its data in
    /// it, since logs and statuses outlive the keys.
    pub(super) fn at(self, event: &RawEvent) -> Self {
        let cause = match self.cause {
            SerializationCause::Shape { version, source } if event.encryption_scope.is_some() => {
                let source = without_values(&source);
                SerializationCause::Shape { version, source }
            }
            cause => cause,
        };
        Self {
            position: Some(event.position),
            id: Some(event.id),
            cause,
            ..self
        }
    }
}

impl std::fmt::Display for SerializationError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "event `{}`", self.event_type)?;
        if let Some(position) = self.position {
            write!(f, " at position {position}")?;
        }
        if let Some(id) = self.id {
            write!(f, " (id {id})")?;
        }
        f.write_str(match self.cause {
            SerializationCause::Write(_) => " cannot be written",
            _ => " cannot be read",
        })
    }
}

impl std::error::Error for SerializationError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.cause)
    }
}

/// Where an error is and of which kind; of what it says only the name of a field that is missing.
fn without_values(error: &serde_json::Error) -> serde_json::Error {
    let text = error.to_string();
    let what = if text.starts_with("missing field `") {
        text
    } else {
        let kind = if error.is_data() {
            "a value does not fit its field"
        } else {
            "the text is no JSON"
        };
        format!("{kind} at line {} column {}", error.line(), error.column())
    };
    serde::de::Error::custom(format!(
        "{what} (the event is encrypted, so its values are not shown)"
    ))
}
