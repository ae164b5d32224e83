//! Who calls a command, and on whose behalf.

use std::cell::Cell;
use std::marker::PhantomData;

use uuid::Uuid;

use crate::host::{self, Host};

/// Who calls a command, and on whose behalf.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct CommandContext {
    /// The user action at the start of the causal chain.
    pub correlation_id: Uuid,
    /// This execution.
    pub causation_id: Uuid,
    /// The event whose effect calls.
    pub triggering_event_id: Option<Uuid>,
    /// Calls with the same key write once.
    pub idempotency_key: Option<Uuid>,
    /// The name of the exported command, once it has been entered.
    command: Option<&'static str>,
}

impl CommandContext {
    /// The context of a call from here.
    ///
    /// While an effect handles an event, the call belongs to that event: it keeps its correlation
    /// id and names it as the trigger. Elsewhere a new causal chain begins.
    ///
    /// # Panics
    ///
    /// Panics natively where no host is installed: fresh ids come from the host.
    #[must_use]
    #[track_caller]
    #[expect(
        clippy::new_without_default,
        reason = "two contexts are never equal, a default would be"
    )]
    pub fn new() -> Self {
        let current = CURRENT_EVENT.get();
        let correlation_id = current.map_or_else(fresh_id, |event| event.correlation_id);
        Self {
            correlation_id,
            causation_id: fresh_id(),
            triggering_event_id: current.map(|event| event.id),
            idempotency_key: None,
            command: None,
        }
    }

    /// A context with these ids, for harnesses and for the wire.
    #[must_use]
    pub const fn from_ids(correlation_id: Uuid, causation_id: Uuid) -> Self {
        Self {
            correlation_id,
            causation_id,
            triggering_event_id: None,
            idempotency_key: None,
            command: None,
        }
    }

    /// Sets the correlation id; `None` leaves it as it is.
    #[must_use]
    pub fn with_correlation_id(mut self, id: impl Into<Option<Uuid>>) -> Self {
        if let Some(id) = id.into() {
            self.correlation_id = id;
        }
        self
    }

    /// Sets or clears the event that triggered the call.
    #[must_use]
    pub fn with_triggering_event_id(mut self, id: impl Into<Option<Uuid>>) -> Self {
        self.triggering_event_id = id.into();
        self
    }

    /// Sets or clears the idempotency key.
    #[must_use]
    pub fn with_idempotency_key(mut self, key: impl Into<Option<Uuid>>) -> Self {
        self.idempotency_key = key.into();
        self
    }

    /// The name under which `#[export_command]` exports the command that was entered.
    #[must_use]
    pub fn command_name(&self) -> Option<&'static str> {
        self.command
    }

    /// Enters an exported command.
    #[must_use]
    pub(crate) fn named(mut self, command: &'static str) -> Self {
        self.command = Some(command);
        self
    }
}

#[track_caller]
#[cfg_attr(
    target_family = "wasm",
    expect(
        clippy::redundant_closure,
        reason = "natively the method of `dyn Host` is not general enough"
    )
)]
fn fresh_id() -> Uuid {
    host::with(|host| Host::new_id(host))
}

#[derive(Debug, Clone, Copy)]
struct Current {
    id: Uuid,
    correlation_id: Uuid,
}

thread_local! {
    static CURRENT_EVENT: Cell<Option<Current>> = const { Cell::new(None) };
}

/// Makes an event the current one of this thread until it is dropped, when the one before it
/// comes back.
#[must_use = "the event stops being the current one when this is dropped"]
#[derive(Debug)]
pub struct CurrentEvent {
    previous: Option<Current>,
    /// Belongs to the thread that entered the event.
    not_send: PhantomData<*const ()>,
}

impl CurrentEvent {
    pub(crate) fn enter(id: Uuid, correlation_id: Uuid) -> Self {
        let previous = CURRENT_EVENT.replace(Some(Current { id, correlation_id }));
        Self {
            previous,
            not_send: PhantomData,
        }
    }
}

impl Drop for CurrentEvent {
    fn drop(&mut self) {
        CURRENT_EVENT.set(self.previous);
    }
}
