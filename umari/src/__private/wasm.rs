//! Between the exported functions and the module's own code.

use std::cell::RefCell;
use std::thread::LocalKey;

use serde::de::DeserializeOwned;

use crate::command::{CommandContext, ExecuteOutput, execute_json};
use crate::effect::{self, Effect};
use crate::host::wasm::convert::{self, failure_to_wit};
use crate::projector::{self, Projector};

pub use crate::host::wasm::bindings as wit;
pub use wit_bindgen;

/// The one instance that a component holds.
pub type Instance<T> = LocalKey<RefCell<Option<T>>>;

/// Runs an exported command.
///
/// # Errors
///
/// What the command returned, in its class.
pub fn execute<I: DeserializeOwned>(
    input: &str,
    context: wit::command::Context,
    command: impl FnOnce(I, CommandContext) -> anyhow::Result<ExecuteOutput>,
) -> Result<wit::command::ExecuteOutput, wit::command::ExecuteError> {
    execute_json(input, convert::context_from_wit(&context), command)
        .map(convert::output_to_wit)
        .map_err(convert::error_to_wit)
}

/// The events to deliver to a projector.
#[must_use]
pub fn projector_query<P: Projector>() -> Vec<wit::common::QueryItem> {
    convert::query_to_wit(&projector::query::<P>())
}

/// Makes the component's projector.
///
/// # Errors
///
/// What `init` returned.
pub fn projector_init<P: Projector>(
    instance: &'static Instance<P>,
) -> Result<(), wit::common::Failure> {
    let made = P::init().map_err(|error| failure_to_wit(&error))?;
    instance.set(Some(made));
    Ok(())
}

/// Delivers an event to the component's projector.
///
/// # Errors
///
/// What `handle` returned, or why the event cannot be read.
pub fn projector_handle<P: Projector>(
    instance: &'static Instance<P>,
    event: wit::common::StoredEvent,
) -> Result<(), wit::common::Failure> {
    let event = convert::event_from_wit(event);
    with(instance, |projector| projector::handle(projector, &event))
        .map_err(|error| failure_to_wit(&error))
}

/// The events to deliver to an effect.
#[must_use]
pub fn effect_query<E: Effect>() -> Vec<wit::common::QueryItem> {
    convert::query_to_wit(&effect::query::<E>())
}

/// Makes the component's effect.
///
/// # Errors
///
/// What `init` returned.
pub fn effect_init<E: Effect>(instance: &'static Instance<E>) -> Result<(), wit::common::Failure> {
    let made = E::init().map_err(|error| failure_to_wit(&error))?;
    instance.set(Some(made));
    Ok(())
}

/// The lane of an event.
///
/// # Errors
///
/// Why the event cannot be read.
pub fn effect_partition_key<E: Effect>(
    instance: &'static Instance<E>,
    event: wit::common::StoredEvent,
) -> Result<Option<String>, wit::common::Failure> {
    let event = convert::event_from_wit(event);
    with(instance, |effect| effect::partition_key(effect, &event))
        .map_err(|error| failure_to_wit(&error.into()))
}

/// Delivers an event to the component's effect.
///
/// # Errors
///
/// What `handle` returned, or why the event cannot be read.
pub fn effect_handle<E: Effect>(
    instance: &'static Instance<E>,
    event: wit::common::StoredEvent,
) -> Result<(), wit::common::Failure> {
    let event = convert::event_from_wit(event);
    with(instance, |effect| effect::handle(effect, &event)).map_err(|error| failure_to_wit(&error))
}

fn with<T, R>(instance: &'static Instance<T>, call: impl FnOnce(&mut T) -> R) -> R {
    instance.with_borrow_mut(|instance| {
        call(
            instance
                .as_mut()
                .expect("the host calls `init` before it delivers events"),
        )
    })
}
