//! What a command decided to write.

use uuid::Uuid;

use super::{CommandError, EmittedEvent, ExecuteOutput};
use crate::domain_id::DomainIdValues;
use crate::event::{Event, SerializationError, encode_with};
use crate::host::{NewEvent, Transaction};

/// The events that a command decided to write, in their order.
///
/// [`emit!`](crate::emit) makes one from a list.
///
/// # Examples
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use umari::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// struct Opened {}
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// struct Closed {}
///
/// assert!(emit![].is_empty());
/// assert_eq!(emit![Opened {}, Closed {}].len(), 2);
/// assert_eq!(Emit::new().event(Opened {}).len(), 1);
/// ```
#[must_use = "events are written when the command returns them"]
#[derive(Debug, Default)]
pub struct Emit {
    events: Vec<Pending>,
    /// The first event that could not be serialised.
    failed: Option<SerializationError>,
}

#[derive(Debug)]
struct Pending {
    event: NewEvent,
    domain_ids: DomainIdValues,
}

impl Pending {
    /// The event to write, and what the receipt will say of it.
    fn split(self) -> (NewEvent, EmittedEvent) {
        let emitted = EmittedEvent {
            // Minted by the host at commit.
            id: Uuid::nil(),
            event_type: self.event.event_type.clone(),
            domain_ids: self.domain_ids.into(),
            tags: self.event.tags.clone(),
        };
        (self.event, emitted)
    }
}

impl Emit {
    /// Nothing to write.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one event.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "an emitted event is given away"
    )]
    pub fn event<E: Event>(mut self, event: E) -> Self {
        let domain_ids = event.domain_id_values();
        match encode_with(&event, &domain_ids) {
            Ok(event) => self.events.push(Pending { event, domain_ids }),
            Err(error) => {
                self.failed.get_or_insert(error);
            }
        }
        self
    }

    /// How many events there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    pub(super) fn commit(
        self,
        transaction: &mut dyn Transaction,
    ) -> Result<ExecuteOutput, CommandError> {
        if let Some(error) = self.failed {
            return Err(error.into());
        }
        if self.events.is_empty() {
            return Ok(ExecuteOutput::default());
        }
        let (new, mut events): (Vec<_>, Vec<_>) =
            self.events.into_iter().map(Pending::split).unzip();
        let receipt = transaction.commit(new)?;
        for (event, id) in events.iter_mut().zip(receipt.ids) {
            event.id = id;
        }
        Ok(ExecuteOutput {
            position: Some(receipt.position),
            events,
        })
    }
}

/// Lists the events that a command decided to write: none, one or many, of any types.
///
/// # Examples
///
/// ```
/// use umari::prelude::*;
///
/// let nothing: Emit = emit![];
/// assert!(nothing.is_empty());
/// ```
#[macro_export]
macro_rules! emit {
    ($($event:expr),* $(,)?) => {
        $crate::command::Emit::new()$(.event($event))*
    };
}
