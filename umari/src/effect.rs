//! Effects: events in, calls to the outside and commands out.

use crate::event::{EventSet, SerializationError, StoredEvent, decode};
use crate::host::{QueryItem, RawEvent};
use crate::projector::subscription;

pub use crate::command::CurrentEvent;

/// A reaction to events by side effects.
///
/// An event may be delivered more than once: ask the log (with
/// [`FoldQuery`](crate::fold_query::FoldQuery) or inside a command) whether the work was done,
/// do it, and record it with a command. Export it with [`export_effect!`](crate::export_effect).
///
/// # Examples
///
/// ```no_run
/// # // HTTP needs a host: a test runs this through umari-testing.
/// use serde::{Deserialize, Serialize};
/// use umari::prelude::*;
///
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("shop.connected")]
/// struct ShopConnected {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// struct Greet {
///     client: Client,
/// }
///
/// impl Effect for Greet {
///     type Query = SingleEvent<ShopConnected>;
///
///     fn init() -> anyhow::Result<Self> {
///         Ok(Greet { client: Client::new() })
///     }
///
///     fn partition_key(&self, event: StoredEvent<ShopConnected>) -> Option<String> {
///         Some(event.data.shop_id.to_string())
///     }
///
///     fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
///         let answer = self
///             .client
///             .post("https://example.com/greetings")
///             .json(&json!({ "shop": event.data.shop_id }))
///             .send()?;
///         anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
///         Ok(())
///     }
/// }
///
/// export_effect!(Greet);
/// # fn main() {}
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an effect",
    label = "not an effect",
    note = "implement `umari::effect::Effect` for it"
)]
pub trait Effect: Sized {
    /// The events to react to.
    type Query: EventSet;

    /// Makes an instance. An effect has up to ten: its dispatcher, a global worker and eight
    /// keyed workers.
    ///
    /// # Errors
    ///
    /// Whatever keeps the effect from starting; the host tries again later.
    fn init() -> anyhow::Result<Self>;

    /// The lane of an event: events with one key are handled one after the other, different keys
    /// side by side. Events without a key share one lane.
    fn partition_key(&self, event: StoredEvent<<Self::Query as EventSet>::Item>) -> Option<String> {
        let _ = event;
        None
    }

    /// Handles one event.
    ///
    /// # Errors
    ///
    /// Whatever should be tried again later; the event's lane waits until then.
    fn handle(&mut self, event: StoredEvent<<Self::Query as EventSet>::Item>)
    -> anyhow::Result<()>;
}

/// The events to deliver to `E`. The exported glue and test harnesses share this function.
#[must_use]
pub fn query<E: Effect>() -> Vec<QueryItem> {
    subscription::<E::Query>()
}

/// The lane of one stored event; of several that its upcasts make of it, the first one's. The
/// exported glue and test harnesses share this function.
///
/// # Errors
///
/// A [`SerializationError`] for an event that cannot be read.
pub fn partition_key<E: Effect>(
    effect: &E,
    event: &RawEvent,
) -> Result<Option<String>, SerializationError> {
    let first = decode::<E::Query>(event)?.into_iter().next();
    Ok(first.and_then(|event| effect.partition_key(event)))
}

/// Delivers one stored event to an effect, as the current event of this thread; an event whose
/// data key has been deleted is passed over. The exported glue and test harnesses share this
/// function.
///
/// # Errors
///
/// A [`SerializationError`] for an event that cannot be read, or what [`Effect::handle`] returned.
pub fn handle<E: Effect>(effect: &mut E, event: &RawEvent) -> anyhow::Result<()> {
    for stored in decode::<E::Query>(event)? {
        let _current = enter_event(event);
        effect.handle(stored)?;
    }
    Ok(())
}

/// Makes `event` the current one of this thread until the returned guard is dropped.
///
/// [`CommandContext::new`](crate::command::CommandContext::new) then inherits its correlation id
/// and names it as the trigger. [`handle`] does this by itself; a harness needs it only to call
/// parts of an effect.
pub fn enter_event(event: &RawEvent) -> CurrentEvent {
    CurrentEvent::enter(event.id, event.correlation_id)
}
