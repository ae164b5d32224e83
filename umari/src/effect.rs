//! Effects: events in, calls to the outside and commands out.

use crate::event::{EventSet, SerializationError, StoredEvent, Yields, decode};
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
/// ```standalone_crate
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
/// #[derive(Event, DomainIds, Serialize, Deserialize)]
/// #[event_type("shop.greeted")]
/// struct ShopGreeted {
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
///     // Shops side by side, one shop's events one after the other.
///     fn partition_key(&self, event: StoredEvent<ShopConnected>) -> Option<String> {
///         Some(event.data.shop_id.to_string())
///     }
///
///     fn handle(&mut self, event: StoredEvent<ShopConnected>) -> anyhow::Result<()> {
///         let shop_id = event.data.shop_id;
///         // Ask: was it done before?
///         let greeted = EventCounter::<ShopGreeted>::new().with("shop_id", shop_id);
///         if FoldQuery::new().fold(greeted).run()? > 0 {
///             return Ok(());
///         }
///         // Do it. A crash before the record repeats the call, which the key lets the other side see.
///         let answer = self
///             .client
///             .post("https://example.com/greetings")
///             .header("Idempotency-Key", event.id.to_string())
///             .json(&json!({ "shop": shop_id }))
///             .send()?;
///         anyhow::ensure!(answer.status().is_success(), "refused: {}", answer.status());
///         // Record it.
///         record_greeting(Greeting { shop_id }, CommandContext::new())?;
///         Ok(())
///     }
/// }
///
/// #[derive(DomainIds)]
/// struct Greeting {
///     #[domain_id]
///     shop_id: u64,
/// }
///
/// /// A private command: a function that nobody exports.
/// fn record_greeting(input: Greeting, context: CommandContext) -> anyhow::Result<ExecuteOutput> {
///     Command::new(input, context)
///         .fold::<EventCounter<ShopGreeted>>()
///         .execute(|input, greeted| match greeted {
///             0 => Ok(emit![ShopGreeted { shop_id: input.shop_id }]),
///             _ => Ok(emit![]),
///         })
/// }
///
/// export_effect!(Greet);
///
/// # fn main() {
/// use umari_testing::prelude::*;
///
/// given_nothing()
///     .with_http(|http| http.post("https://example.com/greetings").reply(200))
///     .when_event(ShopConnected { shop_id: 42 })
///     .run::<Greet>()
///     .then(events![ShopGreeted { shop_id: 42 }])
///     .redelivered()
///     .then_no_requests();
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an effect",
    label = "not an effect",
    note = "implement `umari::effect::Effect` for it"
)]
pub trait Effect: Sized {
    /// The events to react to.
    type Query: EventSet + ?Sized;

    /// Makes an instance. An effect has up to ten: its dispatcher, a global worker and eight
    /// keyed workers.
    ///
    /// # Errors
    ///
    /// Whatever keeps the effect from starting; the host tries again later.
    fn init() -> anyhow::Result<Self>;

    /// The lane of an event: events with one key are handled one after the other, different keys
    /// side by side. Events without a key share one lane.
    ///
    /// A handler's first statement that writes keeps the other lanes' writes waiting until it ends,
    /// as SQLite has one writer: call and record first, and write rows last.
    fn partition_key(
        &self,
        event: StoredEvent<<Self::Query as Yields>::Yielded>,
    ) -> Option<String> {
        let _ = event;
        None
    }

    /// Handles one event.
    ///
    /// # Errors
    ///
    /// Whatever should be tried again later; the event's lane waits until then.
    fn handle(
        &mut self,
        event: StoredEvent<<Self::Query as Yields>::Yielded>,
    ) -> anyhow::Result<()>;
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
